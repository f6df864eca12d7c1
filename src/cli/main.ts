#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { Fault } from "../faults/Fault.js";
import { benchCommand } from "./benchCommand.js";
import { demoCommand } from "./demoCommand.js";
import { doctorCommand } from "./doctorCommand.js";
import { drawCommand } from "./drawCommand.js";
import { evaluateCommand } from "./evaluateCommand.js";
import { EXIT } from "./exitCodes.js";
import { importCommand } from "./importCommand.js";
import { inspectCommand } from "./inspectCommand.js";
import { reportCommand } from "./reportCommand.js";
import { runCommand } from "./runCommand.js";
import { samplesCommand } from "./samplesCommand.js";
import { simulateCommand } from "./simulateCommand.js";

const program = new Command("ditr")
  .description("Labels every point of recorded LiDAR drives, with camera images where there are some.")
  .addHelpText(
    "after",
    `
Start with:
  ditr demo                                 simulate a drive, label it, draw a picture
  ditr inspect my_robot.mcap                what is in a bag and what would be used
  ditr run my_robot.mcap -o labelled.mcap   label it
  ditr report labelled.mcap                 a page to look at all of it: report.html
  ditr draw labelled.mcap -o scan.png       a picture of a scan

Exit codes: ${EXIT.ok} done; ${EXIT.fault} bad input or set-up; ${EXIT.usage} wrong command line; ${EXIT.incomplete} done, but some scans were lost;
${EXIT.interrupted} or ${EXIT.terminated} stopped by Ctrl-C or SIGTERM, with what was done until then kept.`,
  )
  .showHelpAfterError("(ditr --help and ditr COMMAND --help list what is allowed)");

for (const command of [
  runCommand(),
  importCommand(),
  inspectCommand(),
  evaluateCommand(),
  samplesCommand(),
  drawCommand(),
  reportCommand(),
  simulateCommand(),
  demoCommand(),
  benchCommand(),
  doctorCommand(),
]) {
  program.addCommand(command);
}

function overrideExits(command: Command): void {
  command.exitOverride();
  command.commands.forEach(overrideExits);
}
overrideExits(program);

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read it has closed it (`ditr inspect BAG | head`); the command itself goes on.
    if (error.code !== "EPIPE") throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof Fault) {
    console.error(`ditr: ${error.message}`);
    process.exitCode = EXIT.fault;
  } else {
    console.error(error);
    process.exitCode = EXIT.defect;
  }
}

import { Command } from "commander";
import { benchmarkGeometry } from "../geometry/benchmarkGeometry.js";
import { benchmarkIntake, INTAKES, type IntakeBenchmark } from "../perception/benchmarkIntake.js";
import { formatTable } from "../report/formatTable.js";
import { wholeNumber } from "./arguments.js";

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure this machine")
    .addCommand(geometryCommand())
    .addCommand(intakeCommand());
}

function geometryCommand(): Command {
  return new Command("geometry")
    .description("all tables of a scan: 5 cm voxels, five stages, four orders, one thread")
    .option("--points <count>", "points per scan", wholeNumber, 120_000)
    .option("--runs <count>", "measured scans", wholeNumber, 60)
    .action(({ points, runs }: { points: number; runs: number }) => {
      const result = benchmarkGeometry({ pointCount: points, runs });
      console.log(
        `${result.pointCount} points, voxels per stage ${result.voxelCounts.join(", ")}, ${result.runs} runs`,
      );
      const rows = Object.entries({ ...result.phases, total: result.total });
      console.log(
        formatTable(
          ["phase", "median ms", "p95 ms"],
          rows.map(([phase, { medianMs, p95Ms }]) => [phase, medianMs.toFixed(2), p95Ms.toFixed(2)]),
        ),
      );
    });
}

function intakeCommand(): Command {
  return new Command("intake")
    .description("the main thread of a live node: a cloud at 10 Hz with 1600x900 rgb8 images at 12 Hz")
    .option("--seconds <count>", "for each way of handing frames over", wholeNumber, 10)
    .option("--cameras <count>", "how many", wholeNumber, 6)
    .option("--points <count>", "points of 16 bytes per cloud", wholeNumber, 120_000)
    .action(async ({ seconds, cameras, points }: Record<"seconds" | "cameras" | "points", number>) => {
      const results: IntakeBenchmark[] = [];
      for (const intake of INTAKES)
        results.push(await benchmarkIntake(intake, { seconds, cameras, pointCount: points }));
      console.log(
        formatTable(
          [
            "frames are",
            "scans",
            "CPU ms per scan",
            "handing over ms, median",
            "p99",
            "event loop late by ms, p99",
            "most",
            "RSS MB",
          ],
          results.map(({ intake, scans, cpuMs, medianMs, p99Ms, delayP99Ms, delayMaxMs, rss }) => [
            intake,
            String(scans),
            cpuMs?.toFixed(2) ?? "-",
            ...[medianMs, p99Ms, delayP99Ms, delayMaxMs].map((ms) => ms.toFixed(2)),
            rss.toFixed(0),
          ]),
        ),
      );
    });
}

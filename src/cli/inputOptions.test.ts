import { expect, test } from "@jest/globals";
import { Command } from "commander";
import type { InputOptions } from "../library/InputOptions.js";
import { addInputOptions, inputOptions, type InputFlags } from "./inputOptions.js";
import { inspectCommand } from "./inspectCommand.js";
import { runCommand } from "./runCommand.js";

function parse(...args: string[]): InputOptions {
  const command = addInputOptions(new Command("test")).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return inputOptions(command.parse(args, { from: "user" }).opts<InputFlags>());
}

test("run and inspect have the same options about inputs", () => {
  const own = addInputOptions(new Command("test")).options.map(({ long, description }) => [
    long,
    description,
  ]);
  for (const command of [runCommand(), inspectCommand()]) {
    const theirs = command.options.map(({ long, description }) => [long, description]);
    expect(theirs).toEqual(expect.arrayContaining(own));
  }
});

test("options are read in their units", () => {
  expect(parse()).toEqual({ tolerance: 50_000_000n, deskew: true });
  expect(
    parse(
      ...["--cloud", "/a", "/b", "--camera-info", "/front=/x/info", "/rear=/y/info", "--rectified", "/front"],
      ...[
        "--raw",
        "/rear",
        "--camera-offset",
        "-1.5",
        "--camera-offset",
        "front=auto",
        "--tf-offset",
        "37000",
        "--stamp-by-log",
        "/a",
        "all",
        "--no-deskew",
        "--camera-info",
        "/left=/z/info",
      ],
    ),
  ).toMatchObject({
    cloudTopics: ["/a", "/b"],
    cameraInfoTopics: { "/front": "/x/info", "/rear": "/y/info", "/left": "/z/info" },
    rectifiedTopics: ["/front"],
    rawTopics: ["/rear"],
    cameraOffsets: { all: -1_500_000n, front: "auto" },
    transformOffset: 37_000_000_000n,
    stampedByLog: ["/a", "all"],
    deskew: false,
  });
  for (const pair of ["/front", "/front=", "=/info", "/a=/b=/c"]) {
    expect(() => parse("--camera-info", pair)).toThrow("It must be an image topic");
  }
});

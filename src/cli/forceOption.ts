import { Option } from "commander";

/** `--force` of every command that writes files. */
export function forceOption(): Option {
  return new Option(
    "--force",
    "replace outputs that exist, and what a run that was killed left of them",
  ).default(false, "refuse");
}

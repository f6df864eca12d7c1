/** Exit codes of the `ditr` command. */
export const EXIT = {
  ok: 0,
  /** Bad input or set-up; one sentence on stderr says what. */
  fault: 1,
  /** Wrong command line. */
  usage: 2,
  /** Finished, but some scans could not be labelled. */
  incomplete: 3,
  /** A defect of this program, with a stack trace. */
  defect: 70,
} as const;

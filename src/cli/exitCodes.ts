/** Exit codes of the `ditr` command. */
export const EXIT = {
  ok: 0,
  /** Bad input or set-up; one sentence on stderr says what. */
  fault: 1,
  /** Wrong command line. */
  usage: 2,
  /** Finished, but some scans were lost, for whatever reason, or none was labelled; of an import: some were left out. */
  incomplete: 3,
  /** A defect of this program, with a stack trace. */
  defect: 70,
  /** Ctrl-C (SIGINT): what was done until then is kept. */
  interrupted: 130,
  /** SIGTERM, otherwise as `interrupted`. */
  terminated: 143,
} as const;

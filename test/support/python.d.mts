import type { NpyArray } from "../../src/report/npy.js";

/** The interpreter with the reference packages, or undefined: `npm test` makes .venv, DITR_PYTHON names another. */
export declare const python: string | undefined;

/** `describe` that is skipped, by name, where there is no Python environment. */
export declare const describeWithPython: (name: string, body: () => void) => void;

/**
 * Runs `test/reference/<script>` in a fresh folder that holds `<name>.npy` for each input and `options.json`;
 * the script writes `<name>.npy` results into the folder `out` beside them.
 * Throws with the script's output when it fails.
 */
export declare function runReference(
  script: string,
  inputs: Record<string, NpyArray>,
  options?: unknown,
): Record<string, NpyArray>;

import type { NativeCallGate } from "./NativeCallGate.js";

/** A call that has not come back by then hangs: in a driver, for one. Milliseconds. */
const PATIENCE_MS = 30_000;

const gates = new Set<NativeCallGate>();
let isListening = false;

/**
 * Lets the process end only when the thread behind the gate is outside of native code: by `process.exit`, by an error that
 * nobody caught, or by having nothing left to do. A signal that nobody handles ends the process without any of this, and
 * without harm: it does not end threads first.
 */
export function endOnlyOutside(gate: NativeCallGate): void {
  gates.add(gate);
  if (isListening) return;
  isListening = true;
  process.on("exit", () => {
    for (const each of gates) each.shut();
    for (const each of gates) {
      // Nothing but this ends a process with a thread that hangs in native code, and does not abort.
      if (!each.waitUntilOutside(PATIENCE_MS)) process.kill(process.pid, "SIGKILL");
    }
  });
}

/** The thread behind the gate has ended. */
export function forgetGate(gate: NativeCallGate): void {
  gates.delete(gate);
}

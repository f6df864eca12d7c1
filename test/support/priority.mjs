import os from "node:os";

/** Has a child that was just started, and all that it will start, take what of the cores other processes leave. */
export function letOthersGoFirst(child) {
  if (child.pid !== undefined) os.setPriority(child.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
}

/**
 * The thread that was asked last to prepare or to infer a scan ends with an exception when it has done what it is doing.
 * @returns false when none was asked since the last one was killed
 */
export declare function killThread(which: "preparation" | "inference"): boolean;

import type { NpyArray } from "../../src/report/npy.js";

export const BOXES_MODEL: string;
export function expectedBoxes(bundle?: string): Readonly<Record<string, NpyArray>>;
export function boxesCloud(stamp: bigint, scan?: NpyArray): Uint8Array<ArrayBuffer>;

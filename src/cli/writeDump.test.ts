import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { LabelledScan } from "../perception/ScanFrame.js";
import { decodeNpy } from "../report/npy.js";
import { writeDump } from "./writeDump.js";

const SCAN = {
  stamp: 7n,
  voxelCount: 1,
  dump: { voxelCoordinates: Int32Array.of(1, 2, 3), logits: Float32Array.of(0.5, 1.5), inputs: [] },
} as unknown as LabelledScan;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ditr-dump-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("a link in the place of a dump is replaced, and what it leads to stays", async () => {
  const victim = path.join(folder, "drive.mcap");
  await writeFile(victim, "valuable");
  await mkdir(path.join(folder, "dump", "7"), { recursive: true });
  await symlink(victim, path.join(folder, "dump", "7", "logits.npy"));
  await writeDump(path.join(folder, "dump"), SCAN);
  expect(await readFile(victim, "utf8")).toBe("valuable");
  const logits = decodeNpy(await readFile(path.join(folder, "dump", "7", "logits.npy")));
  expect([logits.shape, [...logits.data]]).toEqual([
    [1, 2],
    [0.5, 1.5],
  ]);
});

test("a dump that the system refuses is the user's to hear of, and no defect", async () => {
  await writeFile(path.join(folder, "file"), "");
  await expect(writeDump(path.join(folder, "file"), SCAN)).rejects.toMatchObject({
    code: "bag-unwritable",
    message: expect.stringMatching(/7 cannot be written: ENOTDIR/),
  });
});

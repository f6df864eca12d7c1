import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { describeWithPython, runReference } from "../../test/support/python.mjs";
import { openBag } from "../bag/openBag.js";
import { McapBagWriter } from "../bag/mcap/McapBagWriter.js";
import { decodeNpy, type NpyArray } from "../report/npy.js";
import { simulateDrive } from "../simulation/simulateDrive.js";
import { runBag } from "./runBag.js";

const TOLERANCE = 1e-3;
const scratch = mkdtempSync(path.join(tmpdir(), "ditr-logits-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** A drive of two scans, the second without an image, run with dumps. */
async function dumpRun(bundle: string): Promise<string> {
  const drive = path.join(scratch, "drive.mcap");
  const writer = await McapBagWriter.create(drive);
  const cameras = [{ name: "front", width: 320, height: 160, failures: [[0.1, Infinity]] as const }];
  for await (const message of simulateDrive({ seed: 77, scanCount: 2, columns: 512, cameras })) {
    await writer.record(message);
  }
  await writer.close();
  const dump = path.join(scratch, "dump");
  const reader = await openBag(drive);
  await runBag(reader, {
    output: path.join(scratch, "labelled.mcap"),
    model: bundle,
    provider: "cpu",
    threads: 0,
    fusion: { mode: "auto", minImages: 1, minSeenShare: 0.01, seenShareHysteresis: 0 },
    tolerance: 50_000_000n,
    copy: "none",
    dump,
  });
  await reader.close();
  return dump;
}

describeWithPython("graph inputs made by TypeScript", () => {
  test("give the same logits in ONNX Runtime here and in PyTorch there, fused and image-free", async () => {
    const bundle = path.join(scratch, "bundle");
    const options = {
      bundle,
      config: fileURLToPath(new URL("../../training/configs/street-tiny.yaml", import.meta.url)),
      seed: 5,
    };
    runReference("random_bundle.py", {}, options);
    const dump = await dumpRun(bundle);
    const scans = readdirSync(dump).sort();
    expect(scans).toHaveLength(2);
    const fused: boolean[] = [];
    for (const scan of scans) {
      const folder = path.join(dump, scan, "inputs");
      const inputs: Record<string, NpyArray> = Object.fromEntries(
        readdirSync(folder).map((file) => [
          path.basename(file, ".npy"),
          decodeNpy(readFileSync(path.join(folder, file))),
        ]),
      );
      fused.push("image" in inputs);
      const { logits } = runReference("pytorch_logits.py", inputs, options);
      const ours = decodeNpy(readFileSync(path.join(dump, scan, "logits.npy")));
      expect(logits!.shape).toEqual(ours.shape);
      expect(ours.shape[0]).toBeGreaterThan(5000);
      let largest = 0;
      let spread = 0;
      for (let index = 0; index < ours.data.length; index++) {
        const value = Number(ours.data[index]);
        largest = Math.max(largest, Math.abs(value - Number(logits!.data[index])));
        spread = Math.max(spread, Math.abs(value));
      }
      expect(spread).toBeGreaterThan(0.1);
      expect(largest).toBeLessThanOrEqual(TOLERANCE);
    }
    expect(fused).toEqual([true, false]);
  }, 180_000);
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";

const scratch = mkdtempSync(path.join(tmpdir(), "ditr-telemetry-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

test("a process that runs a model leaves no identifier, no cache and no log of ONNX Runtime's telemetry", () => {
  const engine = new URL("./InferenceEngine.js", import.meta.url).href;
  const bundle = new URL("./ModelBundle.js", import.meta.url).href;
  const model = fileURLToPath(new URL("../../models/street-tiny", import.meta.url));
  const code = `(async () => {
    const { InferenceEngine } = await import(${JSON.stringify(engine)});
    const { ModelBundle } = await import(${JSON.stringify(bundle)});
    const engine = await InferenceEngine.start(await ModelBundle.load(${JSON.stringify(model)}), { provider: "cpu", threads: 1 });
    await engine.close();
  })();`;
  const folders = { HOME: scratch, XDG_CACHE_HOME: path.join(scratch, "cache"), TMPDIR: scratch };
  // Builds on a CI server send nothing anyway.
  const env = { ...process.env };
  for (const name of ["CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY"]) Reflect.deleteProperty(env, name);
  const ended = spawnSync(process.execPath, ["-e", code], {
    env: { ...env, ...folders },
    encoding: "utf8",
  });
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(scratch, { recursive: true })).toEqual([]);
});

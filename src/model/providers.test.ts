import { describe, expect, test } from "@jest/globals";
import { Fault } from "../faults/Fault.js";
import { createWithProvider, type Provider } from "./providers.js";

/** Creates only on the providers that "work". */
function creator(working: readonly Provider[]) {
  return (provider: Provider) =>
    working.includes(provider)
      ? Promise.resolve({ [provider]: 7 })
      : Promise.reject(new Error(`no library for ${provider}\nat some line of C++`));
}

describe("createWithProvider", () => {
  test("auto falls back to the CPU and says why", async () => {
    expect(await createWithProvider("auto", creator(["cpu"]))).toEqual({
      requested: "auto",
      obtained: "cpu",
      refused: [{ provider: "cuda", reason: "no library for cuda" }],
      placement: { cpu: 7 },
    });
  });

  test("auto takes CUDA where it works", async () => {
    expect(await createWithProvider("auto", creator(["cpu", "cuda"]))).toEqual({
      requested: "auto",
      obtained: "cuda",
      refused: [],
      placement: { cuda: 7 },
    });
  });

  test("an explicit choice never becomes another provider", async () => {
    await expect(createWithProvider("cuda", creator(["cpu"]))).rejects.toMatchObject({
      code: "provider-unavailable",
      message:
        'no session could be created with provider "cuda" (cuda: no library for cuda), while the CPU can run the model',
    });
  });

  test.each(["cpu", "auto", "cuda"] as const)(
    "a model that not even the CPU can run is a broken bundle, not a missing provider (%s)",
    async (choice) => {
      const create = () =>
        Promise.reject(new Error("Load model from a.onnx failed:Protobuf parsing failed."));
      await expect(createWithProvider(choice, create)).rejects.toMatchObject({
        code: "bad-bundle",
        message:
          "ONNX Runtime cannot run the model, not even on the CPU: Load model from a.onnx failed:Protobuf parsing failed.",
      });
    },
  );

  test("what the bundle's own check says is passed on, and no other provider is tried", async () => {
    const tried: Provider[] = [];
    const fault = new Fault("bad-bundle", "a.onnx has inputs that bundle.json does not declare");
    const create = (provider: Provider) => {
      tried.push(provider);
      return Promise.reject(fault);
    };
    await expect(createWithProvider("auto", create)).rejects.toBe(fault);
    expect(tried).toEqual(["cuda"]);
  });

  test("too little memory is neither", async () => {
    const create = () => Promise.reject(new Error("std::bad_alloc"));
    await expect(createWithProvider("cpu", create)).rejects.toMatchObject({ code: "inference-failed" });
  });
});

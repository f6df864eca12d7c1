import { describe, expect, test } from "@jest/globals";
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
      message: 'no session could be created with provider "cuda" (cuda: no library for cuda)',
    });
  });
});

import { describe, expect, test } from "@jest/globals";
import { createWithProvider, type Provider } from "./providers.js";

/** Creates only on the providers that "work". */
function creator(working: readonly Provider[]) {
  return (provider: Provider) =>
    working.includes(provider)
      ? Promise.resolve(provider)
      : Promise.reject(new Error(`no library for ${provider}\nat some line of C++`));
}

describe("createWithProvider", () => {
  test("auto falls back to the CPU and says why", async () => {
    expect(await createWithProvider("auto", creator(["cpu"]))).toEqual({
      created: "cpu",
      report: {
        requested: "auto",
        obtained: "cpu",
        refused: [{ provider: "cuda", reason: "no library for cuda" }],
      },
    });
  });

  test("auto takes CUDA where it works", async () => {
    const { report } = await createWithProvider("auto", creator(["cpu", "cuda"]));
    expect(report).toEqual({ requested: "auto", obtained: "cuda", refused: [] });
  });

  test("an explicit choice never becomes another provider", async () => {
    await expect(createWithProvider("cuda", creator(["cpu"]))).rejects.toMatchObject({
      code: "provider-unavailable",
      message: 'no session could be created with provider "cuda" (cuda: no library for cuda)',
    });
  });
});

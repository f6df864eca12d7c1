import { truncate } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { exampleMessages, withFolder, writeBag } from "../bag/exampleBag.js";
import { openBag } from "../bag/openBag.js";
import { DEFAULT_FUSION } from "../perception/FusionPolicy.js";
import { runBag } from "./runBag.js";

test("what is wrong with a file is said, too, when for that nothing can be labelled", async () => {
  await withFolder(async (folder) => {
    const bag = path.join(folder, "drive.mcap");
    await writeBag(
      bag,
      exampleMessages(20).filter(({ topic }) => topic !== "/lidar/points"),
    );
    await truncate(bag, 2000);
    const reader = await openBag(bag);
    const said: string[] = [];
    await expect(
      runBag(reader, {
        output: path.join(folder, "labelled.mcap"),
        model: fileURLToPath(new URL("../../models/street-tiny", import.meta.url)),
        provider: "cpu",
        threads: 0,
        fusion: DEFAULT_FUSION,
        tolerance: 50_000_000n,
        copy: "none",
        onFault: ({ text }) => said.push(text),
      }),
    ).rejects.toMatchObject({ code: "invalid-configuration" });
    await reader.close();
    expect(said).toEqual([expect.stringContaining(`${bag} is damaged: `)]);
  });
});

import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { checkOutputs } from "./checkOutputs.js";
import { OutputFile, partialPath } from "./OutputFile.js";
import { isBeingWritten } from "./OutputLock.js";
import { writeOutput } from "./writeOutput.js";

let folder: string;
const at = (...names: string[]): string => path.join(folder, ...names);
const text = (file: string): Promise<string> => readFile(file, "utf8");

/** A bag of two splits with its metadata, and a single file. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ditr-outputs-"));
  await mkdir(at("bag"));
  for (const name of ["bag/bag_0.mcap", "bag/bag_1.mcap", "bag/metadata.yaml", "drive.mcap", "old.mcap"]) {
    await writeFile(at(name), name);
  }
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("checkOutputs", () => {
  const check = (output: string, options: { inputs?: string[]; force?: boolean } = {}) => {
    const { inputs = [at("drive.mcap"), at("bag")], force = true } = options;
    return checkOutputs({ inputs, bagFolders: [at("bag")], files: [output], force });
  };
  const refused = (message: string | RegExp) => ({
    code: "output-refused",
    message: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
  });

  test("an input is never an output, by whatever name, and not with --force either", async () => {
    await symlink(at("drive.mcap"), at("symbolic.mcap"));
    await symlink(at("symbolic.mcap"), at("twice.mcap"));
    await link(at("drive.mcap"), at("hard.mcap"));
    await symlink(folder, at("bag", "up"));
    await link(at("bag", "bag_1.mcap"), at("split.mcap"));
    await symlink(at("bag", "metadata.yaml"), at("metadata-link"));
    for (const name of [
      "drive.mcap",
      "symbolic.mcap",
      "twice.mcap",
      "hard.mcap",
      "bag/up/drive.mcap",
      "bag/bag_1.mcap",
      "bag/metadata.yaml",
      "split.mcap",
      "metadata-link",
    ]) {
      for (const force of [false, true]) {
        await expect(check(at(name), { force })).rejects.toMatchObject(
          refused(
            /is (an input of this command|a part of the input .*), which no command changes \(not with --force either\)/,
          ),
        );
      }
    }
    await expect(check(path.relative(process.cwd(), at("drive.mcap")))).rejects.toMatchObject(
      refused("is an input"),
    );
  });

  test("neither is what an output is called while it is written", async () => {
    await writeFile(at("new.mcap.partial"), "of a run that was killed");
    await expect(check(at("new.mcap"), { inputs: [at("new.mcap.partial")] })).rejects.toMatchObject(
      refused("new.mcap.partial is an input"),
    );
  });

  test("nothing new gets into the folder of a bag, of which it would become a part", async () => {
    await symlink(at("bag"), at("same-bag"));
    for (const name of ["bag/labelled.mcap", "same-bag/labelled.mcap", "bag/new/labelled.mcap"]) {
      await expect(check(at(name))).rejects.toMatchObject(refused("lies in the input folder"));
    }
    await check(at("bag-2.mcap"));
    // A data set takes no notice of other files.
    await checkOutputs({ inputs: [at("bag")], files: [at("bag", "drive.mcap")], force: false });
  });

  test("what exists is replaced with --force alone; a folder never", async () => {
    await symlink(at("nowhere"), at("dangling.mcap"));
    for (const name of ["old.mcap", "dangling.mcap"]) {
      await expect(check(at(name), { force: false })).rejects.toMatchObject(
        refused("exists, and is replaced only with --force"),
      );
      await check(at(name), { force: true });
    }
    await mkdir(at("folder.mcap"));
    await expect(check(at("folder.mcap"))).rejects.toMatchObject(refused("folder.mcap is a folder"));
    await check(at("new", "and", "newer.mcap"), { force: false });
    expect(existsSync(at("new"))).toBe(false);
  });

  test("what a killed run left is named, and replaced with --force; what a run writes is not", async () => {
    await writeFile(at("new.mcap.partial"), "of a run that was killed");
    await expect(check(at("new.mcap"), { force: false })).rejects.toMatchObject(
      refused(/new\.mcap\.partial is what a run that was killed left .* --force replaces it/),
    );
    await check(at("new.mcap"), { force: true });
    const other = await OutputFile.create(at("new.mcap"), { force: true });
    for (const force of [false, true]) {
      await expect(check(at("new.mcap"), { force })).rejects.toMatchObject(
        refused("new.mcap is being written by another run"),
      );
    }
    await other.discard();
    await check(at("new.mcap"), { force: false });
  });

  test("places that cannot be written, and outputs that are the same, are refused before anything is done", async () => {
    await expect(check(at("drive.mcap", "new.mcap"))).rejects.toMatchObject({
      code: "bag-unwritable",
      message: expect.stringMatching(/new\.mcap cannot be written: .*drive\.mcap is no folder$/),
    });
    if (process.getuid?.() !== 0) {
      await mkdir(at("read-only"), { mode: 0o555 });
      await expect(check(at("read-only", "new.mcap"))).rejects.toMatchObject({ code: "bag-unwritable" });
    }
    await symlink(folder, at("same"));
    for (const other of [at("same", "new.mcap"), at("new.mcap.partial")]) {
      await expect(
        checkOutputs({ inputs: [], files: [at("new.mcap"), other], force: true }),
      ).rejects.toMatchObject(refused("are the same file"));
    }
    await checkOutputs({ inputs: [], files: [undefined, "/dev/stdout"], force: false });
  });

  test("a folder to fill is empty, or --force is given; it is no input and no file", async () => {
    const fill = (name: string, force: boolean) =>
      checkOutputs({ inputs: [at("bag")], files: [], folders: [at(name)], force });
    await fill("new", false);
    await mkdir(at("full"));
    await writeFile(at("full", "a"), "");
    await expect(fill("full", false)).rejects.toMatchObject(refused("a folder that is not empty"));
    await fill("full", true);
    await expect(fill("old.mcap", true)).rejects.toMatchObject(refused("is a file"));
    for (const name of ["bag", "bag/dump"]) {
      await expect(fill(name, true)).rejects.toMatchObject(refused("lies in the input folder"));
    }
  });
});

describe("OutputFile", () => {
  test("has its name when it is whole; what was there stays until then", async () => {
    const output = await OutputFile.create(at("old.mcap"), { force: true });
    await output.handle.writeFile("new");
    expect(await text(at("old.mcap"))).toBe("old.mcap");
    await output.finish();
    expect(await text(at("old.mcap"))).toBe("new");
    await output.discard();
    expect((await readdir(folder)).sort()).toEqual(["bag", "drive.mcap", "old.mcap"]);
  });

  test("replaces nothing that appears while it is written, and keeps what was written", async () => {
    const output = await OutputFile.create(at("new.mcap"));
    await output.handle.writeFile("written for hours");
    await writeFile(at("new.mcap"), "another's");
    await expect(output.finish()).rejects.toMatchObject({
      code: "output-refused",
      message: expect.stringMatching(/is whole, and named .*new\.mcap\.partial$/),
    });
    await output.discard();
    expect(await text(at("new.mcap"))).toBe("another's");
    expect(await text(at("new.mcap.partial"))).toBe("written for hours");
  });

  test("follows no link and takes over no file of the partial name", async () => {
    await symlink(at("drive.mcap"), at("new.mcap.partial"));
    await expect(OutputFile.create(at("new.mcap"))).rejects.toMatchObject({ code: "output-refused" });
    const output = await OutputFile.create(at("new.mcap"), { force: true });
    await output.handle.writeFile("new");
    await output.finish();
    expect(await text(at("drive.mcap"))).toBe("drive.mcap");
    expect(await text(at("new.mcap"))).toBe("new");
  });

  test("of two at a time the second is refused, with --force too, and by every path to it", async () => {
    await symlink(folder, at("same"));
    const output = await OutputFile.create(at("new.mcap"));
    for (const file of [at("new.mcap"), at("same", "new.mcap")]) {
      await expect(OutputFile.create(file, { force: true })).rejects.toMatchObject({
        code: "output-refused",
        message: expect.stringContaining("is being written by another run"),
      });
    }
    expect(await isBeingWritten(at("new.mcap"))).toBe(true);
    await output.discard();
    expect(await isBeingWritten(at("new.mcap"))).toBe(false);
    expect(existsSync(partialPath(at("new.mcap")))).toBe(false);
  });

  test("touches nothing that took the place of its partial file, and says when its folder has vanished", async () => {
    await mkdir(at("new"));
    const [replaced, gone] = [
      await OutputFile.create(at("new.mcap")),
      await OutputFile.create(at("new", "new.mcap")),
    ];
    await rm(at("new.mcap.partial"));
    await writeFile(at("new.mcap.partial"), "another's");
    await rename(at("new"), at("moved"));
    for (const output of [replaced, gone]) {
      await output.handle.writeFile("new");
      await expect(output.finish()).rejects.toMatchObject({
        code: "bag-unwritable",
        message: expect.stringContaining("was removed or replaced while it was written"),
      });
      await output.discard();
    }
    expect(await text(at("new.mcap.partial"))).toBe("another's");
    expect(existsSync(at("new.mcap"))).toBe(false);
  });
});

test("writeOutput writes all or nothing", async () => {
  await writeOutput(at("new", "summary.json"), "{}");
  expect(await text(at("new", "summary.json"))).toBe("{}");
  await expect(writeOutput(at("new", "summary.json"), "[]")).rejects.toMatchObject({
    code: "output-refused",
  });
  expect(await readdir(at("new"))).toEqual(["summary.json"]);
});

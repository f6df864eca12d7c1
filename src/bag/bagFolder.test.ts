import { copyFile, mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { comparable, exampleMessages, readAll, withFolder, writeBag } from "./exampleBag.js";
import { openBag } from "./openBag.js";

const MESSAGES = exampleMessages(30);
const NAMES = ["drive_9.mcap", "drive_10.mcap", "drive_11.mcap"];
const LENGTH = Math.ceil(MESSAGES.length / NAMES.length);
const partOf = (i: number) => MESSAGES.slice(i * LENGTH, (i + 1) * LENGTH);

const metadata = (files: readonly string[], storage = "mcap"): string => `rosbag2_bagfile_information:
  version: 5
  storage_identifier: ${storage}
  relative_file_paths:
${files.map((file) => `    - ${file}`).join("\n")}
  compression_format: ""
`;

async function writeDrive(folder: string, named: readonly string[] = NAMES): Promise<void> {
  for (const [i, name] of NAMES.entries()) await writeBag(path.join(folder, name), partOf(i));
  await writeFile(path.join(folder, "metadata.yaml"), metadata(named));
}

async function read(folder: string) {
  const reader = await openBag(folder);
  const messages = comparable(await readAll(reader));
  const { warnings } = reader;
  await reader.close();
  return { messages, warnings: warnings.map(({ code, severity, message }) => [code, severity, message]) };
}

test.each([
  ["empty", "", /metadata\.yaml is not rosbag2 metadata/],
  ["zeros", "\0".repeat(4096), /metadata\.yaml is not (YAML|rosbag2 metadata)/],
  ["spaces", " ".repeat(4096), /metadata\.yaml is not rosbag2 metadata/],
  ["cut off", metadata(NAMES).slice(0, 70), /metadata\.yaml is not (YAML|rosbag2 metadata)/],
  [
    "cut in the list",
    `${metadata([]).slice(0, 100)}\n    - "dri`,
    /metadata\.yaml is not (YAML|rosbag2 metadata)/,
  ],
  ["random bytes", "\x89\x1f: [}{", /metadata\.yaml is not (YAML|rosbag2 metadata)/],
  ["of an unknown storage", metadata(NAMES, "acme"), /storage 'acme' is not read/],
])(
  "metadata that are %s cost a warning, and the splits are read in natural order",
  async (_, text, warning) => {
    await withFolder(async (folder) => {
      await writeDrive(folder);
      await writeFile(path.join(folder, "metadata.yaml"), text);
      const { messages, warnings } = await read(folder);
      expect(messages).toEqual(comparable(MESSAGES));
      expect(warnings).toEqual([["bag-unindexed", "warning", expect.stringMatching(warning)]]);
      expect(warnings[0]![2]).toContain(
        "the 3 files beside it (drive_9.mcap, drive_10.mcap, drive_11.mcap) are read instead. `ros2 bag reindex",
      );
    });
  },
);

test("a renamed file is read in the place of the one that is named", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    await rename(path.join(folder, NAMES[1]!), path.join(folder, "renamed.mcap"));
    const { messages, warnings } = await read(folder);
    expect(messages).toEqual(comparable(MESSAGES));
    expect(warnings).toEqual([
      [
        "bag-unindexed",
        "warning",
        `${path.join(folder, "metadata.yaml")} names drive_10.mcap, which is not there; renamed.mcap, which it does not name, is read instead`,
      ],
    ]);
  });
});

test("a missing split is named and counts as a loss; another one does not stand for two", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    await rm(path.join(folder, NAMES[0]!));
    const { messages, warnings } = await read(folder);
    expect(messages).toEqual(comparable(MESSAGES.slice(LENGTH)));
    expect(warnings).toEqual([
      [
        "bag-unreadable",
        "error",
        expect.stringContaining(`${path.join(folder, NAMES[0]!)} cannot be opened`),
      ],
    ]);
    await rename(path.join(folder, NAMES[1]!), path.join(folder, "renamed.mcap"));
    const again = await read(folder);
    expect(again.messages).toEqual(messages);
    expect(again.warnings.map(([code]) => code)).toEqual([
      "bag-unindexed",
      "bag-unreadable",
      "bag-unreadable",
    ]);
  });
});

test("splits that were recorded after the metadata are read too, and other bags in the folder are not", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder, NAMES.slice(0, 2));
    await writeBag(path.join(folder, "labelled.mcap"), partOf(0));
    const { messages, warnings } = await read(folder);
    expect(messages).toEqual(comparable(MESSAGES));
    expect(warnings).toEqual([
      [
        "bag-unindexed",
        "warning",
        expect.stringContaining(
          "does not name drive_11.mcap, which is a split of the recording by name, and is read too",
        ),
      ],
    ]);
    await rm(path.join(folder, NAMES[2]!));
    expect((await read(folder)).warnings).toEqual([]);
  });
});

test("names that lead out of the folder are taken as names in it", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder, ["/etc/drive_9.mcap", "../../drive_10.mcap", "C:\\rec\\drive_11.mcap"]);
    expect(await read(folder)).toEqual({ messages: comparable(MESSAGES), warnings: [] });
  });
});

test("metadata beside data that are damaged too leave both warnings", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    await writeFile(path.join(folder, "metadata.yaml"), "");
    await truncate(path.join(folder, NAMES[1]!), 900);
    const { warnings } = await read(folder);
    expect(warnings.map(([code]) => code)).toEqual(["bag-unindexed", "bag-damaged"]);
    await rm(path.join(folder, "drive_9.mcap"));
    await rm(path.join(folder, "drive_10.mcap"));
    await rm(path.join(folder, "drive_11.mcap"));
    await expect(openBag(folder)).rejects.toMatchObject({
      code: "bag-unreadable",
      message: expect.stringContaining("metadata.yaml is not rosbag2 metadata"),
    });
  });
});

test("a folder with the name of a split costs itself", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    await rm(path.join(folder, NAMES[0]!));
    await mkdir(path.join(folder, NAMES[0]!));
    const { messages, warnings } = await read(folder);
    expect(messages).toEqual(comparable(MESSAGES.slice(LENGTH)));
    expect(warnings).toEqual([
      ["bag-unreadable", "error", expect.stringContaining("cannot be read: EISDIR")],
    ]);
  });
});

test("a split that lies where its path says is read there", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder, ["parts/drive_9.mcap", ...NAMES.slice(1)]);
    await mkdir(path.join(folder, "parts"));
    await rename(path.join(folder, NAMES[0]!), path.join(folder, "parts", NAMES[0]!));
    expect(await read(folder)).toEqual({ messages: comparable(MESSAGES), warnings: [] });
  });
});

test("without metadata, files of two recordings are named, and files that are not read", async () => {
  await withFolder(async (folder) => {
    await writeDrive(folder);
    await rm(path.join(folder, "metadata.yaml"));
    expect(await read(folder)).toEqual({ messages: comparable(MESSAGES), warnings: [] });
    await copyFile(path.join(folder, NAMES[0]!), path.join(folder, "other_0.mcap"));
    await writeFile(path.join(folder, "third_0.db3"), "");
    expect((await read(folder)).warnings).toEqual([
      [
        "bag-unindexed",
        "warning",
        `${folder} has no metadata.yaml that can be used, and its 4 files have the names of 2 recordings (drive, other): ` +
          "all are read as one; name a file to read it alone",
      ],
      [
        "bag-unindexed",
        "warning",
        `${folder} also holds third_0.db3, which is not read beside drive_9.mcap, drive_10.mcap, drive_11.mcap, other_0.mcap; ` +
          "name the file to read it",
      ],
    ]);
  });
});

test("what is near a bag is named: the folder below, the metadata alone, names in capitals are read", async () => {
  await withFolder(async (folder) => {
    const drive = path.join(folder, "drive");
    await mkdir(drive);
    await writeDrive(drive);
    await expect(openBag(folder)).rejects.toMatchObject({
      code: "bag-unreadable",
      message: expect.stringContaining("; drive in it is one: name that"),
    });
    await expect(openBag(path.join(drive, "metadata.yaml"))).rejects.toMatchObject({
      message: expect.stringContaining(
        "is the metadata of a rosbag2 folder; name the folder that it lies in",
      ),
    });
    await rm(path.join(drive, "metadata.yaml"));
    for (const name of NAMES) await rename(path.join(drive, name), path.join(drive, name.toUpperCase()));
    expect(await read(drive)).toEqual({ messages: comparable(MESSAGES), warnings: [] });
  });
});

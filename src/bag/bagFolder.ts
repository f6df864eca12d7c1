import { access, readdir } from "node:fs/promises";
import path from "node:path";
import { Fault } from "../faults/Fault.js";
import { readRosbag2Metadata, type Rosbag2Metadata, withoutZstd } from "./rosbag2Metadata.js";
import { reasonOf } from "../files/systemError.js";

export interface BagFolder {
  /** Paths, in recording order; of those that are named and missing too. */
  readonly files: readonly string[];
  readonly content: Rosbag2Metadata["content"];
  /** What is wrong with the metadata. */
  readonly warnings: readonly Fault[];
}

/** What rosbag2 names its files, the kind that is preferred first. */
const SPLIT_NAMES = [/\.mcap$/i, /\.db3$/i, /\.mcap\.zstd?$/i, /\.db3\.zstd?$/i];

/**
 * The files of a rosbag2 folder: those that metadata.yaml names, or, where it is missing, damaged or does not fit what is
 * there, those that are there.
 * @throws Fault `bag-unreadable` when there are none
 */
export async function findBagFiles(folder: string): Promise<BagFolder> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw new Fault("bag-unreadable", `${folder} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
  const there = splitsAmong(names);
  const inFolder = (files: readonly string[]): string[] => files.map((name) => path.join(folder, name));
  try {
    const metadata = await readRosbag2Metadata(folder);
    if (metadata === undefined) {
      return {
        files: inFolder(there.length > 0 ? there : [await foreignBag(folder, names)]),
        content: undefined,
        warnings: severalRecordings(folder, there, names),
      };
    }
    const { files, warnings } = reconcile(
      path.join(folder, "metadata.yaml"),
      await placesOf(folder, metadata.files, names),
      names,
    );
    return { files: inFolder(files), content: warnings.length > 0 ? undefined : metadata.content, warnings };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "bag-damaged") throw error;
    if (there.length === 0) throw new Fault("bag-unreadable", error.message, { cause: error });
    const warning = new Fault(
      "bag-unindexed",
      `${error.message}; the ${there.length === 1 ? "file" : `${there.length} files`} beside it ` +
        `(${listed(there)}) ${there.length === 1 ? "is" : "are"} read instead. \`ros2 bag reindex ${folder}\` writes it anew`,
      { cause: error },
    );
    const warnings = [warning, ...severalRecordings(folder, there, names)];
    return { files: inFolder(there), content: undefined, warnings };
  }
}

/** By their names alone files of two recordings cannot be told from those of one that two recorders wrote. */
function severalRecordings(
  folder: string,
  read: readonly string[],
  names: readonly string[],
): readonly Fault[] {
  const warn = (message: string): Fault => new Fault("bag-unindexed", `${folder} ${message}`);
  const recordings = [...new Set(read.map(recordingOf))];
  const known = new Set(read.map(withoutZstd));
  const others = names.filter(
    (name) =>
      !name.startsWith(".") &&
      SPLIT_NAMES.some((pattern) => pattern.test(name)) &&
      !known.has(withoutZstd(name)) &&
      // The same recording in another storage.
      !recordings.includes(recordingOf(name)),
  );
  return [
    ...(recordings.length > 1
      ? [
          warn(
            `has no metadata.yaml that can be used, and its ${read.length} files have the names of ${recordings.length} ` +
              `recordings (${listed(recordings)}): all are read as one; name a file to read it alone`,
          ),
        ]
      : []),
    ...(others.length > 0
      ? [
          warn(
            `also holds ${listed(others)}, which ${others.length === 1 ? "is" : "are"} not read beside ` +
              `${listed(read)}; name the file to read it`,
          ),
        ]
      : []),
  ];
}

/** The name of a split without its number. */
function recordingOf(name: string): string {
  return withoutZstd(name)
    .replace(/\.[^.]*$/, "")
    .replace(/[._-]?\d+$/, "");
}

/**
 * Splits lie beside the metadata whatever the paths in them are, which older versions and other machines wrote; only what
 * is not beside them is looked for where its path says.
 * @returns paths below the folder
 */
async function placesOf(
  folder: string,
  paths: readonly string[],
  names: readonly string[],
): Promise<readonly string[]> {
  const present = new Set(names);
  const places = await Promise.all(
    paths.map(async (named) => {
      const name = path.win32.basename(named);
      if (present.has(presentName(name, present))) return name;
      const below = path.relative(folder, path.join(folder, named));
      const isBelow = !path.isAbsolute(named) && !below.startsWith("..");
      return isBelow && (await isThere(path.join(folder, below))) ? below : name;
    }),
  );
  return [...new Set(places)];
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}

/** Recording order of splits is the order of the number in their names: `drive_9.mcap` before `drive_10.mcap`. */
function splitsAmong(names: readonly string[]): readonly string[] {
  for (const pattern of SPLIT_NAMES) {
    const splits = names.filter((name) => pattern.test(name) && !name.startsWith("."));
    if (splits.length > 0) return splits.toSorted(inNaturalOrder);
  }
  return [];
}

const natural = new Intl.Collator("en", { numeric: true });

function inNaturalOrder(a: string, b: string): number {
  return natural.compare(a, b);
}

/** Any other single recording in the folder is opened for the sake of the message that says what it is. */
async function foreignBag(folder: string, names: readonly string[]): Promise<string> {
  const foreign = names.find((name) => name.endsWith(".bag"));
  if (foreign !== undefined) return foreign;
  const below = await bagsBelow(folder, names);
  const hint =
    below.length > 0
      ? `; ${listed(below)} in it ${below.length === 1 ? "is one" : "are some"}: name ${below.length === 1 ? "that" : "one of them"}`
      : "";
  throw new Fault(
    "bag-unreadable",
    `${folder} is not a rosbag2 folder: it holds neither metadata.yaml nor a .mcap or .db3 file${hint}`,
  );
}

/** Folders in the folder that hold recordings. */
async function bagsBelow(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) {
    try {
      if (splitsAmong(await readdir(path.join(folder, name))).length > 0) found.push(name);
    } catch {
      // No folder, or none that may be looked into.
    }
  }
  return found;
}

/** The named files that are there, those that were renamed or recorded after the metadata, and those that are missing. */
function reconcile(
  metadata: string,
  named: readonly string[],
  names: readonly string[],
): { readonly files: readonly string[]; readonly warnings: readonly Fault[] } {
  const present = new Set(names);
  const files = named.map((name) => presentName(name, present));
  // What has a folder in front was looked for there.
  const missing = files.filter((name) => !present.has(name) && path.basename(name) === name);
  const known = new Set(files.map(withoutZstd));
  const unnamed = splitsAmong(names.filter((name) => !known.has(withoutZstd(name))));
  // A result that somebody put beside the recording is no part of it; what has a number among the splits is.
  const more = missing.length > 0 ? unnamed : unnamed.filter((name) => continues(name, files));
  if (more.length === 0) return { files, warnings: [] };
  const all = missing.length <= more.length ? files.filter((name) => !missing.includes(name)) : files;
  const warning = new Fault(
    "bag-unindexed",
    missing.length > 0
      ? `${metadata} names ${listed(missing)}, which ${missing.length === 1 ? "is" : "are"} not there; ` +
          `${listed(more)}, which it does not name, ${more.length === 1 ? "is" : "are"} read instead`
      : `${metadata} does not name ${listed(more)}, which ${more.length === 1 ? "is a split" : "are splits"} of the recording by name, and ` +
          `${more.length === 1 ? "is" : "are"} read too`,
  );
  return { files: [...all, ...more].sort(inNaturalOrder), warnings: [warning] };
}

function presentName(name: string, present: ReadonlySet<string>): string {
  if (present.has(name)) return name;
  const candidates = [withoutZstd(name), `${withoutZstd(name)}.zstd`];
  return candidates.find((candidate) => present.has(candidate)) ?? name;
}

/** Has the name that rosbag2 gives to another split of the same recording? */
function continues(name: string, files: readonly string[]): boolean {
  const parts = (split: string) => /^(.*_)\d+(\..*)$/.exec(withoutZstd(split));
  const own = parts(name);
  return (
    own !== null &&
    files.every((file) => {
      const other = parts(file);
      return other?.[1] === own[1] && other?.[2] === own[2];
    })
  );
}

function listed(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

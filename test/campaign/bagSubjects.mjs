// Bags as files, damaged anywhere, through the reader that every command uses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compress, isLoaded } from "@foxglove/wasm-zstd";
import { McapIndexedReader } from "@mcap/core";
import sqlite3 from "node-sqlite3-wasm";
import { chunkCompressor, chunkDecompressors } from "../../dist/bag/mcap/chunkCompression.js";
import { exampleMessages, mcapBytes } from "../../dist/bag/exampleBag.js";
import { openBag } from "../../dist/bag/openBag.js";
import { isTouched, mutate } from "./mutate.mjs";

/** No two with the same bytes, each recognizable by its time. */
const MESSAGES = exampleMessages(10).map((message, i) => {
  const data = new Uint8Array(message.data.byteLength + 8);
  data.set(message.data);
  const marks = new DataView(data.buffer);
  marks.setUint32(message.data.byteLength, (i * 2654435761) >>> 0);
  marks.setUint32(message.data.byteLength + 4, ((i + 7) * 2246822519) >>> 0);
  return { ...message, data };
});

/** What a message is, in a few bytes. */
function keyOf({ topic, type, logTime, data }) {
  return `${topic} ${type} ${logTime} ${Buffer.from(data).toString("latin1")}`;
}
const KEYS = MESSAGES.map(keyOf);

/**
 * @param {(folder: string) => Promise<{ bytes: Uint8Array, isDamaged: (touched, message: number, kind: string) => boolean, isChecked: boolean }>} makeFile
 *   isChecked: the file has checksums over its messages, so that none may come out altered; `name`: of the damaged file,
 *   which makes the folder the bag
 */
function bagSubject(makeFile) {
  return {
    async create() {
      const folder = mkdtempSync(path.join(tmpdir(), "ditr-campaign-"));
      const { bytes: whole, isDamaged, isChecked, mayInvent = () => false, name } = await makeFile(folder);
      const file = path.join(folder, name ?? "damaged.bag");
      return {
        async run(random) {
          const { kind, bytes, touched } = mutate(whole, random);
          writeFileSync(file, bytes);
          const delivered = new Map();
          const reader = await openBag(name === undefined ? file : folder);
          try {
            for await (const message of reader.messages()) {
              const key = keyOf(message);
              delivered.set(key, (delivered.get(key) ?? 0) + 1);
            }
          } finally {
            await reader.close();
          }
          for (const [key, count] of delivered) {
            if (count > 1 && KEYS.includes(key))
              throw new Error(`a message came ${count} times (${kind}): ${key.slice(0, 60)}`);
            if (isChecked && !KEYS.includes(key) && !mayInvent(touched))
              throw new Error(`an invented message (${kind}): ${key.slice(0, 100)}`);
          }
          const lost = KEYS.filter((key, i) => !delivered.has(key) && !isDamaged(touched, i, kind));
          if (lost.length > 0) {
            throw new Error(
              `${lost.length} undamaged messages were lost after ${kind} at ${JSON.stringify(touched)}: ` +
                `${lost.map((key) => key.split(" ").slice(0, 3).join(" ")).join(", ")}; ${reader.warnings.map(({ message }) => message).join("; ")}`,
            );
          }
          return reader.warnings[0]?.code ?? "accepted";
        },
        close: () => rmSync(folder, { recursive: true }),
      };
    },
  };
}

/** Of a chunk's checksum: behind opcode, length, start and end time, and unpacked size. */
const CRC_OFFSET = 1 + 8 + 8 + 8 + 8;

async function mcap(compression, options) {
  const compressChunk = await chunkCompressor(compression);
  const bytes = await mcapBytes(MESSAGES, {
    chunkSize: 1000,
    ...options,
    ...(compressChunk && { compressChunk }),
  });
  if (options?.useChunks === false) return { bytes, isChecked: false, isDamaged: looseDamage(bytes) };
  const readable = {
    size: async () => BigInt(bytes.length),
    read: async (at, length) => Uint8Array.from(bytes.subarray(Number(at), Number(at + length))),
  };
  const { chunkIndexes } = await McapIndexedReader.Initialize({
    readable,
    decompressHandlers: await chunkDecompressors(),
  });
  const chunks = chunkIndexes.map((chunk) => ({
    start: Number(chunk.chunkStartOffset),
    // With its message index, which has the times and no checksum.
    end: Number(chunk.chunkStartOffset + chunk.chunkLength + chunk.messageIndexLength),
    from: chunk.messageStartTime,
    to: chunk.messageEndTime,
  }));
  const summary = Math.max(...chunks.map(({ end }) => end));
  return {
    bytes,
    isChecked: true,
    // What is left of a last chunk that seems cut off is read without a checksum, and a checksum of 0 says that there is none.
    mayInvent: (touched) =>
      isTouched(touched, chunks.at(-1).start, chunks.at(-1).end) ||
      chunks.some(({ start }) => isTouched(touched, start + CRC_OFFSET, start + CRC_OFFSET + 4)),
    isDamaged(touched, i) {
      const { topic, logTime } = MESSAGES[i];
      const chunkOf = (time) => chunks.find(({ from, to }) => from <= time && time <= to);
      const isBroken = ({ start, end }) => isTouched(touched, start, end);
      if (isTouched(touched, 0, 8)) return true;
      if (isBroken(chunkOf(logTime))) return true;
      // A channel is defined in the chunk of its first message, and again behind the data.
      const definition = chunkOf(MESSAGES.find((message) => message.topic === topic).logTime);
      return isBroken(definition) && isTouched(touched, summary, bytes.length);
    },
  };
}

/** Without chunks a message is as good as the bytes from the definition of its channel on. */
function looseDamage(bytes) {
  const buffer = Buffer.from(bytes);
  const ends = MESSAGES.map(({ data }) => buffer.indexOf(data) + data.length);
  return (touched, i) => isTouched(touched, 0, ends[i]);
}

const PAGE_BYTES = 1024;

function placesOf(bytes, part) {
  const places = [];
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) places.push(at);
  return places;
}

async function sqlite(folder) {
  const file = path.join(folder, "whole.db3");
  const database = new sqlite3.Database(file);
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  database.exec(
    "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL);" +
      "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, data BLOB NOT NULL);",
  );
  const ids = new Map();
  for (const { topic, type, logTime, data } of MESSAGES) {
    if (!ids.has(topic)) {
      ids.set(topic, ids.size + 1);
      database.run("INSERT INTO topics VALUES (?, ?, ?, 'cdr', '')", [ids.get(topic), topic, type]);
    }
    database.run("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", [
      ids.get(topic),
      logTime,
      data,
    ]);
  }
  const roots = database.all("SELECT rootpage FROM sqlite_master").map(({ rootpage }) => rootpage - 1);
  database.close();
  const bytes = readFileSync(file);
  // A short message lies in one leaf, of which there may be stale copies; the other pages hold the trees together.
  const pages = MESSAGES.map(({ data }) =>
    placesOf(bytes, data.subarray(-8)).map((at) => Math.floor(at / PAGE_BYTES)),
  );
  const leaves = new Set(pages.flat());
  for (const root of roots) leaves.delete(root);
  const structure = Array.from({ length: bytes.length / PAGE_BYTES }, (_, page) => page).filter(
    (page) => !leaves.has(page),
  );
  return {
    bytes,
    isChecked: false,
    isDamaged(touched, i, kind) {
      // SQLite finds nothing behind a shift.
      if (kind === "insertion" || kind === "deletion") return true;
      return [...structure, ...pages[i]].some((page) =>
        isTouched(touched, page * PAGE_BYTES, (page + 1) * PAGE_BYTES),
      );
    },
  };
}

async function zstdFile() {
  await isLoaded;
  const plain = await mcap("none", {});
  const bytes = Uint8Array.from(compress(plain.bytes, 1));
  // Behind its first damage a zstd frame makes no sense, and what it unpacks to may be wrong before that shows.
  return { bytes, isChecked: false, isDamaged: (touched) => touched.length > 0 };
}

/** Sound splits; whatever becomes of the metadata beside them, no message may be lost. */
async function splits(folder, isPacked) {
  await isLoaded;
  const length = Math.ceil(MESSAGES.length / 3);
  const files = [];
  for (let i = 0; i < 3; i++) {
    const messages = MESSAGES.slice(i * length, (i + 1) * length);
    const plain = await mcapBytes(messages, { chunkSize: 1000 });
    const name = `drive_${i}.mcap${isPacked ? ".zstd" : ""}`;
    writeFileSync(path.join(folder, name), isPacked ? compress(plain, 1) : plain);
    files.push({ name, messages });
  }
  const topics = new Map(MESSAGES.map(({ topic, type }) => [topic, type]));
  const text = [
    "rosbag2_bagfile_information:",
    "  version: 5",
    "  storage_identifier: mcap",
    `  message_count: ${MESSAGES.length}`,
    "  topics_with_message_count:",
    ...[...topics].flatMap(([topic, type]) => [
      "    - topic_metadata:",
      `        name: ${topic}`,
      `        type: ${type}`,
      "        serialization_format: cdr",
      '        offered_qos_profiles: ""',
      `      message_count: ${MESSAGES.filter((message) => message.topic === topic).length}`,
    ]),
    `  compression_format: "${isPacked ? "zstd" : ""}"`,
    `  compression_mode: "${isPacked ? "FILE" : ""}"`,
    "  relative_file_paths:",
    ...files.map(({ name }) => `    - ${name}`),
    "  files:",
    ...files.flatMap(({ name, messages }) => [
      `    - path: ${name}`,
      "      starting_time:",
      `        nanoseconds_since_epoch: ${messages[0].logTime}`,
      "      duration:",
      `        nanoseconds: ${messages.at(-1).logTime - messages[0].logTime}`,
      `      message_count: ${messages.length}`,
    ]),
  ].join("\n");
  return { name: "metadata.yaml", bytes: Buffer.from(text), isChecked: true, isDamaged: () => false };
}

export const subjects = {
  "MCAP, plain chunks": bagSubject(() => mcap("none", {})),
  "MCAP, lz4 chunks": bagSubject(() => mcap("lz4", {})),
  "MCAP, zstd chunks": bagSubject(() => mcap("zstd", {})),
  "MCAP without chunks": bagSubject(() => mcap("none", { useChunks: false })),
  "rosbag2 .db3": bagSubject(sqlite),
  "MCAP in a zstd file": bagSubject(zstdFile),
  "metadata of splits": bagSubject((folder) => splits(folder, false)),
  "metadata of zstd splits": bagSubject((folder) => splits(folder, true)),
};

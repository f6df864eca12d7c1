import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Fault } from "../../../faults/Fault.js";
import { readColumn, readXyz } from "../../../messages/pointColumns.js";
import { decompressLzf } from "./lzf.js";
import { parsePcd } from "./parsePcd.js";

const HEADER = { stamp: 1n, frameId: "lidar" };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function pcd(entries: Record<string, string>, body: Uint8Array): Uint8Array {
  const all = {
    VERSION: "0.7",
    WIDTH: "2",
    HEIGHT: "1",
    VIEWPOINT: "0 0 0 1 0 0 0",
    POINTS: "2",
    ...entries,
  };
  const lines = ["# .PCD v0.7", ...Object.entries(all).map(([name, value]) => `${name} ${value}`)];
  return Buffer.concat([utf8(`${lines.join("\n")}\n`), body]);
}

const XYZI = { FIELDS: "x y z intensity ring", SIZE: "4 4 4 1 2", TYPE: "F F F U U", COUNT: "1 1 1 1 1" };
const ROWS = [
  [1, 2, 3, 200, 5],
  [-4.5, 0.25, 1e-3, 7, 65_000],
] as const;

function rowBytes(): Uint8Array {
  const view = new DataView(new ArrayBuffer(30));
  for (const [i, row] of ROWS.entries()) {
    for (const axis of [0, 1, 2] as const) view.setFloat32(15 * i + 4 * axis, row[axis], true);
    view.setUint8(15 * i + 12, row[3]);
    view.setUint16(15 * i + 13, row[4], true);
  }
  return new Uint8Array(view.buffer);
}

/** LZF as a plain encoder makes it: runs of one byte as references to the byte before, all else as literals. */
function compress(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let literals: number[] = [];
  const flush = (): void => {
    for (let i = 0; i < literals.length; i += 32) {
      const part = literals.slice(i, i + 32);
      out.push(part.length - 1, ...part);
    }
    literals = [];
  };
  for (let at = 0; at < bytes.length;) {
    let run = 0;
    while (at > 0 && run < 264 && at + run < bytes.length && bytes[at + run] === bytes[at - 1]) run++;
    if (run < 3) {
      literals.push(bytes[at++]!);
      continue;
    }
    flush();
    if (run < 9) out.push((run - 2) << 5, 0);
    else out.push(7 << 5, run - 9, 0);
    at += run;
  }
  flush();
  return Uint8Array.from(out);
}

function compressedBody(rows: Uint8Array, step: number, sizes: readonly number[]): Uint8Array {
  const columns: number[] = [];
  let offset = 0;
  for (const size of sizes) {
    for (let at = 0; at < rows.length; at += step)
      columns.push(...rows.subarray(at + offset, at + offset + size));
    offset += size;
  }
  const compressed = compress(Uint8Array.from(columns));
  const sizesBytes = new Uint8Array(Uint32Array.of(compressed.length, rows.length).buffer);
  return Buffer.concat([sizesBytes, compressed]);
}

test.each([
  ["ascii", utf8(ROWS.map((row) => row.join(" ")).join("\n"))],
  ["binary", rowBytes()],
  ["binary with a filled up page", Buffer.concat([rowBytes(), new Uint8Array(99)])],
  ["binary_compressed", compressedBody(rowBytes(), 15, [4, 4, 4, 1, 2])],
])("reads %s", (encoding, body) => {
  const { cloud, misplaced } = parsePcd(HEADER, pcd({ ...XYZI, DATA: encoding.split(" ")[0]! }, body));
  expect(misplaced).toBeUndefined();
  expect([...readXyz(cloud)]).toEqual(ROWS.flatMap(([x, y, z]) => [x, y, Math.fround(z)]));
  expect([...readColumn(cloud, "intensity", new Uint32Array(2))]).toEqual([200, 7]);
  expect([...readColumn(cloud, "ring", new Uint32Array(2))]).toEqual([5, 65_000]);
  expect(cloud).toMatchObject({ width: 2, height: 1, pointStep: 15, rowStep: 30, header: HEADER });
});

test("keeps organized clouds, missing values and array fields", () => {
  const entries = {
    FIELDS: "x y z n",
    SIZE: "4 4 4 8",
    TYPE: "F F F F",
    COUNT: "1 1 1 2",
    WIDTH: "1",
    HEIGHT: "2",
  };
  const { cloud } = parsePcd(HEADER, pcd({ ...entries, DATA: "ascii" }, utf8("nan 1 2 3 4\n-inf 5 6 7 8\n")));
  expect(cloud).toMatchObject({ width: 1, height: 2, rowStep: 28, isDense: false });
  expect([...readXyz(cloud)]).toEqual([NaN, 1, 2, -Infinity, 5, 6]);
  expect(cloud.fields[3]).toEqual({ name: "n", offset: 12, datatype: 8, count: 2 });
});

test("places fields as C++ does when the counts of padding are wrong", () => {
  const entries = {
    FIELDS: "x y z _ intensity _ timestamp _ ring _",
    SIZE: "4 4 4 1 4 1 8 1 2 1",
    TYPE: "F F F U F U F U U U",
  };
  const body = new Uint8Array(96);
  const offsets = (count: string): unknown => {
    const { cloud, misplaced } = parsePcd(HEADER, pcd({ ...entries, COUNT: count, DATA: "binary" }, body));
    return [misplaced, cloud.pointStep, ...cloud.fields.map(({ offset }) => offset)];
  };
  expect(offsets("1 1 1 4 1 4 1 0 1 14")).toEqual([undefined, 48, 0, 4, 8, 16, 24, 32]);
  expect(offsets("1 1 1 4 1 0 1 6 1 12")).toEqual(["timestamp", 48, 0, 4, 8, 16, 24, 32]);
});

test.each<[RegExp, Record<string, string>, Uint8Array?]>([
  [/it has 29 bytes of points instead of 2 x 15 = 30/, {}, rowBytes().subarray(0, 29)],
  [/it has 9 numbers for 2 points of 5/, { DATA: "ascii" }, utf8("1 2 3 4 5 6 7 8 9")],
  [/'one' is not a number/, { DATA: "ascii" }, utf8("1 2 3 4 5 6 7 8 9 one")],
  [/it ends before its compressed points/, { DATA: "binary_compressed" }, utf8("abc")],
  [
    /for 77 bytes of points, the header needs 30/,
    { DATA: "binary_compressed" },
    new Uint8Array(Uint32Array.of(1, 77).buffer),
  ],
  [
    /compressed points are damaged/,
    { DATA: "binary_compressed" },
    new Uint8Array(Uint32Array.of(4, 30, 0x20202020).buffer),
  ],
  [/DATA must be ascii, binary or binary_compressed, it is 'zip'/, { DATA: "zip" }],
  [/POINTS is 3, WIDTH x HEIGHT is 2 x 1/, { POINTS: "3" }],
  [/POINTS is 0/, { POINTS: "0", WIDTH: "0" }],
  [/SIZE must be 5 whole numbers up to 8, it is '4 4'/, { SIZE: "4 4" }],
  [/WIDTH must be 1 whole numbers up to 100000000, it is '-2'/, { WIDTH: "-2" }],
  [/TYPE must be I, U, F or B for each field, it has 'Q'/, { TYPE: "F F F Q U" }],
  [
    /it has no field x that can be read; its fields are x \(I, 3 bytes\), y/,
    { TYPE: "I F F U U", SIZE: "3 4 4 1 3" },
  ],
])("refuses %p", (message, entries, body = rowBytes()) => {
  expect(() => parsePcd(HEADER, pcd({ ...XYZI, DATA: "binary", ...entries }, body))).toThrow(message);
});

test.each(["ascii", "binary", "binary_compressed"])(
  "reads every type and size that there is, %s",
  (encoding) => {
    const types = ["I1", "I2", "I4", "I8", "U1", "U2", "U4", "U8", "F4", "F8", "B1", "F2"];
    const names = types.map((type) => `v_${type}`);
    const fields = {
      FIELDS: ["x", "y", "z", ...names].join(" "),
      SIZE: ["4", "4", "4", ...types.map((type) => type[1]!)].join(" "),
      TYPE: ["F", "F", "F", ...types.map((type) => type[0]!)].join(" "),
      WIDTH: "1",
      POINTS: "1",
      DATA: encoding,
    };
    const sizes = fields.SIZE.split(" ").map(Number);
    const row = new DataView(new ArrayBuffer(sizes.reduce((sum, size) => sum + size)));
    let at = 12;
    for (const type of types) {
      if (type === "F4") row.setFloat32(at, 1, true);
      else if (type === "F8") row.setFloat64(at, 1, true);
      else row.setUint8(at, 1);
      at += Number(type[1]);
    }
    const bytes = new Uint8Array(row.buffer);
    const body = {
      ascii: utf8(`0 0 0 ${types.map(() => "1").join(" ")}`),
      binary: bytes,
      binary_compressed: compressedBody(bytes, bytes.length, sizes),
    }[encoding]!;
    const { cloud, leftOut } = parsePcd(HEADER, pcd(fields, body));
    expect(leftOut).toEqual(["v_I8 (I, 8 bytes)", "v_U8 (U, 8 bytes)", "v_F2 (F, 2 bytes)"]);
    const read = names.filter((name) => !/[IU]8|F2/.test(name));
    expect(cloud.fields.map(({ name }) => name)).toEqual(["x", "y", "z", ...read]);
    expect(read.map((name) => readColumn(cloud, name, new Float64Array(1))[0])).toEqual(read.map(() => 1));
  },
);

test("a viewpoint is told unless it is none", () => {
  const viewpoint = (VIEWPOINT: string): unknown =>
    parsePcd(HEADER, pcd({ ...XYZI, DATA: "binary", VIEWPOINT }, rowBytes())).viewpoint;
  expect(viewpoint("0 0 0 1 0 0 0")).toBeUndefined();
  expect(viewpoint("0 0 0 0 0 0 0")).toBeUndefined();
  expect(viewpoint("0 0 1.5 1 0 0 0")).toEqual([0, 0, 1.5, 1, 0, 0, 0]);
  expect(viewpoint("0 0 0 0.7 0 0 0.7")).toEqual([0, 0, 0, 0.7, 0, 0, 0.7]);
});

test("refuses what is no PCD file", () => {
  expect(() => parsePcd(HEADER, utf8("ply\n"))).toThrow("it is no PCD file: there is no line DATA");
});

test("LZF: decompresses what was compressed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 400 })), { maxLength: 20 }),
      (runs) => {
        const bytes = Uint8Array.from(runs.flatMap(([byte, length]) => Array<number>(length).fill(byte)));
        expect(Buffer.from(decompressLzf(compress(bytes), bytes.length)).equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
  // "abcabcabcd": three literals, a reference of 6 to 3 bytes before, a literal.
  const text = decompressLzf(Uint8Array.of(2, 97, 98, 99, 4 << 5, 2, 0, 100), 10);
  expect(new TextDecoder().decode(text)).toBe("abcabcabcd");
});

test("damaged files are faults, never anything else", () => {
  const whole = pcd({ ...XYZI, DATA: "binary_compressed" }, compressedBody(rowBytes(), 15, [4, 4, 4, 1, 2]));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
      const damaged = Uint8Array.from(whole);
      damaged[at] = byte;
      try {
        const { cloud } = parsePcd(HEADER, damaged.subarray(0, length));
        expect(cloud.data.length).toBe(cloud.rowStep * cloud.height);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
    { numRuns: 2000 },
  );
});

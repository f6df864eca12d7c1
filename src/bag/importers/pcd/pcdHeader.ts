import { Fault } from "../../../faults/Fault.js";

export type PcdEncoding = "ascii" | "binary" | "binary_compressed";

/** A column of a PCD file; PCL gives padding the name "_". */
export interface PcdField {
  readonly name: string;
  /** Bytes of one element. */
  readonly size: number;
  /** Signed, unsigned, floating point, true or false (PCL 1.13). */
  readonly type: "I" | "U" | "F" | "B";
  readonly count: number;
}

/** https://pointclouds.org/documentation/tutorials/pcd_file_format.html, version 0.7 */
export interface PcdHeader {
  readonly fields: readonly PcdField[];
  readonly width: number;
  readonly height: number;
  readonly points: number;
  /** Pose of the scanner, tx ty tz qw qx qy qz, where it is not the identity. */
  readonly viewpoint: readonly number[] | undefined;
  readonly encoding: PcdEncoding;
  /** Where the points start in the file. */
  readonly dataOffset: number;
}

/** Longer headers are those of other files. */
const MAXIMUM_HEADER_BYTES = 65_536;
/** More points than a scan has: a damaged header must not take memory. */
const MAXIMUM_POINTS = 100_000_000;

/** @throws Fault `data-set-unreadable` that names the entry and its value */
export function parsePcdHeader(file: Uint8Array): PcdHeader {
  const head = new TextDecoder("latin1").decode(file.subarray(0, MAXIMUM_HEADER_BYTES));
  const data = /^DATA[ \t]+(\S+)[ \t]*\r?\n/m.exec(head);
  if (data === null) throw unreadable("it is no PCD file: there is no line DATA");
  const [line, encoding] = data;
  if (encoding !== "ascii" && encoding !== "binary" && encoding !== "binary_compressed") {
    throw unreadable(`DATA must be ascii, binary or binary_compressed, it is '${encoding!}'`);
  }
  const entries = new Map(
    head
      .slice(0, data.index)
      .split("\n")
      .filter((text) => !text.startsWith("#"))
      .map((text) => text.trim().split(/\s+/))
      .map(([name, ...values]) => [name, values]),
  );
  const names = entries.get("FIELDS") ?? [];
  if (names.length === 0) throw unreadable("FIELDS names no field");
  const sizes = wholeNumbers(entries, "SIZE", names.length);
  const counts = entries.has("COUNT") ? wholeNumbers(entries, "COUNT", names.length) : names.map(() => 1);
  const types = entries.get("TYPE") ?? [];
  const [width] = wholeNumbers(entries, "WIDTH", 1);
  const [height] = entries.has("HEIGHT") ? wholeNumbers(entries, "HEIGHT", 1) : [1];
  const [points] = entries.has("POINTS") ? wholeNumbers(entries, "POINTS", 1) : [width! * height!];
  if (points !== width! * height! || points === 0 || points > MAXIMUM_POINTS) {
    throw unreadable(`POINTS is ${points!}, WIDTH x HEIGHT is ${width!} x ${height!}`);
  }
  return {
    fields: names.map((name, i) => ({ name, size: sizes[i]!, type: fieldType(types[i]), count: counts[i]! })),
    width: width!,
    height: height!,
    points,
    viewpoint: viewpointOf(entries.get("VIEWPOINT")),
    encoding,
    dataOffset: data.index + line.length,
  };
}

function fieldType(type: string | undefined): PcdField["type"] {
  if (type === "I" || type === "U" || type === "F" || type === "B") return type;
  throw unreadable(`TYPE must be I, U, F or B for each field, it has '${type ?? ""}'`);
}

const NO_VIEWPOINT = [0, 0, 0, 1, 0, 0, 0];

/** Undefined where there is none, or none that says anything: many writers leave all numbers 0. */
function viewpointOf(values: readonly string[] | undefined): readonly number[] | undefined {
  const numbers = values?.map(Number);
  if (numbers?.length !== NO_VIEWPOINT.length || !numbers.every(Number.isFinite)) return undefined;
  const isSame = numbers.every((number, i) => i === 3 || Math.abs(number) < 1e-9);
  return isSame ? undefined : numbers;
}

function wholeNumbers(
  entries: ReadonlyMap<string | undefined, readonly string[]>,
  name: string,
  count: number,
): readonly number[] {
  const values = entries.get(name) ?? [];
  const numbers = values.map(Number);
  const largest = name === "SIZE" ? 8 : MAXIMUM_POINTS;
  if (numbers.length !== count || !numbers.every((n) => Number.isInteger(n) && n >= 0 && n <= largest)) {
    throw unreadable(`${name} must be ${count} whole numbers up to ${largest}, it is '${values.join(" ")}'`);
  }
  return numbers;
}

function unreadable(message: string): Fault {
  return new Fault("data-set-unreadable", message);
}

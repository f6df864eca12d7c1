import { readFile } from "node:fs/promises";
import { Fault } from "../../faults/Fault.js";
import { isMissing } from "../../files/systemError.js";
import { DATA_MARK, PAGE_PLACES } from "../../scene/pagePlaces.js";
import type { Scene } from "./SceneBuilder.js";

/** Made by the build from src/page. */
const PAGE = new URL("../../page/report.html", import.meta.url);

/** The page that the build makes, without data. */
export async function readPage(): Promise<string> {
  try {
    return await readFile(PAGE, "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Fault(
      "invalid-configuration",
      "the page of reports is not built: npm run build makes dist/page/report.html, npm run build:page alone only that",
    );
  }
}

/** One HTML file with everything in it, which opens from a disk without a network. */
export function fillPage(page: string, { index, scans, images }: Scene): Uint8Array {
  const [head, tail, ...more] = page.split(DATA_MARK);
  if (head === undefined || tail === undefined || more.length > 0) {
    throw new Error(`the built page has no place, or several, for its data: ${DATA_MARK}`);
  }
  const parts: Buffer[] = [Buffer.from(head)];
  // "<" would let a name in the bag end the element.
  parts.push(element(PAGE_PLACES.index, JSON.stringify(index).replaceAll("<", "\\u003c")));
  scans.forEach((packed, place) => parts.push(element(PAGE_PLACES.scan(place), base64(packed))));
  images.forEach((file, image) => parts.push(element(PAGE_PLACES.image(image), base64(file))));
  parts.push(Buffer.from(tail));
  return Buffer.concat(parts);
}

function element(id: string, text: string): Buffer {
  return Buffer.from(`<script type="text/plain" id="${id}">${text}</script>\n`);
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

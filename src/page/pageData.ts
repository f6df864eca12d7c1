import { PAGE_PLACES } from "../scene/pagePlaces.js";
import type { SceneIndex } from "../scene/SceneIndex.js";

export function readIndex(): SceneIndex {
  return JSON.parse(textOf(PAGE_PLACES.index)) as SceneIndex;
}

/** Bytes that the page holds in base64. */
export function readBytes(id: string): Uint8Array<ArrayBuffer> {
  const binary = atob(textOf(id));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function textOf(id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (text === undefined) throw new Error(`the page has no data "${id}": it is not whole`);
  return text;
}

import { Fault, type MessagePlace } from "../../faults/Fault.js";
import type { BagReader } from "../types.js";

/** Messages of a topic that are tried until one can be decoded. */
const ATTEMPTS = 5;

/** The first message that can be decoded, and a warning for each before it, and for what of it was not believed. */
export async function firstMessage<T>(
  reader: BagReader,
  topic: string,
  decode: (cdr: Uint8Array) => T,
  warnings: Fault[],
): Promise<T | undefined> {
  let attempts = 0;
  for await (const { data, logTime } of reader.messages({ topics: [topic] })) {
    const message = decoded(() => decode(data), { topic, logTime }, warnings);
    for (const oddity of odditiesOf(message))
      warnings.push(new Fault("redundant-field", oddity).at({ topic, logTime }));
    attempts++;
    if (message !== undefined || attempts === ATTEMPTS) return message;
  }
  return undefined;
}

function odditiesOf(message: unknown): readonly string[] {
  return (message as { readonly oddities?: readonly string[] } | undefined)?.oddities ?? [];
}

/** The result, or undefined and a warning when the message is malformed. */
export function decoded<T>(decode: () => T, place: MessagePlace, warnings: Fault[]): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    warnings.push(error.at(place));
    return undefined;
  }
}

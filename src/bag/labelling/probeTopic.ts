import { Fault, type MessagePlace } from "../../faults/Fault.js";
import type { BagMessage, BagReader } from "../types.js";

/** Messages, and bytes of messages, of a topic that are tried until one can be used. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 200_000_000;

export interface Probe<T> {
  /** The first that can be used; else the first that can be decoded, if any. */
  readonly found: T | undefined;
  /** Those that were looked at. */
  readonly tried: number;
  /** What is wrong with the first one that cannot be decoded, with how many others there are. */
  readonly fault: Fault | undefined;
  /** What of the one that was found contradicts itself and was not believed. */
  readonly oddities: readonly Fault[];
}

/**
 * Looks for the first message of a topic that can be used; those before it cost nothing but themselves.
 *
 * @param decode throws a Fault for a message that cannot be decoded
 * @param isUsable is more wanted of a message than that it can be decoded?
 */
export async function probeTopic<T>(
  reader: BagReader,
  { topic, type }: { readonly topic: string; readonly type: string },
  decode: (message: BagMessage) => T,
  isUsable: (message: T) => boolean = () => true,
): Promise<Probe<T>> {
  const faults = new FirstFault();
  let found: T | undefined;
  let place: MessagePlace = { topic };
  let tried = 0;
  let bytes = 0;
  for await (const message of reader.messages({ topics: [topic] })) {
    // A topic can have messages of two types.
    if (message.type !== type) continue;
    const { data, logTime } = message;
    tried++;
    bytes += data.byteLength;
    const decoded = faults.catch(() => decode(message), { topic, logTime });
    if (decoded !== undefined) {
      const usable = isUsable(decoded);
      if (usable || found === undefined) {
        found = decoded;
        place = { topic, logTime };
      }
      if (usable) break;
    }
    if (tried === MAX_MESSAGES || bytes > MAX_BYTES) break;
  }
  const oddities = odditiesOf(found).map((oddity) => new Fault("redundant-field", oddity).at(place));
  return { found, tried, fault: faults.fault, oddities };
}

function odditiesOf(message: unknown): readonly string[] {
  return (message as { readonly oddities?: readonly string[] } | undefined)?.oddities ?? [];
}

/** Many messages of a topic can have the same trouble: it is told once, with their number. */
export class FirstFault {
  #first: Fault | undefined;
  #count = 0;

  /** The result, or undefined when a Fault is thrown. */
  catch<T>(decode: () => T, place: MessagePlace): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#first ??= error.at(place);
      this.#count++;
      return undefined;
    }
  }

  get fault(): Fault | undefined {
    if (this.#first === undefined || this.#count === 1) return this.#first;
    const { code, severity, message, place } = this.#first;
    return new Fault(code, `${message} (and ${this.#count - 1} more messages of the topic like it)`, {
      cause: this.#first,
      severity,
      ...(place && { place }),
    });
  }
}

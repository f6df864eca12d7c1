import type { MessageReference, SentFrame } from "./preparationProtocol.js";
import type { ScanFrame } from "./ScanFrame.js";

/** The other end of SentMessages: the messages that frames may still refer to. */
export class KeptMessages {
  readonly #messages = new Map<number, Uint8Array<ArrayBuffer>>();

  /** The frame with its messages; call once for each frame, in their order. */
  receive({ sources, images, forgotten, ...frame }: SentFrame): ScanFrame {
    const received: ScanFrame = {
      ...frame,
      sources: sources.map(({ message, ...source }) => ({ ...source, cdr: this.#take(message) })),
      images: images.map(({ message, ...image }) => ({ ...image, cdr: this.#take(message) })),
    };
    for (const id of forgotten) this.#messages.delete(id);
    return received;
  }

  get size(): number {
    return this.#messages.size;
  }

  #take({ id, cdr }: MessageReference): Uint8Array<ArrayBuffer> {
    if (cdr !== undefined) this.#messages.set(id, cdr);
    return this.#messages.get(id)!;
  }
}

import { Fault } from "../../faults/Fault.js";
import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { LABEL_INFO_TYPE } from "../../messages/labelInfo.js";
import { decodeTFMessage, encodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { TransformStamped } from "../../messages/types.js";
import { BLOCK } from "./MessageRing.js";

/** A message that still holds when what is recorded begins. */
export interface StandingMessage {
  readonly topic: string;
  readonly type: string;
  readonly cdr: Uint8Array<ArrayBuffer>;
}

/** No robot has more; a peer that sends ever new frames must not fill the memory. */
const MAX_TRANSFORMS = 1000;
/** A message of these types is a few hundred bytes; larger ones are not kept. */
const MAX_BYTES = BLOCK;

/** Is this a topic of transforms that hold for all time? */
export function isStaticTf(topic: string, type: string): boolean {
  return type === TF_MESSAGE_TYPE && /(^|\/)tf_static$/.test(topic);
}

/**
 * What was said once and holds on: static transforms, LabelInfo and CameraInfo. Without them a recording of the last
 * seconds could not be played. Static transforms of several publishers become one message.
 */
export class StandingMessages {
  readonly #last = new Map<string, StandingMessage>();
  /** By topic, then by child frame. */
  readonly #transforms = new Map<string, Map<string, TransformStamped>>();

  /** Takes a message over that leaves the ring; later ones replace what they speak of. */
  add(topic: string, type: string, cdr: Uint8Array): void {
    if (cdr.byteLength >= MAX_BYTES) return;
    if (isStaticTf(topic, type)) this.#addTransforms(topic, cdr);
    else if (type === LABEL_INFO_TYPE || type === CAMERA_INFO_TYPE) {
      this.#last.set(topic, { topic, type, cdr: Uint8Array.from(cdr) });
    }
  }

  /** In buffers of the caller's own, which may be transferred. */
  messages(): StandingMessage[] {
    const transforms = [...this.#transforms].map(([topic, byChild]) => ({
      topic,
      type: TF_MESSAGE_TYPE,
      cdr: encodeTFMessage({ transforms: [...byChild.values()] }),
    }));
    const last = [...this.#last.values()].map((message) => ({
      ...message,
      cdr: Uint8Array.from(message.cdr),
    }));
    return [...transforms, ...last];
  }

  #addTransforms(topic: string, cdr: Uint8Array): void {
    const byChild = this.#transforms.get(topic) ?? new Map<string, TransformStamped>();
    this.#transforms.set(topic, byChild);
    for (const transform of transformsOf(cdr)) {
      const known = byChild.has(transform.childFrameId);
      if (known || byChild.size < MAX_TRANSFORMS) byChild.set(transform.childFrameId, transform);
    }
  }
}

/** Garbage is in the ring as it came, and the node has said so; it holds nothing that could stand. */
function transformsOf(cdr: Uint8Array): readonly TransformStamped[] {
  try {
    return decodeTFMessage(cdr).transforms;
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

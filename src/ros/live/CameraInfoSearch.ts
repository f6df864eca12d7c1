import { Fault } from "../../faults/Fault.js";
import { decodeCameraInfo } from "../../messages/cameraInfo.js";
import type { RosNode } from "../port/RosNode.js";
import { CameraInfoSubscription } from "./CameraInfoSubscription.js";

/** Topics that a message of is looked at. */
const MAX_TOPICS = 32;

/** What a CameraInfo is for. */
interface Subject {
  readonly frame: string;
  readonly size: string;
}

/** Looks at one CameraInfo of topics that the node does not use, to tell which camera each is of. */
export class CameraInfoSearch {
  readonly #ros: RosNode;
  readonly #subscriptions = new Map<string, CameraInfoSubscription>();
  readonly #found = new Map<string, Subject>();
  #closed = false;

  constructor(ros: RosNode) {
    this.#ros = ros;
  }

  /** Each is listened to until its first message; what was looked at before is not again. */
  lookAt(topics: readonly string[]): void {
    for (const topic of topics) {
      if (this.#closed || this.#subscriptions.size >= MAX_TOPICS) return;
      if (this.#subscriptions.has(topic)) continue;
      const onMessage = (cdr: Uint8Array): void => {
        this.#receive(topic, cdr);
      };
      this.#subscriptions.set(topic, new CameraInfoSubscription(this.#ros, topic, onMessage));
    }
  }

  /** "CameraInfo of the images' frame 'camera' is on /a (640x480)", or else all with what they are for, as far as known. */
  listed(topics: readonly string[], frame: string | undefined): string {
    const ofFrame = topics.filter((topic) => frame !== undefined && this.#found.get(topic)?.frame === frame);
    if (ofFrame.length > 0) {
      const places = ofFrame.map((topic) => `${topic} (${this.#found.get(topic)!.size} pixels)`);
      return `CameraInfo of the images' frame '${frame}' is on ${places.join(", ")}`;
    }
    const places = topics.map((topic) => {
      const found = this.#found.get(topic);
      return found === undefined ? topic : `${topic} (frame '${found.frame}', ${found.size} pixels)`;
    });
    return `CameraInfo is on ${places.join(", ")}`;
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions.values()) subscription.destroy();
  }

  #receive(topic: string, cdr: Uint8Array): void {
    try {
      const { header, width, height } = decodeCameraInfo(cdr);
      this.#found.set(topic, { frame: header.frameId, size: `${width}x${height}` });
    } catch (error) {
      // One that cannot be read is no candidate; what is used reports its own.
      if (!(error instanceof Fault)) throw error;
    }
    // Not in its own callback.
    setImmediate(() => {
      if (!this.#closed) this.#subscriptions.get(topic)?.destroy();
    });
  }
}

import type { MessageTypeName } from "../messages/messageTypes.js";
import { MESSAGE_TYPES } from "../messages/messageTypes.js";

type MessageOf<T extends MessageTypeName> = ReturnType<(typeof MESSAGE_TYPES)[T]["decode"]>;

/** A message on its way into a bag, before it is CDR. */
export type RecordedMessage = {
  [T in MessageTypeName]: {
    readonly topic: string;
    readonly type: T;
    /** Nanoseconds; the time under which it is recorded. */
    readonly stamp: bigint;
    readonly message: MessageOf<T>;
  };
}[MessageTypeName];

/** The CDR bytes of the message. */
export function encodeRecorded({ type, message }: RecordedMessage): Uint8Array<ArrayBuffer> {
  // The union pairs each message with its own type, which the compiler cannot follow through the table.
  const encode = MESSAGE_TYPES[type].encode as (
    message: RecordedMessage["message"],
  ) => Uint8Array<ArrayBuffer>;
  return encode(message);
}

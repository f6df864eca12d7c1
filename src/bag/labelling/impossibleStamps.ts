import { Fault } from "../../faults/Fault.js";
import { decodeHeader, withPossibleStamp } from "../../messages/header.js";
import { decodeTFMessage, TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { BagMessage } from "../types.js";
import { UNREADABLE } from "./IndexedTopic.js";

/**
 * The stamp that a message goes by, nanoseconds: of several transforms the latest, UNREADABLE where there are none.
 * @param byLog the log time stands in for the stamp, which may then be impossible
 * Throws a Fault `malformed-message`, with the option that mends it where only the stamp is impossible.
 */
export function stampOf(message: BagMessage, byLog: boolean): bigint {
  if (byLog) {
    ownStamp(message, true);
    return message.logTime;
  }
  try {
    return ownStamp(message, false);
  } catch (error) {
    if (!(error instanceof Fault) || !isReadable(message)) throw error;
    throw withAdvice(error, message.topic);
  }
}

/**
 * Decodes a message that starts with a header, as `stampOf` reads its stamp.
 * Throws a Fault `malformed-message`, with the option that mends it where only the stamp is impossible.
 */
export function decodeStamped<T>(
  message: BagMessage,
  byLog: boolean,
  decode: (cdr: Uint8Array<ArrayBuffer>) => T,
): T {
  const { data, logTime, topic } = message;
  try {
    return decode(byLog ? withPossibleStamp(data, logTime) : data);
  } catch (error) {
    if (!(error instanceof Fault) || byLog || impossibleStamp(message) === undefined) throw error;
    throw withAdvice(error, topic);
  }
}

/** What to say of a message whose stamp is impossible where it is not needed; undefined when it is sound. */
export function impossibleStamp(message: BagMessage): Fault | undefined {
  try {
    ownStamp(message, false);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault) || !isReadable(message)) return undefined;
    const sentence = `${error.message} The stamp is not needed, and the message is used.`;
    return new Fault(error.code, sentence, { cause: error, severity: "warning" });
  }
}

function withAdvice(fault: Fault, topic: string): Fault {
  const sentence = `${fault.message} Log times can be taken in place of stamps: --stamp-by-log ${topic}`;
  return new Fault(fault.code, sentence, { cause: fault, severity: fault.severity });
}

function isReadable(message: BagMessage): boolean {
  try {
    ownStamp(message, true);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

function ownStamp({ type, data }: BagMessage, anyStamp: boolean): bigint {
  if (type !== TF_MESSAGE_TYPE) return decodeHeader(data, { anyStamp }).stamp;
  let latest = UNREADABLE;
  for (const { header } of decodeTFMessage(data, { anyStamp }).transforms) {
    if (header.stamp > latest) latest = header.stamp;
  }
  return latest;
}

/**
 * What can go wrong with an input. Each code has one counter in summaries and diagnostics, so that a
 * user can tell one broken message from a broken set-up.
 */
export type FaultCode =
  | "malformed-message"
  | "unsupported-encoding"
  | "image-decoding-failed"
  | "camera-info-mismatch"
  | "camera-info-missing"
  | "transform-missing"
  | "bad-bundle"
  | "bag-unreadable"
  | "bag-unwritable"
  | "data-set-unreadable"
  | "invalid-configuration"
  | "provider-unavailable"
  | "inference-failed";

/**
 * An expected failure: bad input, set-up or data. The message is one sentence for the user that names
 * the topic or file, and the bad value against what was allowed. Anything else that is thrown is a
 * defect of this program and must not be swallowed.
 */
export class Fault extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "Fault";
    this.code = code;
  }

  /** The same fault with its place (topic, file, stamp) put in front of the message. */
  at(place: string): Fault {
    return new Fault(this.code, `${place}: ${this.message}`, { cause: this });
  }
}

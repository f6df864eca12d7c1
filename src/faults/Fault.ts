import type { FaultCode, Severity } from "./faultTable.js";
import { FAULTS } from "./faultTable.js";

export type { FaultCode, Severity } from "./faultTable.js";

/** The message that a fault is about. */
export interface MessagePlace {
  readonly topic: string;
  /** Nanoseconds: the header's stamp, where it could be read. */
  readonly stamp?: bigint;
  /** Nanoseconds: when the message was recorded. */
  readonly logTime?: bigint;
}

export interface FaultOptions {
  readonly cause?: unknown;
  /** Instead of the code's own, where the same problem costs more than usual. */
  readonly severity?: Severity;
  readonly place?: MessagePlace;
}

/**
 * An expected failure: bad input, set-up or data. The message is one sentence for the user that names
 * the topic or file, and the bad value against what was allowed. Anything else that is thrown is a
 * defect of this program and must not be swallowed.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly severity: Severity;
  /** The message that the fault is about, once someone who knew it has said so. */
  readonly place: MessagePlace | undefined;

  constructor(code: FaultCode, message: string, { cause, severity, place }: FaultOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.code = code;
    this.severity = severity ?? FAULTS[code].severity;
    this.place = place;
  }

  /** The same fault with its place (a topic and time, or a file) put in front of the message. */
  at(place: string | MessagePlace): Fault {
    const { code, severity } = this;
    if (typeof place !== "string") {
      return new Fault(code, `${describePlace(place)}: ${this.message}`, { cause: this, severity, place });
    }
    return new Fault(code, `${place}: ${this.message}`, {
      cause: this,
      severity,
      ...(this.place && { place: this.place }),
    });
  }

  /** The same fault where it cost a scan or the whole run. */
  asError(): Fault {
    const { code, message, place } = this;
    return new Fault(code, message, { cause: this, severity: "error", ...(place && { place }) });
  }
}

function describePlace({ topic, stamp, logTime }: MessagePlace): string {
  if (stamp !== undefined) return `${topic} at ${stamp.toString()} ns`;
  return logTime === undefined ? topic : `${topic} at log time ${logTime.toString()} ns`;
}

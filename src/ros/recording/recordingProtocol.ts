import type { FaultCode } from "../../faults/Fault.js";

/** What the main thread asks of the thread that writes a recording. */
export type RecordingCommand =
  | { readonly kind: "open"; readonly id: number; readonly file: string }
  | {
      readonly kind: "write";
      readonly id: number;
      readonly topic: string;
      readonly type: string;
      /** Nanoseconds. */
      readonly logTime: bigint;
      /** Its buffer goes to the thread, and comes back with the reply. */
      readonly cdr: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: "close"; readonly id: number };

/** After "failed" nothing of the recording is left on the disk, and the thread has no more to do. */
export type RecordingReply =
  | { readonly kind: "opened"; readonly id: number }
  | { readonly kind: "written"; readonly id: number; readonly cdr: Uint8Array<ArrayBuffer> }
  | { readonly kind: "closed"; readonly id: number; readonly fileBytes: number }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: FaultCode;
      readonly message: string;
      readonly cdr?: Uint8Array<ArrayBuffer>;
    };

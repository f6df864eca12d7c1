import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import { type DiagnosticArray, DiagnosticLevel, type DiagnosticStatus } from "./types.js";

export const DIAGNOSTIC_ARRAY_TYPE = "diagnostic_msgs/msg/DiagnosticArray";

/** Lengths of key (4) and value (4), without alignment */
const MINIMUM_KEY_VALUE_BYTES = 4 + 4;
/** level (1) + lengths of name, message, hardware_id and values (4 each), without alignment */
const MINIMUM_STATUS_BYTES = 1 + 4 * 4;

const LEVELS: ReadonlySet<number> = new Set(Object.values(DiagnosticLevel));

export function decodeDiagnosticArray(cdr: Uint8Array): DiagnosticArray {
  const input = new CdrInput(cdr, DIAGNOSTIC_ARRAY_TYPE);
  return {
    header: readHeader(input, "header."),
    status: input.structSequence("status", MINIMUM_STATUS_BYTES, (path) => readStatus(input, path)),
  };
}

export function encodeDiagnosticArray(
  { header, status }: DiagnosticArray,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(DIAGNOSTIC_ARRAY_TYPE, options);
  writeHeader(output, "header.", header);
  output.structSequence(status, ({ level, name, message, hardwareId, values }) => {
    output.uint8(level);
    output.string(name);
    output.string(message);
    output.string(hardwareId);
    output.structSequence(values, ({ key, value }) => {
      output.string(key);
      output.string(value);
    });
  });
  return output.finish();
}

function readStatus(input: CdrInput, path: string): DiagnosticStatus {
  return {
    level: readLevel(input, `${path}.level`),
    name: input.string(`${path}.name`),
    message: input.string(`${path}.message`),
    hardwareId: input.string(`${path}.hardware_id`),
    values: input.structSequence(`${path}.values`, MINIMUM_KEY_VALUE_BYTES, (valuePath) => ({
      key: input.string(`${valuePath}.key`),
      value: input.string(`${valuePath}.value`),
    })),
  };
}

function readLevel(input: CdrInput, field: string): DiagnosticLevel {
  const level = input.uint8(field);
  if (!LEVELS.has(level)) {
    throw input.fault(field, `${level} is not one of 0 (OK), 1 (WARN), 2 (ERROR) and 3 (STALE)`);
  }
  return level as DiagnosticLevel;
}

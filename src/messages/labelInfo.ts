import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import type { LabelInfo } from "./types.js";

export const LABEL_INFO_TYPE = "vision_msgs/msg/LabelInfo";

/** class_id (2) + length of class_name (4), without alignment */
const MINIMUM_CLASS_BYTES = 2 + 4;

export function decodeLabelInfo(cdr: Uint8Array): LabelInfo {
  const input = new CdrInput(cdr, LABEL_INFO_TYPE);
  return {
    header: readHeader(input, "header."),
    classMap: input.structSequence("class_map", MINIMUM_CLASS_BYTES, (path) => ({
      classId: input.uint16(`${path}.class_id`),
      className: input.string(`${path}.class_name`),
    })),
    threshold: input.float32("threshold"),
  };
}

export function encodeLabelInfo(info: LabelInfo, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(LABEL_INFO_TYPE, options);
  writeHeader(output, "header.", info.header);
  output.structSequence(info.classMap, ({ classId, className }, index) => {
    output.uint16(`class_map[${index}].class_id`, classId);
    output.string(className);
  });
  output.float32(info.threshold);
  return output.finish();
}

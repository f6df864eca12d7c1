import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { frameName } from "./frameName.js";
import { MINIMUM_HEADER_BYTES, readHeader, writeHeader } from "./header.js";
import type { StampOptions } from "./time.js";
import type { TFMessage, TransformStamped } from "./types.js";

export const TF_MESSAGE_TYPE = "tf2_msgs/msg/TFMessage";

/** header + length of child_frame_id (4) + translation (24) + rotation (32), without alignment */
const MINIMUM_TRANSFORM_BYTES = MINIMUM_HEADER_BYTES + 4 + 3 * 8 + 4 * 8;

/** Values are passed on as they are: a NaN or a quaternion that is not of unit length is for the TF buffer to refuse. */
export function decodeTFMessage(cdr: Uint8Array, options?: StampOptions): TFMessage {
  const input = new CdrInput(cdr, TF_MESSAGE_TYPE);
  return {
    transforms: input.structSequence("transforms", MINIMUM_TRANSFORM_BYTES, (path) =>
      readTransform(input, path, options),
    ),
  };
}

export function encodeTFMessage({ transforms }: TFMessage, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(TF_MESSAGE_TYPE, options);
  output.structSequence(transforms, ({ header, childFrameId, translation, rotation }, index) => {
    writeHeader(output, `transforms[${index}].header.`, header);
    output.string(childFrameId);
    for (const value of translation) output.float64(value);
    for (const value of rotation) output.float64(value);
  });
  return output.finish();
}

function readTransform(input: CdrInput, path: string, options?: StampOptions): TransformStamped {
  const translation = `${path}.transform.translation`;
  const rotation = `${path}.transform.rotation`;
  return {
    header: readHeader(input, `${path}.header.`, options),
    childFrameId: frameName(input.string(`${path}.child_frame_id`)),
    translation: [input.float64(translation), input.float64(translation), input.float64(translation)],
    rotation: [
      input.float64(rotation),
      input.float64(rotation),
      input.float64(rotation),
      input.float64(rotation),
    ],
  };
}

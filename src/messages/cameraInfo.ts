import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { readHeader, writeHeader } from "./header.js";
import type { CameraInfo } from "./types.js";

export const CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo";

/** An impossible stamp is read past: what a camera is like holds whenever that was said. */
export function decodeCameraInfo(cdr: Uint8Array): CameraInfo {
  const input = new CdrInput(cdr, CAMERA_INFO_TYPE);
  return {
    header: readHeader(input, "header.", { anyStamp: true }),
    height: input.uint32("height"),
    width: input.uint32("width"),
    distortionModel: input.string("distortion_model"),
    d: input.float64Sequence("d"),
    k: input.float64Array("k", 9),
    r: input.float64Array("r", 9),
    p: input.float64Array("p", 12),
    binningX: input.uint32("binning_x"),
    binningY: input.uint32("binning_y"),
    roi: {
      xOffset: input.uint32("roi.x_offset"),
      yOffset: input.uint32("roi.y_offset"),
      height: input.uint32("roi.height"),
      width: input.uint32("roi.width"),
      doRectify: input.bool("roi.do_rectify"),
    },
  };
}

export function encodeCameraInfo(info: CameraInfo, options?: EncodeOptions): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(CAMERA_INFO_TYPE, options);
  writeHeader(output, "header.", info.header);
  output.uint32("height", info.height);
  output.uint32("width", info.width);
  output.string(info.distortionModel);
  output.float64Sequence(info.d);
  output.float64Array("k", info.k, 9);
  output.float64Array("r", info.r, 9);
  output.float64Array("p", info.p, 12);
  output.uint32("binning_x", info.binningX);
  output.uint32("binning_y", info.binningY);
  output.uint32("roi.x_offset", info.roi.xOffset);
  output.uint32("roi.y_offset", info.roi.yOffset);
  output.uint32("roi.height", info.roi.height);
  output.uint32("roi.width", info.roi.width);
  output.bool(info.roi.doRectify);
  return output.finish();
}

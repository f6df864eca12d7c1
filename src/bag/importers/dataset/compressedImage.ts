import { sharp } from "../../../camera/libvips.js";
import { CAMERA_INFO_TYPE } from "../../../messages/cameraInfo.js";
import { COMPRESSED_IMAGE_TYPE } from "../../../messages/image.js";
import type { Header } from "../../../messages/types.js";
import { Fault } from "../../../faults/Fault.js";
import type { RecordedMessage } from "../../RecordedMessage.js";
import { reasonOf } from "../../../files/systemError.js";
import { type Intrinsics, pinholeCameraInfo } from "./pinholeCameraInfo.js";

export interface CalibratedCamera {
  /** Where image_rect_color/compressed and camera_info are published. */
  readonly namespace: string;
  readonly intrinsics: Intrinsics;
  /** Width and height of the images that the intrinsics are of; any when absent. */
  readonly size?: readonly [width: number, height: number];
}

/** Topic of a camera's rectified images. */
export function compressedTopic({ namespace }: CalibratedCamera): string {
  return `${namespace}/image_rect_color/compressed`;
}

/**
 * The CameraInfo and the CompressedImage of a JPEG or PNG file, whose bytes stay as they are.
 * @throws Fault `data-set-unreadable` when it is neither, is cut off in its header, or has another size than calibrated
 */
export async function compressedImage(
  camera: CalibratedCamera,
  header: Header,
  data: Uint8Array,
): Promise<readonly RecordedMessage[]> {
  const { format, encoding, size } = await readImageHeader(data);
  const [width, height] = camera.size ?? size;
  if (width !== size[0] || height !== size[1]) {
    throw new Fault(
      "data-set-unreadable",
      `it has ${size[0]}x${size[1]} pixels, its camera is calibrated for ${width}x${height}`,
    );
  }
  // compressed_image_transport: the encoding that subscribers get; then what its own decoder (OpenCV) sees.
  const decoded = encoding.replace("rgb", "bgr");
  const { stamp } = header;
  return [
    {
      topic: `${camera.namespace}/camera_info`,
      type: CAMERA_INFO_TYPE,
      stamp,
      message: pinholeCameraInfo(header, camera.intrinsics, size),
    },
    {
      topic: compressedTopic(camera),
      type: COMPRESSED_IMAGE_TYPE,
      stamp,
      message: { header, format: `${encoding}; ${format} compressed ${decoded}`, data },
    },
  ];
}

interface ImageHeader {
  readonly format: "jpeg" | "png";
  /** The encoding (sensor_msgs/image_encodings.hpp) that the samples have. */
  readonly encoding: string;
  readonly size: readonly [width: number, height: number];
}

async function readImageHeader(data: Uint8Array): Promise<ImageHeader> {
  const metadata = await sharp(data)
    .metadata()
    .catch((error: unknown) => {
      throw new Fault("data-set-unreadable", `it is not an image: ${reasonOf(error)}`, { cause: error });
    });
  const { format, width, height, channels, depth } = metadata;
  if (format !== "jpeg" && format !== "png") {
    throw new Fault("data-set-unreadable", `it is a ${format} image, only jpeg and png are supported`);
  }
  const colour = { 1: "mono", 2: "mono", 3: "rgb", 4: "rgba", 5: "rgba" }[channels];
  return { format, encoding: `${colour}${depth === "ushort" ? 16 : 8}`, size: [width, height] };
}

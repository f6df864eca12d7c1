import { CdrInput } from "./CdrInput.js";
import { CdrOutput, type EncodeOptions } from "./CdrOutput.js";
import { MINIMUM_HEADER_BYTES, readHeader, writeHeader } from "./header.js";
import { POSE_BYTES, readPose, readVector, writePose, writeVector } from "./pose.js";
import { readTime, TIME_BYTES, writeTime } from "./time.js";
import type { ColorRgba, Header, Marker, MarkerArray } from "./types.js";

export const MARKER_ARRAY_TYPE = "visualization_msgs/msg/MarkerArray";

const COLOR_BYTES = 4 * 4;
const POINT_BYTES = 3 * 8;
const UV_BYTES = 2 * 4;
/** What no marker is smaller than, without alignment: its strings and sequences by their lengths alone. */
const MINIMUM_MARKER_BYTES =
  MINIMUM_HEADER_BYTES + 4 + 3 * 4 + POSE_BYTES + 3 * 8 + COLOR_BYTES + TIME_BYTES + 1 + 2 * 4;
/** The header of the texture that no marker of ours has. */
const NO_HEADER: Header = { stamp: 0n, frameId: "" };

/** Textures and meshes are read past. */
export function decodeMarkerArray(cdr: Uint8Array): MarkerArray {
  const input = new CdrInput(cdr, MARKER_ARRAY_TYPE);
  return {
    markers: input.structSequence("markers", MINIMUM_MARKER_BYTES, (path) => readMarker(input, path)),
  };
}

export function encodeMarkerArray(
  { markers }: MarkerArray,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const output = new CdrOutput(MARKER_ARRAY_TYPE, options);
  output.structSequence(markers, (marker, index) => {
    writeMarker(output, `markers[${index}]`, marker);
  });
  return output.finish();
}

function readMarker(input: CdrInput, path: string): Marker {
  const read = {
    header: readHeader(input, `${path}.header.`),
    namespace: input.string(`${path}.ns`),
    id: input.int32(`${path}.id`),
    type: input.int32(`${path}.type`),
    action: input.int32(`${path}.action`),
    pose: readPose(input, `${path}.pose`),
    scale: readVector(input, `${path}.scale`),
    color: readColor(input, `${path}.color`),
    lifetime: readTime(input, `${path}.lifetime`),
    frameLocked: input.bool(`${path}.frame_locked`),
    points: input.structSequence(`${path}.points`, POINT_BYTES, (point) => readVector(input, point)),
    colors: input.structSequence(`${path}.colors`, COLOR_BYTES, (color) => readColor(input, color)),
  };
  input.string(`${path}.texture_resource`);
  readHeader(input, `${path}.texture.header.`, { anyStamp: true });
  input.string(`${path}.texture.format`);
  input.byteSequence(`${path}.texture.data`);
  input.structSequence(`${path}.uv_coordinates`, UV_BYTES, (uv) => [input.float32(uv), input.float32(uv)]);
  const text = input.string(`${path}.text`);
  input.string(`${path}.mesh_resource`);
  input.string(`${path}.mesh_file.filename`);
  input.byteSequence(`${path}.mesh_file.data`);
  input.bool(`${path}.mesh_use_embedded_materials`);
  return { ...read, text };
}

function writeMarker(output: CdrOutput, path: string, marker: Marker): void {
  writeHeader(output, `${path}.header.`, marker.header);
  output.string(marker.namespace);
  output.int32(marker.id);
  output.int32(marker.type);
  output.int32(marker.action);
  writePose(output, marker.pose);
  writeVector(output, marker.scale);
  writeColor(output, marker.color);
  writeTime(output, `${path}.lifetime`, marker.lifetime);
  output.bool(marker.frameLocked);
  output.structSequence(marker.points, (point) => {
    writeVector(output, point);
  });
  output.structSequence(marker.colors, (color) => {
    writeColor(output, color);
  });
  const [empty, none] = ["", 0];
  output.string(empty); // texture_resource
  writeHeader(output, `${path}.texture.header.`, NO_HEADER);
  output.string(empty); // texture.format
  output.uint32(`${path}.texture.data`, none);
  output.uint32(`${path}.uv_coordinates`, none);
  output.string(marker.text);
  output.string(empty); // mesh_resource
  output.string(empty); // mesh_file.filename
  output.uint32(`${path}.mesh_file.data`, none);
  output.bool(false); // mesh_use_embedded_materials
}

function readColor(input: CdrInput, path: string): ColorRgba {
  return [input.float32(path), input.float32(path), input.float32(path), input.float32(path)];
}

function writeColor(output: CdrOutput, color: ColorRgba): void {
  for (const value of color) output.float32(value);
}

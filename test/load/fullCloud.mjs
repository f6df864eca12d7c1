import { encodePointCloud2 } from "../../dist/messages/pointCloud2.js";

const POINTS = 120_000;

/** A floor and walls all round, by the angle of the beam. */
export function fullCloud() {
  const data = new Float32Array(4 * POINTS);
  for (let point = 0; point < POINTS; point++) {
    const angle = (2 * Math.PI * point) / 1875;
    const ring = Math.floor(point / 1875);
    const distance = ring < 40 ? 3 + ring * 0.8 : 30;
    const height = ring < 40 ? -1.7 : (ring - 40) * 0.3 - 1.7;
    data.set([distance * Math.cos(angle), distance * Math.sin(angle), height, 0.3], 4 * point);
  }
  const fields = ["x", "y", "z", "intensity"].map((name, i) => ({
    name,
    offset: 4 * i,
    datatype: 7,
    count: 1,
  }));
  return Buffer.from(
    encodePointCloud2({
      header: { stamp: 1n, frameId: "lidar" },
      height: 1,
      width: POINTS,
      fields,
      isBigEndian: false,
      pointStep: 16,
      rowStep: 16 * POINTS,
      data: new Uint8Array(data.buffer),
      isDense: true,
    }),
  );
}

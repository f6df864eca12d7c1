// The scans of a looped drive as the pipeline takes them, each with the nearest image of each camera.
import { shifted } from "./loopedDrive.mjs";

const CLOUD = "sensor_msgs/msg/PointCloud2";
const IMAGE = "sensor_msgs/msg/CompressedImage";

/** @param isEnding asked before each scan */
export async function* loopedFrames({ drive, length, messages }, isEnding) {
  const clouds = messages.filter(({ message }) => message.type === CLOUD);
  const images = messages.filter(({ message }) => message.type === IMAGE);
  const distance = (a, b) => {
    const difference = a.message.message.header.stamp - b.message.message.header.stamp;
    return difference < 0n ? -difference : difference;
  };
  for (let loop = 0n; ; loop++) {
    for (const cloud of clouds) {
      if (isEnding()) return;
      const { header } = cloud.message.message;
      const stamp = header.stamp + loop * length;
      const nearest = ["front", "rear"].map((camera) => {
        const topic = `/camera/${camera}/image_raw/compressed`;
        const [best] = images
          .filter(({ message }) => message.topic === topic)
          .sort((a, b) => Number(distance(a, cloud) - distance(b, cloud)));
        const { frameId, stamp: taken } = best.message.message.header;
        return {
          camera,
          topic,
          type: IMAGE,
          frameId,
          cdr: shifted(best, loop * length),
          info: drive.cameraInfos(camera)[0],
          cloudToCamera: drive.transforms.lookup(frameId, header.frameId, "latest"),
          rectified: false,
          stamp: taken + loop * length,
          delta: taken - header.stamp,
        };
      });
      const source = {
        kind: "points",
        index: 0,
        topic: cloud.message.topic,
        frameId: header.frameId,
        cdr: shifted(cloud, loop * length),
      };
      yield { stamp, topic: cloud.message.topic, sources: [source], images: nearest, missing: [] };
    }
  }
}

import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { CameraSettings, CloudSettings } from "../parameters/NodeSettings.js";
import type { PublishedTopic, RosNode } from "../port/RosNode.js";
import { CameraInfoSearch } from "./CameraInfoSearch.js";
import { SUBSCRIBED_TOPICS } from "./nodeTopics.js";
import { publishedElsewhere } from "./publishedElsewhere.js";

/** What others publish is asked for again after so long, milliseconds. */
const FRESH_MS = 2000;

/** Values of the parameter `transport` of a camera, and of `type` of a cloud. */
const TRANSPORTS = new Map<string, string>([
  [IMAGE_TYPE, "raw"],
  [COMPRESSED_IMAGE_TYPE, "compressed"],
]);
const CLOUD_TYPES = new Map<string, string>([
  [POINT_CLOUD2_TYPE, "points"],
  [IMAGE_TYPE, "depth"],
  [COMPRESSED_IMAGE_TYPE, "compressed_depth"],
]);

/** Where that is to be found which the node waits for in vain. Nothing is asked of ROS until then. */
export class TopicSurvey {
  readonly #ros: RosNode;
  readonly #cameraInfos: CameraInfoSearch;
  #published: readonly PublishedTopic[] = [];
  #askedAt = -Infinity;

  constructor(ros: RosNode) {
    this.#ros = ros;
    this.#cameraInfos = new CameraInfoSearch(ros);
  }

  /** One sentence; undefined when the topic has publishers of the type, or nothing that is published helps. */
  cloudElsewhere({ name, topic, messageType: type }: CloudSettings): string | undefined {
    const wanted = { topic: this.#ros.resolveTopic(topic), type, role: "cloud" } as const;
    const typeParameter = { name: `clouds.${name}.type`, values: CLOUD_TYPES };
    return publishedElsewhere(
      { ...wanted, parameter: `clouds.${name}.topic`, typeParameter },
      this.#publishedNow(),
    );
  }

  /** As `cloudElsewhere`. */
  imagesElsewhere({ name, topic, messageType: type }: CameraSettings): string | undefined {
    const wanted = { topic: this.#ros.resolveTopic(topic), type, role: "image" } as const;
    const typeParameter = { name: `cameras.${name}.transport`, values: TRANSPORTS };
    return publishedElsewhere(
      { ...wanted, parameter: `cameras.${name}.image_topic`, typeParameter },
      this.#publishedNow(),
    );
  }

  /**
   * As `cloudElsewhere`; of CameraInfo on other topics a message each is looked at.
   * @param frame of the camera's images; undefined while unknown
   */
  cameraInfoElsewhere(
    { name, cameraInfoTopic }: CameraSettings,
    frame: string | undefined,
  ): string | undefined {
    const topic = this.#ros.resolveTopic(cameraInfoTopic);
    const parameter = `cameras.${name}.camera_info_topic`;
    const published = this.#publishedNow();
    const wanted = { topic, type: CAMERA_INFO_TYPE, role: "camera-info", parameter } as const;
    const others = published.filter(({ type }) => type === CAMERA_INFO_TYPE).map((other) => other.topic);
    if (others.length === 0 || published.some((other) => other.topic === topic)) {
      return publishedElsewhere(wanted, published);
    }
    this.#cameraInfos.lookAt(others);
    return `nothing is published on ${topic}: ${this.#cameraInfos.listed(others, frame)}: set ${parameter}`;
  }

  /**
   * As `cloudElsewhere`, for transforms, whose topics are remapped where a robot has its own.
   * @param cloudTopic not yet remapped; of several robots that one is meant whose namespace it is in
   */
  transformsElsewhere(cloudTopic: string): string | undefined {
    const { staticTransforms, transforms } = SUBSCRIBED_TOPICS;
    const wanted = [transforms.topic, staticTransforms.topic].map((topic) => this.#ros.resolveTopic(topic));
    const published = this.#publishedNow();
    const all = published.filter(({ type }) => type === TF_MESSAGE_TYPE).map(({ topic }) => topic);
    if (all.some((topic) => wanted.includes(topic))) return undefined;
    const cloud = this.#ros.resolveTopic(cloudTopic);
    const isOfCloud = (topic: string): boolean =>
      cloud.startsWith(topic.slice(0, topic.lastIndexOf("/") + 1));
    const other = all.find(isOfCloud) ?? all[0];
    if (other !== undefined) {
      const namespace = other.slice(0, other.lastIndexOf("/"));
      return (
        `nothing is published on ${wanted.join(" and ")}, but transforms on ${all.join(", ")}: start the node with ` +
        `\`-r /tf:=${namespace}/tf -r /tf_static:=${namespace}/tf_static\``
      );
    }
    return publishedElsewhere(
      { topic: wanted[0]!, type: TF_MESSAGE_TYPE, role: "transforms", parameter: "the remapping of /tf" },
      published,
    );
  }

  close(): void {
    this.#cameraInfos.close();
  }

  #publishedNow(): readonly PublishedTopic[] {
    const now = performance.now();
    if (now - this.#askedAt > FRESH_MS) {
      this.#published = this.#ros.publishedTopics();
      this.#askedAt = now;
    }
    return this.#published;
  }
}

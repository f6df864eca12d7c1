import { CAMERA_INFO_TYPE } from "../../messages/cameraInfo.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";
import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { TF_MESSAGE_TYPE } from "../../messages/tfMessage.js";
import type { BagMessage, BagReader, MessageFilter } from "../types.js";
import type { InputSelection } from "./InputSelection.js";

/**
 * The same bag, without messages of other types on the topics that were selected: a bag can have two types on a topic,
 * of which one was chosen. Whoever reads in any encoding copies, and gets all.
 */
export function ofSelectedTypes(reader: BagReader, selection: InputSelection): BagReader {
  const types = typesByTopic(selection);
  async function* messages(filter: MessageFilter = {}): AsyncGenerator<BagMessage, void, void> {
    for await (const message of reader.messages(filter)) {
      if (filter.anyEncoding === true || (types.get(message.topic)?.includes(message.type) ?? true))
        yield message;
    }
  }
  return {
    path: reader.path,
    topics: reader.topics,
    startTime: reader.startTime,
    endTime: reader.endTime,
    // Reading adds to them.
    get warnings() {
      return reader.warnings;
    },
    messages,
    close: () => reader.close(),
  };
}

function typesByTopic({ clouds, cameras, tfTopics }: InputSelection): ReadonlyMap<string, readonly string[]> {
  const types = new Map<string, readonly string[]>(tfTopics.map((topic) => [topic, [TF_MESSAGE_TYPE]]));
  for (const { imageTopic, imageType, cameraInfoTopic } of cameras) {
    types.set(imageTopic, [imageType]);
    types.set(cameraInfoTopic, [CAMERA_INFO_TYPE]);
  }
  for (const cloud of clouds) {
    types.set(
      cloud.topic,
      cloud.kind === "points" ? [POINT_CLOUD2_TYPE] : [IMAGE_TYPE, COMPRESSED_IMAGE_TYPE],
    );
    if (cloud.kind === "depth") types.set(cloud.cameraInfoTopic, [CAMERA_INFO_TYPE]);
  }
  return types;
}

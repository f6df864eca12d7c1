import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as rosmsg from "@foxglove/rosmsg";
import { describe, expect, test } from "@jest/globals";
import { OUTPUT_TOPICS } from "../bag/labelling/outputTopics.js";
import { CAMERA_INFO_TYPE } from "../messages/cameraInfo.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../messages/image.js";
import { LABEL_INFO_TYPE } from "../messages/labelInfo.js";
import { messageDefinition } from "../messages/messageDefinition.js";
import { MARKER_ARRAY_TYPE } from "../messages/markerArray.js";
import { POINT_CLOUD2_TYPE } from "../messages/pointCloud2.js";
import { ExampleDrive } from "../simulation/exampleDrive.js";
import { overlayTopic, PUBLISHED_TOPICS } from "./live/nodeTopics.js";

const FOLDER = fileURLToPath(new URL("../../config/foxglove", import.meta.url));

/**
 * The settings of each kind of panel, from the sources of Lichtblick (packages/suite-base/src/panels/), whose layout files
 * are Foxglove's. What a panel does not know it ignores in silence.
 */
const SCENE_SETTINGS = ["cameraState", "followMode", "scene", "transforms", "topics", "layers", "imageMode"];
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  "3D": SCENE_SETTINGS,
  Image: SCENE_SETTINGS,
  Plot: [
    ...[
      "paths",
      "minYValue",
      "maxYValue",
      "showLegend",
      "legendDisplay",
      "showPlotValuesInLegend",
      "isSynced",
    ],
    ...["showXAxisLabels", "showYAxisLabels", "xAxisVal", "sidebarDimension"],
  ],
  StateTransitions: ["paths", "isSynced"],
  RawMessages: ["topicPath", "diffEnabled", "diffMethod", "diffTopicPath", "showFullMessageForDiff"],
  DiagnosticSummary: ["minLevel", "pinnedIds", "hardwareIdFilter", "topicToRender", "sortByLevel"],
  RosOut: ["searchTerms", "minLogLevel"],
  SourceInfo: [],
};
const IMAGE_TYPES: readonly (string | undefined)[] = [IMAGE_TYPE, COMPRESSED_IMAGE_TYPE];
/** Fields of a labelled cloud that clouds are coloured by. */
const COLOURS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  rgb: { colorMode: "rgb" },
  confidence: { colorMode: "colormap", colorMap: "turbo", minValue: 0, maxValue: 1 },
};

type Mosaic =
  | string
  | {
      readonly direction: string;
      readonly splitPercentage: number;
      readonly first: Mosaic;
      readonly second: Mosaic;
    };
interface Panel {
  readonly topics?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly imageMode?: { readonly imageTopic?: string; readonly calibrationTopic?: string };
  readonly paths?: readonly {
    readonly value: string;
    readonly enabled?: boolean;
    readonly timestampMethod: string;
    readonly label: string;
  }[];
  readonly topicPath?: string;
  readonly topicToRender?: string;
}
interface Layout {
  readonly configById: Readonly<Record<string, Panel>>;
  readonly layout: Mosaic;
}

function layoutOf(name: string): Layout {
  return JSON.parse(readFileSync(path.join(FOLDER, name), "utf8")) as Layout;
}

function kindOf(id: string): string {
  return id.slice(0, id.indexOf("!"));
}

function placed(mosaic: Mosaic): string[] {
  if (typeof mosaic === "string") return [mosaic];
  expect(["row", "column"]).toContain(mosaic.direction);
  expect(mosaic.splitPercentage).toBeGreaterThan(5);
  expect(mosaic.splitPercentage).toBeLessThan(95);
  return [...placed(mosaic.first), ...placed(mosaic.second)];
}

/** Types by topic that a node /ditr_perception with a camera `front` publishes, as docs/topics.md has them. */
function liveTopics(): Map<string, string> {
  const ours = Object.values(PUBLISHED_TOPICS).map(({ topic, type }) => {
    const named = topic === PUBLISHED_TOPICS.overlay.topic ? overlayTopic("front") : topic;
    return [named.replace(/^~/, "/ditr_perception"), type] as const;
  });
  return new Map(ours);
}

/** What the demo's labelled bag holds: results, and all but the cloud of a simulated drive. */
async function bagTopics(): Promise<Map<string, string>> {
  const cameras = [{ name: "front", width: 32, height: 16 }];
  const { messages } = await ExampleDrive.record({
    seed: 1,
    scanCount: 1,
    lidar: "vlp-16",
    columns: 16,
    cameras,
  });
  return new Map([
    ...messages.map(({ topic, type }) => [topic, type] as const),
    [OUTPUT_TOPICS.labelled, POINT_CLOUD2_TYPE],
    [OUTPUT_TOPICS.filtered, POINT_CLOUD2_TYPE],
    [OUTPUT_TOPICS.labelInfo, LABEL_INFO_TYPE],
    // Of a model that finds boxes.
    [OUTPUT_TOPICS.markers, MARKER_ARRAY_TYPE],
  ]);
}

/** By layout. */
const TOPICS: Readonly<Record<string, Promise<ReadonlyMap<string, string>>>> = {
  "labelled_bag.json": bagTopics(),
  "live_node.json": Promise.resolve(liveTopics()),
};

/** The type of the value that a message path leads to, as "float32" or "vision_msgs/VisionClass[]". */
function typeAt(messagePath: string, topics: ReadonlyMap<string, string>): string {
  const parsed = /^((?:\/\w+)+)\.(.+)$/.exec(messagePath);
  const [, topic = "", fields = ""] = parsed ?? [];
  const type = topics.get(topic);
  if (type === undefined) throw new Error(`${messagePath}: no such topic`);
  const definitions = rosmsg.parse(messageDefinition(type), { ros2: true });
  let at =
    definitions.find(({ name }) => name === undefined || name === type.replace("/msg/", "/")) ??
    definitions[0]!;
  let found = "";
  for (const part of fields.split(".")) {
    const [, name, index] = /^(\w+)(\[\d+\])?$/.exec(part)!;
    const field = at.definitions.find(
      (candidate) => candidate.name === name && candidate.isConstant !== true,
    );
    if (field === undefined) throw new Error(`${messagePath}: no field ${part}`);
    expect(index !== undefined && field.isArray !== true).toBe(false);
    found = field.isArray === true && index === undefined ? `${field.type}[]` : field.type;
    const inner = definitions.find(
      ({ name: other }) => other?.replace("/msg/", "/") === field.type.replace("/msg/", "/"),
    );
    if (inner !== undefined) at = inner;
  }
  return found;
}

test("there is a layout for labelled bags and one for the node", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(TOPICS).sort());
});

describe.each(Object.keys(TOPICS))("%s", (name) => {
  const layout = layoutOf(name);
  const panels = Object.entries(layout.configById);

  test("is a layout whose panels each have a place, and settings that their kind knows", () => {
    expect(layout).toMatchObject({ globalVariables: {}, userNodes: {}, playbackConfig: { speed: 1 } });
    expect(placed(layout.layout).sort()).toEqual(Object.keys(layout.configById).sort());
    for (const [id, settings] of panels) {
      const known = SETTINGS[kindOf(id)];
      expect([id, known]).toEqual([id, expect.any(Array)]);
      expect([...known!, "foxglovePanelTitle"]).toEqual(expect.arrayContaining(Object.keys(settings)));
    }
  });

  test("shows topics that are there, by panels of their types", async () => {
    const topics = (await TOPICS[name])!;
    const clouds: string[] = [];
    for (const [id, { topics: shown = {}, imageMode = {}, topicToRender }] of panels) {
      for (const [topic, settings] of Object.entries(shown)) {
        if (topics.get(topic) === MARKER_ARRAY_TYPE) {
          expect(settings).toEqual({ visible: true });
          continue;
        }
        expect([topic, topics.get(topic)]).toEqual([topic, POINT_CLOUD2_TYPE]);
        expect(settings).toMatchObject(COLOURS[settings["colorField"] as string]!);
        if (settings["visible"] === true) clouds.push(topic);
      }
      const { imageTopic, calibrationTopic } = imageMode;
      expect(imageTopic !== undefined).toBe(kindOf(id) === "Image");
      if (imageTopic !== undefined) expect(IMAGE_TYPES).toContain(topics.get(imageTopic));
      // Without a calibration no points can be drawn on an image.
      expect(calibrationTopic !== undefined).toBe(kindOf(id) === "Image" && Object.keys(shown).length > 0);
      if (calibrationTopic !== undefined) expect(topics.get(calibrationTopic)).toBe(CAMERA_INFO_TYPE);
      if (topicToRender !== undefined)
        expect(topics.get(topicToRender)).toBe(PUBLISHED_TOPICS.diagnostics.type);
    }
    expect(clouds).toContain(OUTPUT_TOPICS.labelled);
  });

  test("plots fields that the messages have, numbers as curves and words as states", async () => {
    const topics = (await TOPICS[name])!;
    for (const [id, { paths = [], topicPath }] of panels) {
      if (topicPath !== undefined) typeAt(topicPath, topics);
      for (const { value, enabled, timestampMethod } of paths) {
        expect(timestampMethod).toBe("receiveTime");
        if (kindOf(id) === "Plot") {
          expect(enabled).toBe(true);
          expect(typeAt(value, topics)).toMatch(/^(float|uint|int)\d+$/);
        } else {
          expect(typeAt(value, topics)).toMatch(/^(string|bool)$/);
        }
      }
    }
  });
});

test("every stage of the status has a curve", () => {
  const { configById } = layoutOf("live_node.json");
  const curves = Object.values(configById).flatMap(({ paths = [] }) => paths.map(({ value }) => value));
  const [status] = rosmsg.parse(messageDefinition(PUBLISHED_TOPICS.status.type), { ros2: true });
  const times = status!.definitions.filter(({ name }) => name.endsWith("_ms"));
  expect(times.length).toBeGreaterThan(7);
  expect(curves).toEqual(expect.arrayContaining(times.map(({ name }) => `/ditr_perception/status.${name}`)));
});

test("a path to what is not there is noticed", () => {
  const topics = liveTopics();
  expect(() => typeAt("/ditr_perception/status.neck_ms", topics)).toThrow(/no field/);
  expect(() => typeAt("/ditr_perception/stats.mode", topics)).toThrow(/no such topic/);
  expect(typeAt("/ditr_perception/status.cameras[0].missing_reason", topics)).toBe("string");
});

import { POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { COMPRESSED_IMAGE_TYPE, IMAGE_TYPE } from "../../messages/image.js";
import type { Rgb } from "../../messages/packRgb.js";
import type { ProviderChoice } from "../../model/providers.js";
import type { FusionPolicyOptions } from "../../perception/FusionPolicy.js";
import { syncOptions, type CameraSyncOptions, type SyncOptions } from "../../sync/SyncOptions.js";
import type { Reliability, RosQos } from "../port/RosNode.js";
import { transportTopic } from "../../messages/imageTopics.js";
import { CAMERA_PARAMETERS, CLOUD_PARAMETERS } from "./inputParameters.js";
import type { ParameterTable, PlainValue, ValuesOf } from "./ParameterDeclaration.js";
import { NODE_PARAMETERS, type CameraValues, type CloudValues, type NodeValues } from "./parameterTable.js";

interface ImageInput {
  /** CameraInfo of the images. */
  readonly cameraInfoTopic: string;
  /** P of the CameraInfo holds, not K and D. */
  readonly rectified: boolean;
}

/** What the node can subscribe to. */
export type SensorMessageType = typeof POINT_CLOUD2_TYPE | typeof IMAGE_TYPE | typeof COMPRESSED_IMAGE_TYPE;

/** What to ask of the publishers of a sensor. */
export interface SensorQos extends Omit<RosQos, "reliability"> {
  /** "auto": what all of them offer. */
  readonly reliability: Reliability | "auto";
}

interface Input {
  readonly name: string;
  /** What to subscribe to, not yet remapped. */
  readonly topic: string;
  /** Of the topic. */
  readonly messageType: SensorMessageType;
  readonly qos: SensorQos;
  /** Messages count as of when they arrive, not as of their stamps. */
  readonly stampedByArrival: boolean;
}

export type CloudSettings = Input & ({ readonly kind: "points" } | ({ readonly kind: "depth" } & ImageInput));

export type CameraSettings = Input & ImageInput;

/** What the user wants of the node, checked; times in nanoseconds. */
export interface NodeSettings {
  readonly model: {
    /** Folder of the bundle; undefined: the bundled one. */
    readonly folder: string | undefined;
    readonly provider: ProviderChoice;
    readonly threads: number;
  };
  readonly autostart: boolean;
  readonly useSimTime: boolean;
  /** At least one; scans have the stamps of the first. */
  readonly clouds: readonly [CloudSettings, ...CloudSettings[]];
  readonly cameras: readonly CameraSettings[];
  /** Where several clouds are merged; undefined: in the frame of the first. */
  readonly targetFrame: string | undefined;
  /** The intensity that stands for 1; undefined: the layout of the cloud tells. */
  readonly intensityScale: number | undefined;
  /** The field that is intensity; undefined: the layout of the cloud tells. */
  readonly intensityField: string | undefined;
  readonly fusion: FusionPolicyOptions;
  /** Has the clouds after the first, then the cameras, by name. */
  readonly sync: SyncOptions;
  /** Do the offsets of cameras count from the middle of a scan? */
  readonly scanMidpoint: boolean;
  readonly fixedFrame: string | undefined;
  readonly deskew: boolean;
  /** Stamp of transforms minus cloud stamp at the same moment. */
  readonly transformOffset: bigint;
  readonly transformTimeout: bigint;
  readonly filter: {
    /** Names; points of these classes are left out. */
    readonly classes: readonly string[];
    /** undefined: by label. */
    readonly probabilityThreshold: number | undefined;
  };
  /** In place of the bundle's; undefined: the bundle's. */
  readonly boxScoreThreshold: number | undefined;
  /** In place of the bundle's, by the name of the class. */
  readonly colors: ReadonlyMap<string, Rgb>;
  /** Of clouds, overlays, boxes and status. */
  readonly outputQos: RosQos;
  readonly recording: {
    /** 0: nothing is kept. */
    readonly duration: bigint;
    readonly maxBytes: number;
    /** undefined: the default place. */
    readonly directory: string | undefined;
    readonly quota: {
      readonly maxRecordings: number;
      /** Of all recordings in the folder. */
      readonly maxTotalBytes: number;
      /** That stay free on the disk. */
      readonly minFreeBytes: number;
    };
  };
  readonly diagnostics: {
    /** Warn above; undefined: never. */
    readonly maxLatency: bigint | undefined;
    /** Hz; warn below; undefined: never. */
    readonly minRate: number | undefined;
  };
  /** Shortest time between log lines about the same problem. */
  readonly logInterval: bigint;
}

/** @param values one for every parameter, each allowed by its declaration */
export function nodeSettings(values: ReadonlyMap<string, PlainValue>): NodeSettings {
  const node = readTable(NODE_PARAMETERS, "", values);
  const clouds = node.cloud_names.map(
    (name) => [name, readTable(CLOUD_PARAMETERS, `clouds.${name}.`, values)] as const,
  );
  const cameras = node.camera_names.map(
    (name) => [name, readTable(CAMERA_PARAMETERS, `cameras.${name}.`, values)] as const,
  );
  const [first, ...others] = clouds.map(([name, cloud]) => cloudSettings(name, cloud));
  return {
    model: { folder: orUndefined(node.model), provider: node.provider, threads: node.threads },
    autostart: node.autostart,
    useSimTime: node.use_sim_time,
    clouds: [first!, ...others],
    cameras: cameras.map(([name, camera]) => cameraSettings(name, camera)),
    targetFrame: orUndefined(node.target_frame),
    intensityScale: orUndefined(node.intensity_scale),
    intensityField: orUndefined(node.intensity_field),
    fusion: {
      mode: node.mode,
      minImages: node.min_images,
      minSeenShare: node.min_seen_share,
      seenShareHysteresis: node.seen_share_hysteresis,
    },
    scanMidpoint: node["sync.scan_midpoint"],
    sync: syncSettings(node, clouds.slice(1), cameras),
    fixedFrame: orUndefined(node.fixed_frame),
    deskew: node.deskew,
    transformOffset: nanoseconds(node.transform_offset),
    transformTimeout: nanoseconds(node.transform_timeout),
    filter: {
      classes: node["filter.classes"],
      probabilityThreshold: orUndefined(node["filter.probability_threshold"]),
    },
    boxScoreThreshold: orUndefined(node.box_score_threshold),
    colors: new Map(node.colors.map(parseColor)),
    outputQos: qos(node.output_reliability, node.output_depth),
    recording: {
      duration: nanoseconds(node["recording.seconds"]),
      maxBytes: node["recording.max_megabytes"] * 1_000_000,
      directory: orUndefined(node["recording.directory"]),
      quota: {
        maxRecordings: node["recording.max_recordings"],
        maxTotalBytes: node["recording.max_total_megabytes"] * 1_000_000,
        minFreeBytes: node["recording.min_free_megabytes"] * 1_000_000,
      },
    },
    diagnostics: {
      maxLatency: orUndefined(nanoseconds(node["diagnostics.max_latency"])),
      minRate: orUndefined(node["diagnostics.min_rate"]),
    },
    logInterval: nanoseconds(node.log_interval),
  };
}

function cloudSettings(name: string, cloud: CloudValues): CloudSettings {
  const { topic } = cloud;
  const common = {
    name,
    qos: qos(cloud.reliability, cloud.depth),
    stampedByArrival: cloud.stamps === "arrival",
  };
  if (cloud.type === "points") return { ...common, kind: "points", topic, messageType: POINT_CLOUD2_TYPE };
  const image = {
    ...common,
    kind: "depth",
    cameraInfoTopic: cloud.camera_info_topic,
    rectified: cloud.rectified,
  } as const;
  return cloud.type === "depth"
    ? { ...image, topic, messageType: IMAGE_TYPE }
    : { ...image, topic: transportTopic(topic, "compressedDepth"), messageType: COMPRESSED_IMAGE_TYPE };
}

function cameraSettings(name: string, camera: CameraValues): CameraSettings {
  return {
    name,
    topic: transportTopic(camera.image_topic, camera.transport),
    messageType: camera.transport === "raw" ? IMAGE_TYPE : COMPRESSED_IMAGE_TYPE,
    cameraInfoTopic: camera.camera_info_topic,
    rectified: camera.rectified,
    qos: qos(camera.reliability, camera.depth),
    stampedByArrival: camera.stamps === "arrival",
  };
}

function syncSettings(
  node: NodeValues,
  furtherClouds: readonly (readonly [string, CloudValues])[],
  cameras: readonly (readonly [string, CameraValues])[],
): SyncOptions {
  return syncOptions({
    maxWait: nanoseconds(node["sync.max_wait"]),
    inactiveAfter: node["sync.inactive_after"],
    cloudQueueSize: node["sync.cloud_queue_size"],
    jumpThreshold: nanoseconds(node["sync.jump_threshold"]),
    cameras: Object.fromEntries([
      ...furtherClouds.map(([name, { tolerance }]): [string, Partial<CameraSyncOptions>] => [
        name,
        { tolerance: nanoseconds(tolerance), fromMiddle: false },
      ]),
      ...cameras.map(
        ([name, { offset, tolerance, maximum_age: maximumAge }]): [string, Partial<CameraSyncOptions>] => [
          name,
          {
            offset: nanoseconds(offset),
            tolerance: nanoseconds(tolerance),
            ...(maximumAge !== 0 && { maximumAge: nanoseconds(maximumAge) }),
          },
        ],
      ),
    ]),
  });
}

function readTable<T extends ParameterTable>(
  table: T,
  prefix: string,
  values: ReadonlyMap<string, PlainValue>,
): ValuesOf<T> {
  return Object.fromEntries(Object.keys(table).map((key) => [key, values.get(prefix + key)])) as ValuesOf<T>;
}

/** "class=#rrggbb" */
function parseColor(text: string): [string, Rgb] {
  const [name, digits] = text.split("=#") as [string, string];
  const channel = (index: number): number => parseInt(digits.slice(2 * index, 2 * index + 2), 16);
  return [name, [channel(0), channel(1), channel(2)]];
}

function qos<R extends SensorQos["reliability"]>(reliability: R, depth: number) {
  return { reliability, durability: "volatile", depth } as const;
}

function nanoseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9));
}

/** Empty strings and zeros of parameters that mean "not given". */
function orUndefined<T extends string | number | bigint>(value: T): T | undefined {
  return value === "" || value === 0 || value === 0n ? undefined : value;
}

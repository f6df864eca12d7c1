import { Fault } from "../../faults/Fault.js";
import { decodePointCloud2, POINT_CLOUD2_TYPE } from "../../messages/pointCloud2.js";
import { scanMidpoint } from "../../messages/scanMidpoint.js";
import { ModelBundle } from "../../model/ModelBundle.js";
import { encodeScanStatus } from "../../messages/scanStatus.js";
import {
  FrameAssembler,
  type FrameAssemblerOptions,
  type MotionOptions,
} from "../../perception/FrameAssembler.js";
import { PerceptionPipeline } from "../../perception/PerceptionPipeline.js";
import { SyncLedger, type SyncStatistics } from "../../sync/SyncLedger.js";
import { scanInfo } from "../diagnostics/ScanInfo.js";
import { statusMessage } from "../diagnostics/statusMessage.js";
import type { Stamped } from "../../sync/types.js";
import type { NodeSettings } from "../parameters/NodeSettings.js";
import { CalibrationInputs } from "./CalibrationInputs.js";
import { DropReports } from "./DropReports.js";
import type { LiveMessage } from "./LiveMessage.js";
import { LivePerception, type FinishedScan } from "./LivePerception.js";
import type { NodeContext } from "./NodeContext.js";
import { NodeOutputs } from "./NodeOutputs.js";
import { pipelineSettings } from "./pipelineSettings.js";
import { SensorInputs, type SensorInput } from "./SensorInputs.js";
import type { SensorSubscription } from "./SensorSubscription.js";
import { TransformWait } from "./TransformWait.js";

/**
 * A thread that has not answered for so long hangs, and is replaced; labels that come later help no robot. Milliseconds.
 */
const STAGE_LIMIT_MS = 60_000;

interface Active {
  readonly inputs: SensorInputs;
  readonly live: LivePerception;
  readonly ledger: SyncLedger;
  readonly drops: DropReports;
}

/** All that exists from configuration to clean-up: the model, what is known of the robot, and the publishers. */
export class ConfiguredPerception {
  readonly bundle: ModelBundle;
  readonly pipeline: PerceptionPipeline;
  readonly #context: NodeContext;
  readonly #transforms = new TransformWait();
  readonly #assembler: FrameAssembler;
  readonly #calibration: CalibrationInputs;
  readonly #outputs: NodeOutputs;
  readonly #cameras: readonly string[];
  /** Of the last image, by camera. */
  readonly #imageFrames = new Map<string, string>();
  #settings: NodeSettings;
  #active: Active | undefined;

  private constructor(
    context: NodeContext,
    settings: NodeSettings,
    bundle: ModelBundle,
    pipeline: PerceptionPipeline,
  ) {
    const { ros, faults, time, monitor, recent } = context;
    this.#context = context;
    this.#settings = settings;
    this.bundle = bundle;
    this.pipeline = pipeline;
    this.#cameras = settings.cameras.map(({ name }) => name);
    this.#assembler = new FrameAssembler(assemblerOptions(context, settings), faults);
    this.#outputs = new NodeOutputs({
      ros,
      qos: settings.outputQos,
      cameras: this.#cameras,
      manifest: bundle.manifest,
      now: time.now(),
      onPublish: (topic, type, cdr) => {
        recent.add(topic, type, cdr, time.now());
      },
    });
    try {
      this.#calibration = new CalibrationInputs({
        ros,
        assembler: this.#assembler,
        faults,
        cameraInfoTopics: cameraInfoTopics(context, settings),
        onMessage: (topic, type, cdr) => {
          recent.add(topic, type, cdr, time.now());
        },
        onCameraInfo: (camera) => {
          if (this.#cameras.includes(camera)) monitor.cameraInfoArrived(camera);
        },
        onTransforms: () => {
          this.#transforms.transformsCame();
        },
      });
    } catch (error) {
      this.#outputs.close();
      throw error;
    }
  }

  /**
   * Loads and warms the model, then subscribes to transforms and CameraInfo and advertises the results.
   * Throws a Fault for a model that cannot be loaded, or settings that do not fit it.
   */
  static async start(
    context: NodeContext,
    settings: NodeSettings,
    modelFolder: string,
  ): Promise<ConfiguredPerception> {
    const bundle = await ModelBundle.load(modelFolder);
    const pipeline = await PerceptionPipeline.start({
      bundle,
      provider: settings.model.provider,
      threads: settings.model.threads,
      stageLimitMs: STAGE_LIMIT_MS,
      ...pipelineSettings(settings, bundle),
      ...(settings.intensityScale !== undefined && { intensityScale: settings.intensityScale }),
      ...(settings.intensityField !== undefined && { intensityField: settings.intensityField }),
    });
    try {
      return new ConfiguredPerception(context, settings, bundle, pipeline);
    } catch (error) {
      await pipeline.close();
      throw error;
    }
  }

  /**
   * Throws a Fault "ros-unavailable" when ROS does not know a type; nothing is active then.
   * @param onFailure told once when nothing can be labelled any more
   */
  activate(onFailure: (error: unknown) => void): void {
    const { ros, faults, monitor } = this.#context;
    const ledger = new SyncLedger();
    const topics = this.#topicsByName();
    const drops = new DropReports({
      ledger,
      faults,
      topicOf: (name) => topics.get(name ?? this.#settings.clouds[0].name)!,
    });
    const live = new LivePerception({
      pipeline: this.pipeline,
      assembler: this.#assembler,
      transforms: this.#transforms,
      sync: this.#settings.sync,
      ledger,
      wanted: () => this.#outputs.wanted(),
      transformTimeoutMs: () => Number(this.#settings.transformTimeout) / 1e6,
      onScan: (scan) => {
        this.#finish(scan);
      },
      onFailure,
    });
    try {
      this.#active = { live, ledger, drops, inputs: new SensorInputs(ros, this.#sensorInputs(live), faults) };
    } catch (error) {
      // Nothing has come in yet that it would have to finish.
      void live.close();
      drops.close();
      throw error;
    }
    monitor.activated();
  }

  /** Takes nothing more in; resolves when the scans under way are published. */
  async deactivate(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    active?.inputs.close();
    await active?.live.close();
    active?.drops.close();
  }

  async close(): Promise<void> {
    await this.deactivate();
    this.#calibration.close();
    this.#outputs.close();
    await this.pipeline.close();
  }

  /** @param names the parameters that changed */
  apply(settings: NodeSettings, names: ReadonlySet<string>): void {
    this.#settings = settings;
    this.pipeline.update(pipelineSettings(settings, this.bundle));
    this.#assembler.configure(motionOptions(settings));
    if ([...names].some(isOfJoin)) this.#active?.live.setSync(settings.sync);
  }

  /** Time jumped back: transforms and waiting messages of the other time are forgotten. */
  reset(): void {
    this.#assembler.forgetMotion();
    this.#active?.live.reset();
  }

  /** Absent while not active. */
  get sync(): SyncStatistics | undefined {
    return this.#active?.ledger.statistics();
  }

  /** Of a cloud or camera; undefined while not active. */
  subscription(name: string): SensorSubscription | undefined {
    return this.#active?.inputs.subscription(name);
  }

  /** Of a camera's last image; undefined before the first. */
  imageFrame(camera: string): string | undefined {
    return this.#imageFrames.get(camera);
  }

  /** Subscribes anew where the publishers offer something else than before. */
  adaptToPublishers(): void {
    this.#calibration.adaptToPublishers();
    this.#active?.inputs.adaptToPublishers();
  }

  get listeners(): number {
    return this.#outputs.listeners;
  }

  #finish({ scan, outcome, arrivedAt }: FinishedScan): void {
    const { faults, monitor } = this.#context;
    const info = scanInfo(scan);
    if (outcome.kind === "labelled") {
      for (const fault of outcome.faults) faults.record(fault);
      this.#outputs.publishScan(outcome);
    } else {
      faults.record(outcome.fault);
    }
    const latencyMs = performance.now() - arrivedAt;
    this.#outputs.publishStatus(() =>
      encodeScanStatus(statusMessage(outcome, info, this.#cameras, latencyMs)),
    );
    monitor.scanFinished(outcome, info, latencyMs);
  }

  /** Nanoseconds from the scan's stamp to its middle, from which offsets of cameras count; 0 where they do not. */
  #middle({ topic, type, cdr }: LiveMessage): bigint {
    const { scanMidpoint: fromMiddle, cameras } = this.#settings;
    if (!fromMiddle || cameras.length === 0 || type !== POINT_CLOUD2_TYPE) return 0n;
    try {
      return scanMidpoint(decodePointCloud2(cdr));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#context.faults.record(error.at({ topic }));
      return 0n;
    }
  }

  /** With the time of its arrival in place of its stamp, where that is wanted. */
  #stamped(message: Stamped<LiveMessage>, byArrival: boolean): Stamped<LiveMessage> {
    return byArrival ? { ...message, stamp: this.#context.time.now() } : message;
  }

  #sensorInputs(live: LivePerception): SensorInput[] {
    const { monitor, recent, time } = this.#context;
    const { clouds, cameras } = this.#settings;
    return [
      ...clouds.map(({ name, topic, messageType: type, qos, stampedByArrival }, index): SensorInput => ({
        name,
        topic,
        type,
        qos,
        setsScan: index === 0,
        onMessage: (received, resolved, cdr) => {
          const message = received && this.#stamped(received, stampedByArrival);
          monitor.cloudArrived(name, message?.stamp, cdr.byteLength);
          recent.add(resolved, type, cdr, time.now());
          if (message === undefined) return;
          if (index > 0) {
            live.pushImage(name, message);
            return;
          }
          live.pushCloud({ ...message, middle: this.#middle(message.payload) });
        },
      })),
      ...cameras.map(({ name, topic, messageType: type, qos, stampedByArrival }): SensorInput => ({
        name,
        topic,
        type,
        qos,
        setsScan: false,
        onMessage: (received, resolved, cdr) => {
          const message = received && this.#stamped(received, stampedByArrival);
          monitor.imageArrived(name, message?.stamp, cdr.byteLength);
          recent.add(resolved, type, cdr, time.now());
          if (message === undefined) return;
          this.#imageFrames.set(name, message.payload.frameId);
          live.pushImage(name, message);
        },
      })),
    ];
  }

  #topicsByName(): ReadonlyMap<string, string> {
    const { clouds, cameras } = this.#settings;
    return new Map(
      [...clouds, ...cameras].map(({ name, topic }) => [name, this.#context.ros.resolveTopic(topic)]),
    );
  }
}

function assemblerOptions({ ros }: NodeContext, settings: NodeSettings): FrameAssemblerOptions {
  const { clouds, cameras, targetFrame } = settings;
  const rectifiedDepth = clouds.filter((cloud) => cloud.kind === "depth" && cloud.rectified);
  return {
    ...motionOptions(settings),
    rectified: new Set([
      ...cameras.filter(({ rectified }) => rectified).map(({ name }) => name),
      ...rectifiedDepth.map(({ topic }) => ros.resolveTopic(topic)),
    ]),
    otherSources: new Set(clouds.slice(1).map(({ name }) => name)),
    ...(targetFrame !== undefined && { mergedFrame: targetFrame }),
  };
}

/** By the name that the assembler knows the camera by. */
function cameraInfoTopics({ ros }: NodeContext, { clouds, cameras }: NodeSettings): Map<string, string> {
  return new Map([
    ...cameras.map(({ name, cameraInfoTopic }) => [name, cameraInfoTopic] as const),
    ...clouds.flatMap((cloud) =>
      cloud.kind === "depth" ? [[ros.resolveTopic(cloud.topic), cloud.cameraInfoTopic] as const] : [],
    ),
  ]);
}

function motionOptions({ fixedFrame, deskew, transformOffset }: NodeSettings): MotionOptions {
  return { deskew, transformOffset, ...(fixedFrame !== undefined && { fixedFrame }) };
}

/** Parameters that the join is made with. */
function isOfJoin(name: string): boolean {
  return name.startsWith("sync.") || /\.(offset|tolerance|maximum_age)$/.test(name);
}

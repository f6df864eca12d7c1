import { Subscription } from "rxjs";
import { Fault } from "../../faults/Fault.js";
import { FaultLog } from "../../faults/FaultLog.js";
import { encodeDiagnosticArray } from "../../messages/diagnosticArray.js";
import { NodeMonitor } from "../diagnostics/NodeMonitor.js";
import { classNamesValidator } from "../parameters/classNamesValidator.js";
import type { ParameterStore, SettingsChange } from "../parameters/ParameterStore.js";
import type {
  LifecycleCallbacks,
  LogSeverity,
  RosNode,
  RosPublisher,
  TransitionResult,
} from "../port/RosNode.js";
import { RecentMessages, savedSentence } from "../recording/RecentMessages.js";
import { ConfiguredPerception } from "./ConfiguredPerception.js";
import { monitoredInputs } from "./monitoredInputs.js";
import type { NodeContext } from "./NodeContext.js";
import { PUBLISHED_TOPICS, SAVE_RECORDING_SERVICE } from "./nodeTopics.js";
import { Restarts, type RestartOptions } from "./Restarts.js";
import { RosTime } from "./RosTime.js";
import { TopicSurvey } from "./TopicSurvey.js";

/** diagnostic_updater's default. */
const DIAGNOSTICS_PERIOD_MS = 1000;

/** `ros2 launch` waits 5 s in all before it asks again, less politely. Milliseconds. */
const RELEASE_LIMIT_MS = 1500;
const RECORDING_LIMIT_MS = 2000;

const LOG_SEVERITY = { info: "info", warning: "warn", error: "error" } as const satisfies Record<
  Fault["severity"],
  LogSeverity
>;

export interface PerceptionNodeOptions {
  readonly ros: RosNode;
  readonly store: ParameterStore;
  /** Folder of the model when the parameter `model` is empty. */
  readonly bundledModel: string;
  /** Of a node that starts itself, when its workers die. */
  readonly restarts?: RestartOptions;
}

/**
 * The managed node. Configuring loads the model, activating subscribes to clouds and images; diagnostics are published
 * from the start to the end. When a worker dies the node goes back to unconfigured and, if it starts itself, starts
 * again, to the state that it was in.
 */
export class PerceptionNode implements LifecycleCallbacks {
  readonly #ros: RosNode;
  readonly #store: ParameterStore;
  readonly #bundledModel: string;
  readonly #context: NodeContext;
  readonly #diagnostics: RosPublisher;
  readonly #timer: NodeJS.Timeout;
  readonly #subscriptions = new Subscription();
  #configured: ConfiguredPerception | undefined;
  /** Counts what makes an earlier configuring stale, should it still be under way. */
  #attempt = 0;
  #removeValidator: (() => void) | undefined;
  readonly #restarts: Restarts;
  readonly #survey: TopicSurvey;
  /** Why the node is not as it should be. */
  #problem: string | undefined;
  /** What will be done about it. */
  #prospect: string | undefined;
  /** Set from a failure of the workers until they have been released. */
  #failed = false;
  /** Where the last transition that was asked for leads. */
  #goal: "inactive" | "active" = "inactive";
  #closed = false;

  constructor({ ros, store, bundledModel, restarts }: PerceptionNodeOptions) {
    const { settings } = store;
    this.#ros = ros;
    this.#store = store;
    this.#bundledModel = bundledModel;
    this.#restarts = new Restarts(restarts);
    this.#survey = new TopicSurvey(ros);
    const faults = new FaultLog({
      announce: ({ severity, text }) => {
        ros.log(LOG_SEVERITY[severity], text);
      },
      intervalMs: Number(settings.logInterval) / 1e6,
      onRecord: (fault) => {
        monitor.faultRecorded(fault);
      },
    });
    const time = new RosTime(ros, faults);
    const monitor = new NodeMonitor({
      nodeName: ros.name,
      hardwareId: ros.fullyQualifiedName,
      ...monitoredInputs({
        ros,
        settings: () => store.settings,
        subscription: (name) => this.#configured?.subscription(name),
        survey: this.#survey,
        frameOf: (name) => this.#configured?.imageFrame(name),
      }),
      clock: () => ({ steady: performance.now(), ros: time.now() }),
      log: {
        announce: (level, text) => {
          ros.log(level, text);
        },
        intervalMs: () => Number(store.settings.logInterval) / 1e6,
      },
    });
    const recent = new RecentMessages(settings.recording);
    this.#context = { ros, time, faults, monitor, recent };
    this.#diagnostics = ros.advertise(PUBLISHED_TOPICS.diagnostics);
    this.#subscriptions.add(
      time.jumps.subscribe(() => {
        this.#configured?.reset();
      }),
    );
    this.#subscriptions.add(
      store.settingsChanges.subscribe((change) => {
        this.#apply(change);
      }),
    );
    time.useSimTime(settings.useSimTime);
    ros.serveTrigger({
      service: SAVE_RECORDING_SERVICE,
      onCall: () => this.#saveRecording(),
    });
    ros.manage(this);
    this.#timer = setInterval(() => {
      this.#configured?.adaptToPublishers();
      this.#publishDiagnostics();
    }, DIAGNOSTICS_PERIOD_MS);
  }

  /** Configures and activates the node, when the parameter `autostart` says so. */
  async start(): Promise<void> {
    if (!this.#store.settings.autostart) return;
    if (await this.#ros.changeState("configure")) await this.#ros.changeState("activate");
  }

  async onConfigure(): Promise<TransitionResult> {
    this.#goal = "inactive";
    this.#restarts.cancel();
    const { settings } = this.#store;
    const folder = settings.model.folder ?? this.#bundledModel;
    const attempt = ++this.#attempt;
    let configured: ConfiguredPerception;
    try {
      configured = await ConfiguredPerception.start(this.#context, settings, folder);
    } catch (error) {
      return this.#fail(error);
    }
    if (attempt !== this.#attempt) {
      // It took so long that it was given up.
      await configured.close();
      return "failure";
    }
    const { pipeline, bundle } = configured;
    const classes = bundle.manifest.classes.map(({ name }) => name);
    try {
      this.#removeValidator = this.#store.addValidator(classNamesValidator(classes));
    } catch (error) {
      await configured.close();
      return this.#fail(error);
    }
    // What was set while the model was loading.
    configured.apply(this.#store.settings, new Set());
    void pipeline.failed.then((error) => {
      this.#onFailure(configured, error);
    });
    this.#configured = configured;
    this.#restarts.started();
    this.#problem = this.#prospect = undefined;
    const { requested, obtained } = pipeline.providerReport;
    const { name, licence } = bundle.manifest;
    const terms = licence === undefined ? "" : `; ${licence}`;
    this.#ros.log("info", `model ${name} is ready on ${obtained} (asked for: ${requested})${terms}`);
    return "success";
  }

  onActivate(): Promise<TransitionResult> {
    const configured = this.#configured!;
    try {
      configured.activate((error) => {
        this.#onFailure(configured, error);
      });
    } catch (error) {
      return Promise.resolve(this.#fail(error));
    }
    this.#goal = "active";
    this.#problem = undefined;
    return Promise.resolve("success");
  }

  async onDeactivate(): Promise<TransitionResult> {
    if (!this.#failed) {
      this.#goal = "inactive";
      await this.#configured!.deactivate();
    }
    // The workers may have died before their last scan.
    return this.#failed ? "error" : "success";
  }

  async onCleanup(): Promise<TransitionResult> {
    if (this.#failed) return "error";
    await this.#release();
    return "success";
  }

  async onShutdown(): Promise<TransitionResult> {
    this.#restarts.cancel();
    await this.#release();
    return "success";
  }

  /** @param error what a transition threw; undefined when it ended so since the workers have failed */
  async onError(error: unknown): Promise<TransitionResult> {
    if (error !== undefined) this.#problem = messageOf(error);
    await this.#release();
    this.#failed = false;
    return "success";
  }

  /**
   * Shuts the node down and ends what it started, within seconds whatever is under way: a recording is finished with what
   * it has, a run of the model ends with the process at the latest, and what cannot be ended is left to that too.
   */
  async end(): Promise<void> {
    const recorded = this.#context.recent.close();
    const released = this.#ros.changeState("shutdown").then(() => this.close());
    if (!(await endsWithin(released, RELEASE_LIMIT_MS))) {
      this.#ros.log("warn", "a scan was still being labelled when the node ended");
    }
    if (!(await endsWithin(recorded, RECORDING_LIMIT_MS))) {
      this.#ros.log(
        "error",
        "a recording was still being written when the node ended: its file is not complete",
      );
    }
  }

  /** Ends everything that the node started; ROS itself is left to the caller. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#restarts.cancel();
    this.#survey.close();
    this.#subscriptions.unsubscribe();
    await Promise.all([this.#release(), this.#context.recent.close()]);
    this.#context.time.close();
    this.#context.monitor.close();
  }

  async #release(): Promise<void> {
    this.#attempt++;
    const configured = this.#configured;
    this.#configured = undefined;
    this.#removeValidator?.();
    this.#removeValidator = undefined;
    await configured?.close();
  }

  /** A Fault is the user's to mend, and leaves the node where it was; anything else is a defect. */
  #fail(error: unknown): TransitionResult {
    if (!(error instanceof Fault)) throw error;
    this.#problem = error.message;
    this.#context.faults.record(error.asError());
    return "failure";
  }

  /** The workers have failed: nothing can be labelled until they are started again. */
  #onFailure(configured: ConfiguredPerception, error: unknown): void {
    if (this.#failed || this.#configured !== configured) return;
    this.#failed = true;
    this.#restarts.ended();
    this.#problem = `labelling has failed: ${messageOf(error)}`;
    this.#ros.log("fatal", error instanceof Error ? (error.stack ?? error.message) : String(error));
    void this.#recover();
  }

  /** By way of error processing to unconfigured, and up again. */
  async #recover(): Promise<void> {
    const ros = this.#ros;
    while (ros.state === undefined) await ros.transitionEnded();
    // A transition that was under way has ended in error processing by itself.
    if (this.#failed) await ros.changeState(ros.state === "active" ? "deactivate" : "cleanup");
    this.#scheduleRestart(this.#goal);
  }

  #scheduleRestart(goal: "inactive" | "active"): void {
    const isDown = this.#ros.state === "unconfigured" && !this.#closed;
    if (!isDown || !this.#store.settings.autostart) return;
    this.#prospect = this.#restarts.schedule(() => {
      void this.#restart(goal);
    });
    this.#ros.log("warn", this.#prospect);
  }

  async #restart(goal: "inactive" | "active"): Promise<void> {
    if (this.#ros.state !== "unconfigured") return;
    if (!(await this.#ros.changeState("configure"))) this.#scheduleRestart(goal);
    else if (goal === "active") await this.#ros.changeState("activate");
  }

  /** A refusal is in the log and in diagnostics too, as rarely as every fault, however often a peer asks. */
  async #saveRecording(): Promise<string> {
    try {
      return savedSentence(await this.#context.recent.save());
    } catch (error) {
      if (error instanceof Fault) this.#context.faults.record(error);
      throw error;
    }
  }

  #apply({ settings, names }: SettingsChange): void {
    const { faults, time } = this.#context;
    faults.intervalMs = Number(settings.logInterval) / 1e6;
    time.useSimTime(settings.useSimTime);
    this.#configured?.apply(settings, names);
  }

  #publishDiagnostics(): void {
    const { monitor } = this.#context;
    const { maxLatency, minRate } = this.#store.settings.diagnostics;
    const configured = this.#configured;
    const sync = configured?.sync;
    const report = monitor.report({
      state: this.#ros.state,
      ...(this.#problem !== undefined && {
        problem: [this.#problem, this.#prospect].filter((part) => part !== undefined).join("; "),
      }),
      restarts: this.#restarts.total,
      ...(configured && {
        model: {
          name: configured.bundle.manifest.name,
          licence: configured.bundle.manifest.licence,
          provider: configured.pipeline.providerReport,
        },
      }),
      maxLatencyMs: Number(maxLatency ?? 0n) / 1e6,
      minRate: minRate ?? 0,
      ...(sync && { sync }),
      listeners: configured?.listeners ?? 0,
    });
    this.#diagnostics.publish(encodeDiagnosticArray(report));
  }
}

/** @returns false when it has not ended by then; it goes on */
async function endsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, limitMs);
  });
  const ended = await Promise.race([work.then(() => true), limit]);
  clearTimeout(timer);
  return ended;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { DiagnosticLevel } from "../../messages/types.js";

/** What a status is about; a cloud or camera has a status of its own each. */
export const SUBJECTS = [
  "model",
  "cloud",
  "camera",
  "synchronization",
  "labelling",
  "host",
  "faults",
] as const;
export type Subject = (typeof SUBJECTS)[number];

/** A stream is silent when it has been for this many of its periods, and for at least `SILENT_MS`. */
export const SILENT_PERIODS = 5;
export const SILENT_MS = 1000;
/** A stream that has not begun is given this long after activation, milliseconds. */
export const FIRST_MESSAGE_MS = 3000;
/** Stamps may differ from this node's clock by this much at arrival, seconds (as diagnostic_updater: -1 to 5 s). */
export const STAMP_AHEAD_S = 1;
export const STAMP_BEHIND_S = 5;
/** Without any outcome for this long, milliseconds, and for five times the longest latency, labelling has stalled. */
export const STALLED_MS = 10_000;
export const STALLED_LATENCIES = 5;
/** Share of the clouds of a period that may be overtaken before it is worth a warning. */
export const SUPERSEDED_SHARE = 0.1;
/** Milliseconds that the main thread may be busy at a time. */
export const BLOCKED_MS = 100;

export interface DiagnosticRule {
  readonly subject: Subject;
  readonly level: DiagnosticLevel;
  /** When it holds. */
  readonly when: string;
  /** What to look at. */
  readonly remedy: string;
}

const { WARN, ERROR } = DiagnosticLevel;

/** Everything that makes a status other than OK. docs/diagnostics.md is made from this. */
export const DIAGNOSTIC_RULES = {
  "not-configured": {
    subject: "model",
    level: ERROR,
    when: "The last transition failed, the workers of the model have died, or the node is finalized.",
    remedy:
      "The sentence says why, and whether the node starts again by itself; else `ros2 lifecycle set` starts the transition again once that is put right.",
  },
  "provider-not-asked-for": {
    subject: "model",
    level: WARN,
    when: "Another execution provider is in use than the one that was named.",
    remedy: "`ditr doctor` shows what each provider says on this machine.",
  },
  "nodes-elsewhere": {
    subject: "model",
    level: WARN,
    when: "Most nodes of the model's graphs run on another provider than the one in use.",
    remedy: "The provider lacks operators of the model; try another provider or a newer ONNX Runtime.",
  },
  "cloud-silent": {
    subject: "cloud",
    level: ERROR,
    when: `The node is active and no cloud came for ${SILENT_PERIODS} periods and at least ${SILENT_MS / 1000} s (${FIRST_MESSAGE_MS / 1000} s after activation).`,
    remedy:
      "Without publishers of the type the sentence names what is published in its place: messages of another type with what makes the right ones of them, or the right ones on another topic; else look at the driver and the topic's name (`ros2 topic list`). With publishers, at the QoS of both sides (`ros2 topic info -v`) and at the socket buffers of the DDS.",
  },
  "cloud-stamp": {
    subject: "cloud",
    level: WARN,
    when: `At arrival the last stamp was more than ${STAMP_BEHIND_S} s behind this node's clock, or ${STAMP_AHEAD_S} s ahead of it.`,
    remedy:
      "Synchronize the clocks (PTP, chrony) and make the driver stamp in system time; while a bag plays, set `use_sim_time`.",
  },
  "camera-silent": {
    subject: "camera",
    level: WARN,
    when: "As `cloud-silent`, for images: scans go on image-free or with the other cameras.",
    remedy: "As `cloud-silent`.",
  },
  "camera-inactive": {
    subject: "camera",
    level: WARN,
    when: "Its images missed so many scans that none waits for it (`sync.inactive_after`).",
    remedy: "The sentence has the reason; the camera is used again as soon as its images come in time.",
  },
  "camera-missing": {
    subject: "camera",
    level: WARN,
    when: "More than half of the scans of the last period had no usable image of it.",
    remedy:
      "The sentence has the reasons with what to look at; when the images are always off by the same time, with the `offset` at which they would match; when CameraInfo or transforms do not come, with the topics on which they are.",
  },
  "camera-stamp": {
    subject: "camera",
    level: WARN,
    when: "As `cloud-stamp`, for images.",
    remedy: "As `cloud-stamp`.",
  },
  "camera-clock": {
    subject: "camera",
    level: WARN,
    when: "The stamps of its images and of the clouds that arrive with them differ by more than `offset` and a second.",
    remedy:
      "Synchronize the clocks (PTP, chrony). The sentence has the `offset` that takes the difference into account; where a clock drifts, `stamps: arrival` takes times of arrival.",
  },
  "stamp-unit": {
    subject: "camera",
    level: WARN,
    when: "The stamps of its images, or of the clouds, run at another rate than the messages arrive: their unit is another.",
    remedy:
      "Mend the driver, whose stamps are not seconds and nanoseconds; until then `stamps: arrival` of that input takes times of arrival.",
  },
  "messages-dropped": {
    subject: "synchronization",
    level: WARN,
    when: "In the last period messages were dropped as `late`, `queue_full`, `bad_stamp`, `out_of_order` or `duplicate`.",
    remedy: "See the fault `dropped-...` of that cause in docs/faults.md.",
  },
  "time-jumped": {
    subject: "synchronization",
    level: WARN,
    when: "In the last period time jumped back.",
    remedy:
      "A bag that plays in a loop does this; on a robot look for two publishers on a topic, and for a clock that is set.",
  },
  "labelling-stalled": {
    subject: "labelling",
    level: ERROR,
    when: `Clouds come and someone listens, but for ${STALLED_MS / 1000} s and ${STALLED_LATENCIES} times the longest latency no scan was finished.`,
    remedy: "Look at the status of the synchronization and of the host, and at the log; restart the node.",
  },
  "all-scans-failed": {
    subject: "labelling",
    level: ERROR,
    when: "Every scan of the last period failed.",
    remedy: "The sentence has the last reason; see its code in docs/faults.md.",
  },
  "scans-failed": {
    subject: "labelling",
    level: WARN,
    when: "Some scans of the last period failed.",
    remedy: "As `all-scans-failed`.",
  },
  "points-implausible": {
    subject: "labelling",
    level: WARN,
    when: "In the last period points or intensities of scans could not be what the model takes for them: nearly all out of its range or at (0, 0, 0), in one voxel, or above the scale.",
    remedy: "The sentence says what the numbers look like; see `implausible-points` in docs/faults.md.",
  },
  "latency-high": {
    subject: "labelling",
    level: WARN,
    when: "In the last period scans took longer than `diagnostics.max_latency` from the arrival of the cloud to the publication of its labels.",
    remedy:
      "The stage times show where the time goes: use a smaller model, another provider, a shorter `sync.max_wait`.",
  },
  "rate-low": {
    subject: "labelling",
    level: WARN,
    when: "Someone listens and fewer scans are labelled per second than `diagnostics.min_rate`.",
    remedy: "Compare with the rate of the clouds and the stage times.",
  },
  "scans-superseded": {
    subject: "labelling",
    level: WARN,
    when: `More than ${SUPERSEDED_SHARE * 100} % of the clouds of the last period were overtaken by a newer one while the model was busy.`,
    remedy: "The model is slower than the scanner: use a smaller one, or a faster provider.",
  },
  "event-loop-blocked": {
    subject: "host",
    level: WARN,
    when: `The main thread was busy for more than ${BLOCKED_MS} ms at a time: messages that come meanwhile can be lost.`,
    remedy: "Give the process more of the machine; report it if the machine is idle.",
  },
  "faults-error": {
    subject: "faults",
    level: ERROR,
    when: "In the last period there were faults of severity error.",
    remedy: "See their codes in docs/faults.md.",
  },
  "faults-warning": {
    subject: "faults",
    level: WARN,
    when: "In the last period there were faults of severity warning, and none worse.",
    remedy: "See their codes in docs/faults.md.",
  },
} as const satisfies Readonly<Record<string, DiagnosticRule>>;

export type DiagnosticRuleName = keyof typeof DIAGNOSTIC_RULES;

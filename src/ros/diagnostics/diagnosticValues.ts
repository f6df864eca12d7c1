import type { Subject } from "./diagnosticRules.js";

const INPUT_VALUES = {
  Topic: "fully qualified, after remapping",
  Publishers: "on the topic now",
  Reliability: "that the subscription asks for; with `auto` as the publishers offer",
  "Subscribed anew": "since activation, because the publishers' reliability changed",
  "Actual frequency (Hz)": "messages per second over the last 10 s; falls when they stop",
  "Bytes per second": "over the last 10 s",
  Messages: "since activation",
  "Last message (s)": "since it came",
  "Last stamp age (s)": "this node's clock minus the stamp of the last message",
  "Delay at arrival (s)": "this node's clock minus the stamp, when the last message came",
  Received: "taken in by the synchronization, since activation",
  Delivered: "clouds released to be labelled; images that were part of a scan",
  Dropped: "count by cause",
  Pending: "waiting now",
};

/** What the statuses carry, by subject, with what it means. docs/diagnostics.md is made from this. */
export const DIAGNOSTIC_VALUES = {
  model: {
    State: "of the lifecycle; `in transition` between two states",
    Restarts: "since the start of the node, because workers of the model had died",
    Model: "that is loaded",
    Licence: "of the model's weights, where their use is restricted",
    "Provider asked for": "the parameter `provider`",
    "Provider in use": "with which the sessions were really created",
    "Providers refused": "that were tried before, and what they said",
    "Node placement": "executions of graph nodes by provider in a first run",
  },
  cloud: INPUT_VALUES,
  camera: {
    ...INPUT_VALUES,
    "CameraInfo messages": "since activation",
    Active: "do scans wait for it?",
    "Period (s)": "from image to image, learned from the stamps",
    "Last delta (ms)": "image stamp minus (cloud stamp + `offset`)",
    "Mean delta (ms)": "over the last 100 images; what `offset` should be raised by",
    "Nearest delta (ms)":
      "of the nearest image that had come, while none matches since all are too far from the clouds",
    "Scans with image": "since activation",
    "Scans without image": "since activation, by reason",
    Reused: "images per scan beyond the first scan that each image served",
  },
  synchronization: {
    Received: "clouds and images since activation",
    Delivered: "clouds to be labelled, images that were part of a scan",
    Pending: "waiting now",
    Dropped: "clouds and images by cause",
    Releases: "why clouds were released when they were",
    Jumps: "of time, backward",
  },
  labelling: {
    Mode: "of the last scan",
    Reason: "for the mode; for a failed scan, what went wrong",
    "Share seen": "of the last scan's voxels, by some camera",
    Listeners: "subscribers of the outputs that need a scan labelled",
    "Labelled per second": "over the last 10 s",
    "Fused per second": "over the last 10 s",
    "Image-free per second": "over the last 10 s",
    "Failed per second": "over the last 10 s",
    Fused: "scans since activation",
    "Image-free": "scans since activation",
    Failed: "scans since activation",
    Superseded: "clouds that a newer one overtook, since activation",
    "Latency p50 / p99 (ms)":
      "arrival of the cloud to publication of its labels; like the stages over the last 300 scans",
    "Decode p50 / p99 (ms)": "reading the points",
    "Geometry p50 / p99 (ms)": "voxels and neighbour tables",
    "Images p50 / p99 (ms)": "decoding and resizing images",
    "Projection p50 / p99 (ms)": "of voxels into images",
    "Image encoder p50 / p99 (ms)": "inference on the images",
    "Backbone p50 / p99 (ms)": "inference on the voxels",
    "Detection p50 / p99 (ms)": "boxes, of scans for which somebody wanted them",
    "Compose p50 / p99 (ms)": "writing the labelled clouds",
  },
  host: {
    "Event loop delay p50 (ms)": "how late the main thread comes to what is due, in the last two periods",
    "Event loop delay p99 (ms)": "same",
    "Event loop delay max (ms)": "same",
    "Resident memory (MB)": "of the process",
    "CPU (cores)": "that the process used in the last period",
  },
  faults: {
    "Last error": "sentence of the last fault of severity error, and how long ago",
    "Last warning": "the same of severity warning",
    "(code of a fault)": "count since the start, and in the last period",
  },
} as const satisfies Readonly<Record<Subject, Readonly<Record<string, string>>>>;

/** Values of a status, in the order in which they are shown. */
export type ValuesOf<S extends Subject> = Partial<
  Record<keyof (typeof DIAGNOSTIC_VALUES)[S], string | undefined>
>;

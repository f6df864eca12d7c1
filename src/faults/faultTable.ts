/**
 * How much a fault costs:
 * - `info`: nothing that was needed;
 * - `warning`: a message was lost or a result is degraded;
 * - `error`: a scan was lost, or the input or set-up is wrong.
 */
export const SEVERITIES = ["info", "warning", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface FaultDescription {
  readonly severity: Severity;
  /** One sentence: what happened. */
  readonly meaning: string;
  /** One sentence: what the user can do. */
  readonly remedy: string;
}

/**
 * Everything that can go wrong with an input, and what to do about it. Each code has one counter in summaries and
 * diagnostics, so that a user can tell one broken message from a broken set-up. docs/faults.md is made from this.
 */
export const FAULTS = {
  "malformed-message": {
    severity: "warning",
    meaning: "The bytes or values of a message contradict themselves, and the message is not used.",
    remedy:
      "The sentence names the field: if every message of the topic has it, report it to whoever writes the driver.",
  },
  "redundant-field": {
    severity: "warning",
    meaning:
      "A field that repeats what the message says elsewhere contradicts it, and the rest counts; said once per topic.",
    remedy:
      "Nothing has to be done; report it to whoever writes the driver, since other readers may stumble over it.",
  },
  "unsupported-encoding": {
    severity: "warning",
    meaning: "A message is in an encoding, format or distortion model that is not read.",
    remedy: "Choose one that the sentence lists, in the driver or with an image_proc node.",
  },
  "image-decoding-failed": {
    severity: "warning",
    meaning: "The compressed bytes of an image are damaged or are not what its format says.",
    remedy: "A few in a drive are lost frames; all of them mean a wrong `format` field.",
  },
  "camera-info-mismatch": {
    severity: "warning",
    meaning: "The CameraInfo is for another image size than the image has, so the image is not used.",
    remedy: "Calibrate at the size that is recorded, or declare binning and region of interest.",
  },
  "camera-info-missing": {
    severity: "warning",
    meaning:
      "There is no CameraInfo for an image, or it is uncalibrated (its K is zero), so the image is not used.",
    remedy: "Record the camera_info topic beside the image topic, and calibrate the camera.",
  },
  "transform-missing": {
    severity: "warning",
    meaning:
      "The transforms do not connect two sensors, or one with the fixed frame, at the time that was needed.",
    remedy: "Record /tf and /tf_static, and see the tree in `ditr inspect` for the gap.",
  },
  "transforms-conflict": {
    severity: "warning",
    meaning:
      "A frame has several places, or there are the transforms of several robots, which cannot all hold.",
    remedy:
      "The sentence says which are taken; leave one publisher of a frame, or choose topics with `--tf`.",
  },
  "feature-missing": {
    severity: "warning",
    meaning: "A cloud lacks something that the model takes, intensity for instance, and 0 stands in for it.",
    remedy: "Record a topic that has it, or use a model that was trained without.",
  },
  "intensity-fitted": {
    severity: "warning",
    meaning:
      "Intensities are on no scale that the cloud's layout knows (photon counts, for instance), so that their own values gave one; said once per topic.",
    remedy:
      "Say what counts as full with `--intensity-scale`, or choose a calibrated field with `--intensity-field`.",
  },
  "implausible-points": {
    severity: "warning",
    meaning:
      "The points or intensities of a scan cannot be what the model takes for them, so that few or none get a label.",
    remedy:
      "The sentence says what the numbers look like: metres in a frame on the vehicle are wanted, and intensities on a known scale.",
  },
  "bad-bundle": {
    severity: "error",
    meaning: "The model bundle is incomplete, or its parts do not fit each other.",
    remedy: "Export or download the bundle again.",
  },
  "bag-unreadable": {
    severity: "error",
    meaning:
      "A bag, or one file of it, cannot be opened: it is missing, of another kind, or damaged at its root.",
    remedy: "The sentence says what the file is, and which command converts it.",
  },
  "bag-damaged": {
    severity: "warning",
    meaning: "A bag is damaged or cut off; the messages outside the damage are read.",
    remedy: "What is lost is lost; `mcap recover` or `ros2 bag reindex` spares the search at each reading.",
  },
  "bag-unindexed": {
    severity: "warning",
    meaning: "A bag has no index that can be used, and is read without it; nothing is lost.",
    remedy: "Nothing has to be done; `mcap recover` spares the search at each reading.",
  },
  "labelling-interrupted": {
    severity: "error",
    meaning: "A thread that labels has died, for want of memory or of a defect, and its scans are lost.",
    remedy:
      "Nothing has to be done for one: the next scans are labelled by a new thread. If it comes again, look at the memory, and report the sentence.",
  },
  "bag-unwritable": {
    severity: "error",
    meaning: "An output cannot be written.",
    remedy: "Look at the folder's permissions and free space.",
  },
  "bag-unfinished": {
    severity: "warning",
    meaning: "A bag is an output that its command has not finished, or not yet; what it has is read.",
    remedy: "Make it again: the command that wrote it replaces it with --force.",
  },
  "output-refused": {
    severity: "error",
    meaning:
      "A command would destroy something with its output: its input, another file, or what another run writes.",
    remedy: "The sentence says whether another name is needed, or --force.",
  },
  "data-set-unreadable": {
    severity: "error",
    meaning:
      "A data set folder, or labels to compare with, are incomplete or not in the layout that is read.",
    remedy: "The sentence names the file and what it should hold.",
  },
  "invalid-configuration": {
    severity: "error",
    meaning: "An option is out of its range, or does not fit the bag or the model.",
    remedy: "The sentence lists what is allowed.",
  },
  "provider-unavailable": {
    severity: "error",
    meaning: "The execution provider that was asked for cannot run the model on this machine.",
    remedy: "`ditr doctor` shows which providers work here, and what the others say.",
  },
  "ros-unavailable": {
    severity: "error",
    meaning: "ROS 2, or rclnodejs for it, cannot be used in this shell.",
    remedy: "The sentence names what is missing; source ROS, and run `npm run ros:install` once.",
  },
  "inference-failed": {
    severity: "error",
    meaning: "The model could not be run on a scan, which stays unlabelled.",
    remedy: "Usually the memory of the device is too small: use a smaller model, or a coarser range.",
  },
  "clocks-differ": {
    severity: "warning",
    meaning:
      "The stamps of two topics are of different clocks (TAI and UTC, a clock that counts from its start, one that drifts), in different units, or those of transforms are 0, so that they do not tell which messages belong together.",
    remedy:
      "The sentence has the difference and the option that takes it into account (`--camera-offset NAME=auto`, `--tf-offset auto`, `--stamp-by-log TOPIC`). Where it also names a topic that was logged late, and that is so, nothing has to be done. On the robot, synchronize the clocks (PTP, chrony).",
  },
  "dropped-no-match": {
    severity: "info",
    meaning:
      "No cloud was nearest to an image; with a camera that is faster than the scanner this is normal.",
    remedy: "If every image is dropped, set --camera-offset or a larger --tolerance.",
  },
  "dropped-late": {
    severity: "warning",
    meaning: "An image came after the cloud that it belongs to had left.",
    remedy:
      "Allow a longer `sync.max_wait`, or make the camera driver faster (live only: in a recording nothing is late).",
  },
  "dropped-superseded": {
    severity: "warning",
    meaning: "A newer cloud came while the model was busy, so that this one was left out (live only).",
    remedy: "Use a smaller model or a faster provider to label every scan.",
  },
  "dropped-queue-full": {
    severity: "warning",
    meaning: "An image left a full buffer before any cloud used it.",
    remedy: "Look whether the clouds arrive at all, and whether both sensors have the same clock.",
  },
  "dropped-bad-stamp": {
    severity: "warning",
    meaning: "The stamp of a message is zero or negative.",
    remedy:
      "Make the driver fill in header.stamp; `--stamp-by-log TOPIC` takes the log times of a recording instead, the parameter `stamps: arrival` the times of arrival.",
  },
  "dropped-out-of-order": {
    severity: "warning",
    meaning: "A message is older than what was already decided, and cannot be placed any more.",
    remedy: "Look for two publishers on one topic, and for a clock that is set while it runs.",
  },
  "dropped-duplicate": {
    severity: "warning",
    meaning: "A stream brought the same stamp a second time.",
    remedy: "Look for two publishers on one topic, and for a driver that repeats its last message.",
  },
  "dropped-reset": {
    severity: "warning",
    meaning: "Time jumped back (a bag in a loop, a clock that was set) while a message was waiting.",
    remedy: "Nothing has to be done; only the messages around the jump are lost.",
  },
  "time-jumped": {
    severity: "warning",
    meaning: "Time jumped back (a bag in a loop, a clock that was set), and the node began anew (live only).",
    remedy:
      "A bag that plays in a loop does this; on a robot look for two publishers on a topic, and for a clock that is set.",
  },
} as const satisfies Record<string, FaultDescription>;

export type FaultCode = keyof typeof FAULTS;

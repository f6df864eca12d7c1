/**
 * What is right for each recording that goes wrong elsewhere: in words, and in a form that can be checked. A recording is
 * a drive of four scans and one camera unless its words say otherwise.
 *
 * @typedef {object} Expectation
 * @property {string} file below the folder of cases
 * @property {string} right in words
 * @property {string[]} [options] of `ditr inspect` and `ditr run`
 * @property {string} [import] a kind of `ditr import`, for a folder that is no bag
 * @property {number} exit of `ditr run`, or of `ditr import` when that refuses
 * @property {number} [inspectExit] of `ditr inspect`: 0 unless told
 * @property {RegExp[]} [says] each in what `ditr run` prints, and in what `ditr inspect` prints
 * @property {RegExp[]} [runSays] each in what `ditr run` prints; for what only the work itself can know
 * @property {RegExp[]} [never] none of them in either
 * @property {number} [labelled] scans
 * @property {number | [number, number]} [fused] scans, or the fewest and the most
 * @property {string} [agreesWith] another file: labels of the points of the same scans are compared with its labels
 * @property {string[]} [agreesWithOptions] that the other file is labelled with
 * @property {number} [agreement] smallest share of equal labels
 * @property {true} [originUnlabeled] every point at (0, 0, 0) is unlabeled, and there are some
 * @property {number} [spacingMs] between the stamps of the labelled clouds
 */

const CLEAN = "25-info-elsewhere/gazebo-root.mcap";
const wholeDrive = { exit: 0, labelled: 4, fused: 4, agreesWith: CLEAN, agreement: 0.99 };
const imageFree = { exit: 0, labelled: 4, fused: 0 };

/** @type {Expectation[]} */
export const EXPECTATIONS = [
  ...["zero", "width", "stale"].map((name) => ({
    file: `01-row-step/${name}.mcap`,
    right: "read by point_step, the odd row_step said once",
    ...wholeDrive,
    // The stale ones have other points.
    ...(name === "stale" && { agreesWith: undefined }),
    says: [/\/lidar\/points.*row_step/],
  })),
  {
    file: "02-ouster-xyzir-photons/drive.mcap",
    right: "a scale that fits the photon counts, or the share beyond the scale is named",
    exit: 0,
    labelled: 4,
    fused: 4,
    says: [/\/lidar\/points: 9\d % of the values of intensity are above 255, .*--intensity-scale/],
    // Counts fall off with the distance, which no scale mends.
    agreesWith: CLEAN,
    agreement: 0.7,
  },
  {
    file: "03-sick-multiscan-i/drive.mcap",
    right: "the field i is the intensity",
    ...wholeDrive,
    agreement: 0.95,
    never: [/no intensity/],
  },
  {
    file: "04-returns-at-origin/drive.mcap",
    right: "points at the origin are no returns: unlabeled, counted",
    exit: 0,
    labelled: 4,
    originUnlabeled: true,
    runSays: [/no return|origin|\(0, 0, 0\)/i],
  },
  ...["tiff", "webp"].map((name) => ({
    file: `12-compressed-tiff-webp/${name}.mcap`,
    right: "the images are read",
    ...wholeDrive,
    agreement: 0.97,
  })),
  {
    file: "15-h264/compressed-image.mcap",
    right: "H.264 in a CompressedImage is named; the scans are labelled without images",
    ...imageFree,
    says: [/\/camera\/front\/image_raw\/compressed.*h264.*republish/i],
  },
  {
    file: "15-h264/compressed-video.mcap",
    right: "CompressedVideo is named with its type; the scans are labelled without images",
    ...imageFree,
    says: [/\/camera\/front\/image_raw\/foxglove.*CompressedVideo.*republish/],
  },
  {
    file: "16-depth-png-compressed/drive.mcap",
    right: "depth as plain PNG is read",
    exit: 0,
    labelled: 4,
    fused: 0,
  },
  ...["k-zero-p-filled-raw", "k-zero-p-filled-rect", "p-zero-k-filled-rect"].map((name) => ({
    file: `21-k-or-p-zero/${name}.mcap`,
    right: "the filled one of K and P is used",
    ...wholeDrive,
    agreement: 0.95,
  })),
  ...[
    "empty-name-5",
    "equidistant-5",
    "none-empty",
    "plumb-bob-8",
    "radtan-4",
    "radtan-zeros",
    "rational-14",
  ].map((name) => ({
    file: `24-distortion-names/${name}.mcap`,
    right: "used, since the coefficients leave no doubt",
    ...wholeDrive,
    agreement: 0.9,
  })),
  ...["below-image", "beside-with-suffix", "gazebo-root"].map((name) => ({
    file: `25-info-elsewhere/${name}.mcap`,
    right: "the CameraInfo is found by frame and size",
    ...wholeDrive,
    never: [/has no CameraInfo/],
  })),
  {
    file: "25-info-elsewhere/below-image.mcap",
    right: "the option names the CameraInfo",
    options: ["--camera-info", "/airsim/front/Scene=/airsim/front/Scene/camera_info"],
    ...wholeDrive,
  },
  {
    file: "31-tai-37-s/drive.mcap",
    right: "the offset of 37 s is measured and named with the option that mends it",
    exit: 0,
    labelled: 4,
    says: [/37(\.\d+)? ?s|37\d\d\d(\.\d+)? ms/, /--camera-offset/],
  },
  {
    file: "31-tai-37-s/drive.mcap",
    right: "the option that measures the offset makes every scan fused",
    options: ["--camera-offset", "auto"],
    exit: 0,
    labelled: 4,
    fused: 4,
    agreesWith: CLEAN,
    agreement: 0.97,
  },
  {
    file: "32-stamp-zero/first-cloud.mcap",
    right: "the first scan is lost and named, the others are labelled",
    exit: 3,
    labelled: 3,
    fused: 3,
    says: [/\/lidar\/points.*stamp/],
  },
  {
    file: "32-stamp-zero/all-clouds.mcap",
    right: "no scan is labelled, which is named with the option that takes log times",
    exit: 3,
    says: [/\/lidar\/points.*stamp.*--/],
  },
  {
    file: "32-stamp-zero/all-clouds.mcap",
    right: "the option takes log times as stamps",
    options: ["--stamp-by-log", "/lidar/points"],
    exit: 0,
    labelled: 4,
  },
  {
    file: "32-stamp-zero/all-images.mcap",
    right: "the images are lost and named, the scans labelled without",
    ...imageFree,
    says: [/\/camera\/front\/image_raw\/compressed.*stamp/],
  },
  {
    file: "34-nanosec-overflow/clouds.mcap",
    right: "named: nanosec of the clouds is impossible, and nothing can be done",
    exit: 1,
    says: [/\/lidar\/points.*nanosec.*1000000000/],
  },
  {
    file: "34-nanosec-overflow/images.mcap",
    right: "the impossible images are named and lost alone",
    exit: 0,
    labelled: 4,
    fused: [0, 3],
    says: [/\/camera\/front\/image_raw\/compressed.*nanosec.*1000000000/],
  },
  {
    file: "36-images-logged-late/drive.mcap",
    right: "a file is complete: images count by their stamps, however late they were logged",
    ...wholeDrive,
  },
  {
    file: "51-two-parents/unconnected-first.mcap",
    right: "the last parent of the frame wins, and it is said that there were two",
    ...wholeDrive,
    says: [/camera_front_optical_frame.*(oak.*base_link|base_link.*oak)/],
  },
  {
    file: "51-two-parents/unconnected-last.mcap",
    right: "the last parent wins also where it makes the camera useless, which is named",
    ...imageFree,
    says: [/camera_front_optical_frame.*oak/],
  },
  {
    file: "53-tf-after-six-seconds/drive.mcap",
    right: "a frame that appears late is used from then on",
    exit: 0,
    labelled: 4,
    fused: [1, 4],
  },
  {
    file: "53-tf-after-six-seconds/control-three-seconds.mcap",
    right: "a frame that appears late is used from then on",
    exit: 0,
    labelled: 4,
    fused: [1, 4],
  },
  {
    file: "54-two-robots-tf/drive.mcap",
    right: "the transforms of the cloud's namespace are used, those of the other robot named",
    ...wholeDrive,
    agreement: 0.97,
    says: [/\/robot2\/tf/],
  },
  ...["empty", "half", "zeros", "renamed-file"].map((name) => ({
    file: `62-metadata-cut/${name}`,
    right: "read from the data, with a warning about metadata.yaml",
    ...wholeDrive,
    says: [/metadata\.yaml/],
  })),
  {
    file: "63-ros1/drive.bag",
    right: "named with the command that converts",
    exit: 1,
    inspectExit: 1,
    says: [/ROS 1.*rosbags-convert/],
  },
  {
    file: "63-ros1/converted.mcap",
    right: "named with encoding and the command that converts",
    exit: 1,
    inspectExit: 1,
    says: [/ROS 1.*ros1.*rosbags-convert/],
  },
  {
    file: "64-foxglove-protobuf/drive.mcap",
    right: "named with type and encoding",
    exit: 1,
    says: [/\/lidar\/points carries foxglove\.PointCloud encoded as protobuf/],
  },
  {
    file: "65-driver-messages-only/livox-custommsg.mcap",
    right: "named with the driver's setting that makes PointCloud2",
    exit: 1,
    says: [/\/livox\/lidar carries livox_ros_driver2\/msg\/CustomMsg.*xfer_format/],
  },
  {
    file: "65-driver-messages-only/velodyne-packets.mcap",
    right: "named with the driver's node that makes PointCloud2",
    exit: 1,
    says: [/\/velodyne_packets carries velodyne_msgs\/msg\/VelodyneScan.*velodyne_transform_node/],
  },
  {
    file: "66-compressed-pointcloud2/drive.mcap",
    right: "named with the command that decompresses",
    exit: 1,
    says: [/\/lidar\/points\/draco carries .*CompressedPointCloud2.*point_cloud_transport republish/],
  },
  ...["no-labels", "with-labels"].map((name) => ({
    file: `73-five-columns/${name}`,
    import: "semantickitti",
    right: "refused: the sizes do not fit, with both numbers",
    exit: 1,
    says: [/000000\.bin.*(90320|5645.*4516)/],
    never: [/calib\.txt/],
  })),
  {
    file: "75-pcd-uint64",
    import: "pcd",
    right: "the fields other than the 8-byte one are read",
    exit: 0,
    labelled: 2,
  },
  ...["seconds", "microseconds", "nanoseconds"].map((name) => ({
    file: `76-pcd-names-are-times/${name}`,
    import: "pcd",
    right: "the unit of the times that the files are called is recognized: 10 Hz",
    exit: 0,
    labelled: 3,
    spacingMs: 100,
  })),
  {
    file: "76-pcd-names-are-times/unpadded",
    import: "pcd",
    right: "frame_2, frame_9, frame_10: natural order",
    exit: 0,
    labelled: 3,
  },
  ...["float32", "float64"].map((name) => ({
    file: `81-utm/${name}.mcap`,
    right: "named: no point is in range of the sensor, with the numbers and the mend",
    exit: 3,
    labelled: 0,
    says: [/\/lidar\/points.*(range|metres|map|--target-frame)/],
  })),
  {
    file: "81-utm/float64.mcap",
    right:
      "transformed in double precision before anything is narrowed: as the sound drive in the same frame",
    options: ["--target-frame", "base_link"],
    exit: 0,
    labelled: 4,
    agreesWith: CLEAN,
    agreesWithOptions: ["--target-frame", "base_link"],
    agreement: 0.97,
  },
  {
    file: "84-empty-and-nan/drive.mcap",
    right: "empty clouds and points without numbers stay, the rest is labelled",
    exit: 0,
    labelled: 4,
  },
  {
    file: "84-empty-and-nan/first-without-fields.mcap",
    right: "the cloud without fields is lost alone",
    exit: 3,
    labelled: 3,
    runSays: [/\/lidar\/points.*(field|x, y)/],
  },
  {
    file: "84-empty-and-nan/no-fields-at-all.mcap",
    right: "named: no cloud of the topic has fields",
    exit: 1,
    says: [/\/lidar\/points have no fields/],
  },
];

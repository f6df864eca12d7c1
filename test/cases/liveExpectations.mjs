/**
 * What is right when a recording comes live, beside `expectations.mjs`: in words, and in a form that can be checked.
 *
 * @typedef {object} LiveExpectation
 * @property {string} file below the folder of cases
 * @property {string} right in words
 * @property {Record<string, string | number | boolean>} [parameters] of the node, besides those that name its inputs
 * @property {(topic: string) => string | undefined} [renamed] what a topic of the recording is called live
 * @property {Record<string, string>} [types] of topics that no ROS message of the recording has
 * @property {boolean} [stretched] play it slowly, and not at its rate with pauses between scans
 * @property {number} labelled scans
 * @property {number | [number, number]} [fused] scans, or the fewest and the most
 * @property {true} [originUnlabeled] every point at (0, 0, 0) is unlabeled, and there are some
 * @property {RegExp[]} [says] each in the log, and in a message or value of /diagnostics
 * @property {RegExp[]} [never] in neither
 */

const whole = { labelled: 4, fused: 4 };
const imageFree = { labelled: 4, fused: 0 };
const IMAGES = "/camera/front/image_raw/compressed";

/** @type {LiveExpectation[]} */
export const LIVE_EXPECTATIONS = [
  ...["zero", "width", "stale"].map((name) => ({
    file: `01-row-step/${name}.mcap`,
    right: "read by point_step, the odd row_step said once",
    ...whole,
    says: [/\/lidar\/points.*row_step/],
  })),
  {
    file: "02-ouster-xyzir-photons/drive.mcap",
    right: "a scale that fits the photon counts, or the share beyond it is named",
    ...whole,
  },
  {
    file: "03-sick-multiscan-i/drive.mcap",
    right: "the field i is the intensity",
    ...whole,
    never: [/feature-missing/],
  },
  {
    file: "04-returns-at-origin/drive.mcap",
    right: "points at the origin are unlabeled",
    labelled: 4,
    originUnlabeled: true,
  },
  ...["tiff", "webp"].map((name) => ({
    file: `12-compressed-tiff-webp/${name}.mcap`,
    right: "the images are read",
    ...whole,
  })),
  {
    file: "15-h264/compressed-image.mcap",
    right: "H.264 in a CompressedImage is named",
    ...imageFree,
    says: [/\/camera\/front\/image_raw\/compressed.*h264.*republish/i],
  },
  {
    file: "15-h264/compressed-video.mcap",
    right: "CompressedVideo in the camera's place is named",
    ...imageFree,
    types: { "/camera/front/image_raw/foxglove": "foxglove_msgs/msg/CompressedVideo" },
    says: [/\/camera\/front\/image_raw\/foxglove.*CompressedVideo.*republish/],
  },
  { file: "16-depth-png-compressed/drive.mcap", right: "depth as plain PNG is read", labelled: 4 },
  ...["k-zero-p-filled-raw", "k-zero-p-filled-rect", "p-zero-k-filled-rect"].map((name) => ({
    file: `21-k-or-p-zero/${name}.mcap`,
    right: "the filled one of K and P is used",
    ...whole,
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
    right: "used, the coefficients leave no doubt",
    ...whole,
  })),
  ...["below-image", "beside-with-suffix", "gazebo-root"].flatMap((name) => [
    { file: `25-info-elsewhere/${name}.mcap`, right: "the parameter names the CameraInfo", ...whole },
    {
      file: `25-info-elsewhere/${name}.mcap`,
      right: "a wrong topic of CameraInfo is named with the right one",
      parameters: { "cameras.front.camera_info_topic": "/nowhere/camera_info" },
      ...imageFree,
      says: [/\/nowhere\/camera_info.*CameraInfo .*is on .*set cameras\.front\.camera_info_topic/],
    },
  ]),
  {
    file: "31-tai-37-s/drive.mcap",
    right: "the offset of 37 s is named with the parameter that mends it",
    labelled: 4,
    says: [/37\.\d+ s.*cameras\.front\.offset to -37/],
  },
  {
    file: "31-tai-37-s/drive.mcap",
    right: "the parameter makes every scan fused",
    parameters: { "cameras.front.offset": -37.0 },
    ...whole,
  },
  {
    file: "32-stamp-zero/first-cloud.mcap",
    right: "the first scan is lost and named, the others are labelled",
    labelled: 3,
    fused: 3,
    says: [/\/lidar\/points.*stamp/],
  },
  {
    file: "32-stamp-zero/all-clouds.mcap",
    right: "the lost scans are named with the parameter that takes times of arrival",
    labelled: 0,
    says: [/\/lidar\/points.*stamp.*stamps.*arrival/],
  },
  {
    file: "32-stamp-zero/all-clouds.mcap",
    right: "the parameter takes times of arrival as stamps",
    parameters: { "clouds.lidar.stamps": "arrival" },
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
    right: "the impossible nanosec of the clouds is named",
    labelled: 0,
    says: [/\/lidar\/points.*nanosec.*1000000000/],
  },
  {
    file: "34-nanosec-overflow/images.mcap",
    right: "the impossible images are named and lost alone",
    labelled: 4,
    fused: [0, 3],
    says: [/\/camera\/front\/image_raw\/compressed.*nanosec.*1000000000/],
  },
  {
    file: "36-images-logged-late/drive.mcap",
    right: "images that come too late are named, with what to set",
    parameters: { "sync.max_wait": 0.1 },
    ...imageFree,
    says: [/had left.*sync\.max_wait/],
  },
  {
    file: "36-images-logged-late/drive.mcap",
    right: "the parameter that waits for them makes every scan fused",
    parameters: { "sync.max_wait": 10, "sync.cloud_queue_size": 20 },
    stretched: true,
    ...whole,
  },
  {
    file: "51-two-parents/unconnected-first.mcap",
    right: "the last parent of the frame wins, and it is said that there were two",
    ...whole,
    says: [/camera_front_optical_frame.*(oak.*base_link|base_link.*oak)/],
  },
  {
    file: "51-two-parents/unconnected-last.mcap",
    right: "the last parent wins also where it makes the camera useless, which is named",
    ...imageFree,
    says: [/camera_front_optical_frame.*oak/],
  },
  ...["drive", "control-three-seconds"].map((name) => ({
    file: `53-tf-after-six-seconds/${name}.mcap`,
    right: "a frame that appears late is used from then on",
    labelled: 4,
    fused: [1, 4],
  })),
  {
    file: "54-two-robots-tf/drive.mcap",
    right: "with the transforms of its own robot every scan is fused",
    ...whole,
    renamed: (topic) => topic.replace(/^\/robot1\/tf/, "/tf"),
  },
  {
    file: "54-two-robots-tf/drive.mcap",
    right: "transforms that are only in namespaces are named with the remapping",
    ...imageFree,
    renamed: (topic) => topic,
    says: [/nothing is published on \/tf.*\/robot1\/tf.*-r \/tf:=/],
  },
  {
    file: "64-foxglove-protobuf/drive.mcap",
    right: "Foxglove's cloud in the place of PointCloud2 is named",
    labelled: 0,
    types: { "/lidar/points": "foxglove_msgs/msg/PointCloud" },
    says: [/\/lidar\/points carries foxglove_msgs\/msg\/PointCloud.*PointCloud2/],
  },
  {
    file: "65-driver-messages-only/livox-custommsg.mcap",
    right: "the driver's messages are named with its setting that makes PointCloud2",
    labelled: 0,
    says: [/\/livox\/lidar carries livox_ros_driver2\/msg\/CustomMsg.*xfer_format/],
  },
  {
    file: "65-driver-messages-only/velodyne-packets.mcap",
    right: "the packets are named with the driver's node that makes PointCloud2",
    labelled: 0,
    says: [/\/velodyne_packets carries velodyne_msgs\/msg\/VelodyneScan.*velodyne_transform_node/],
  },
  {
    file: "66-compressed-pointcloud2/drive.mcap",
    right: "the compressed cloud is named with the command that decompresses",
    labelled: 0,
    says: [/\/lidar\/points\/draco carries .*CompressedPointCloud2.*point_cloud_transport republish/],
  },
  {
    file: "36-images-logged-late/drive.mcap",
    right: "raw images were asked for and only compressed ones are there: named with the parameters",
    parameters: { "cameras.front.image_topic": "/camera/front/image_raw", "cameras.front.transport": "raw" },
    ...imageFree,
    says: [
      new RegExp(`${IMAGES}: set cameras.front.image_topic to .* and cameras.front.transport to compressed`),
    ],
  },
  {
    file: "36-images-logged-late/drive.mcap",
    right: "clouds on another topic than the node's are named",
    parameters: { "clouds.lidar.topic": "/points" },
    labelled: 0,
    says: [
      /nothing is published on \/points, but .*PointCloud2 on \/lidar\/points: set clouds\.lidar\.topic/,
    ],
  },
  ...["float32", "float64"].map((name) => ({
    file: `81-utm/${name}.mcap`,
    right: "named: no point is in range of the sensor",
    labelled: 4,
    says: [/\/lidar\/points.*(range|metres|map|target_frame)/],
  })),
  {
    file: "81-utm/float64.mcap",
    right: "moved to the vehicle every scan makes sense",
    parameters: { target_frame: "base_link" },
    labelled: 4,
    never: [/made no sense/],
  },
  {
    file: "84-empty-and-nan/drive.mcap",
    right: "empty clouds and points without numbers stay, the rest is labelled",
    labelled: 4,
  },
  {
    file: "84-empty-and-nan/first-without-fields.mcap",
    right: "the cloud without fields is lost alone",
    labelled: 3,
    says: [/\/lidar\/points.*(field|x, y)/],
  },
  {
    file: "84-empty-and-nan/no-fields-at-all.mcap",
    right: "each cloud without fields is named",
    labelled: 0,
    says: [/\/lidar\/points.*(field|x, y)/],
  },
];

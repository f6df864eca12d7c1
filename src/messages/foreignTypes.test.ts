import { expect, test } from "@jest/globals";
import { foreignTopic } from "./foreignTypes.js";
import { rosTypeName } from "./rosTypeName.js";

test.each([
  ["sensor_msgs/msg/PointCloud2", "sensor_msgs/msg/PointCloud2"],
  ["sensor_msgs/PointCloud2", "sensor_msgs/msg/PointCloud2"],
  ["sensor_msgs::msg::dds_::PointCloud2_", "sensor_msgs/msg/PointCloud2"],
  ["sensor_msgs::msg::PointCloud2", "sensor_msgs/msg/PointCloud2"],
  ["foxglove.PointCloud", "foxglove.PointCloud"],
  ["example_interfaces/srv/AddTwoInts", "example_interfaces/srv/AddTwoInts"],
  ["", ""],
])("%s is the type %s", (type, name) => {
  expect(rosTypeName(type)).toBe(name);
});

test.each([
  ["sensor_msgs/PointCloud2", "ros1", "cloud", "rosbags-convert"],
  ["sensor_msgs/CompressedImage", "ros1", "image", "kappe convert"],
  ["tf/tfMessage", "ros1", "transforms", "rosbags-convert"],
  ["sensor_msgs/msg/PointCloud2", "json", "cloud", "ros2 bag record"],
  ["foxglove.PointCloud", "protobuf", "cloud", "mcap-ros2-support"],
  ["foxglove.PointCloud", "flatbuffer", "cloud", "mcap-ros2-support"],
  ["foxglove_msgs/msg/PointCloud", "cdr", "cloud", "mcap-ros2-support"],
  ["foxglove.RawImage", "json", "image", "CompressedImage"],
  ["foxglove.CompressedVideo", "protobuf", "image", "image_transport republish"],
  ["foxglove.CameraCalibration", "protobuf", "camera-info", "CameraInfo"],
  ["foxglove.FrameTransforms", "protobuf", "transforms", "/tf_static"],
  ["livox_ros_driver2/msg/CustomMsg", "cdr", "cloud", "xfer_format"],
  ["livox_ros_driver/CustomMsg", "ros1", "cloud", "xfer_format"],
  ["velodyne_msgs/msg/VelodyneScan", "cdr", "cloud", "velodyne_transform_node"],
  ["ouster_sensor_msgs/msg/PacketMsg", "cdr", "cloud", "ouster_ros replay"],
  ["hesai_ros_driver/msg/UdpFrame", "cdr", "cloud", "hesai_ros_driver"],
  ["pandar_msgs/msg/PandarScan", "cdr", "cloud", "hesai_ros_driver"],
  ["nebula_msgs/msg/NebulaPackets", "cdr", "cloud", "nebula_ros"],
  ["rslidar_msg/msg/RslidarPacket", "cdr", "cloud", "rslidar_sdk"],
  ["lslidar_msgs/msg/LslidarPacket", "cdr", "cloud", "the driver's node"],
  ["udp_msgs/msg/UdpPacket", "cdr", "cloud", "the driver's node"],
  ["tanwaylidar_msgs/msg/TWPacket", "cdr", "cloud", "the driver's node"],
  ["cepton_messages/msg/CeptonPointData", "cdr", "cloud", "PointCloud2"],
  ["aeva_msgs/msg/PointCloud", "cdr", "cloud", "PointCloud2"],
  ["zvision_lidar_msgs/msg/zvisionLidarScan", "cdr", "cloud", "PointCloud2"],
  ["blickfeld_msgs/msg/Scan", "cdr", "cloud", "PointCloud2"],
  ["acme.PointCloud", "protobuf", "cloud", "PointCloud2"],
  ["PointCloud2", "capnp", "cloud", "PointCloud2"],
  ["cloudini_msgs/msg/CompressedPointCloud2", "cdr", "cloud", "point_cloud_transport republish"],
  ["point_cloud_interfaces/msg/CompressedPointCloud2", "cdr", "cloud", "point_cloud_transport republish"],
  ["sensor_msgs/msg/PointCloud", "cdr", "cloud", "PointCloud2"],
  ["sensor_msgs/msg/LaserScan", "cdr", "cloud", "laserscan_to_pointcloud"],
  ["ffmpeg_image_transport_msgs/msg/FFMPEGPacket", "cdr", "image", "in_transport:=x"],
] as const)("%s encoded as %s is a %s that is not read, and %s helps", (type, encoding, role, mend) => {
  const foreign = foreignTopic("/sensor/x", type, encoding);
  expect(foreign?.role).toBe(role);
  expect(foreign?.sentence).toContain(`/sensor/x carries ${type} encoded as ${encoding}: `);
  expect(foreign?.sentence).toContain(mend);
});

test.each([
  ["sensor_msgs/msg/PointCloud2", "cdr"],
  ["sensor_msgs/PointCloud2", "cdr"],
  ["sensor_msgs/msg/Imu", "cdr"],
  ["foxglove.Log", "protobuf"],
  ["", "json"],
])("%s encoded as %s is nothing that is missed", (type, encoding) => {
  expect(foreignTopic("/x", type, encoding)).toBeUndefined();
});

// The least that a node in rclnodejs can do: every message of /points goes out again on /echo, as raw bytes.
import rclnodejs from "rclnodejs";

await rclnodejs.init();
const node = rclnodejs.createNode("bare_echo");
const qos = new rclnodejs.QoS(1, 5, 1, 2);
const publisher = node.createPublisher("sensor_msgs/msg/PointCloud2", "/echo", { qos });
node.createSubscription("sensor_msgs/msg/PointCloud2", "/points", { qos, isRaw: true }, (message) => {
  publisher.publish(message);
});
node.spin();

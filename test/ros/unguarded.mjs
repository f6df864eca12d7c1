// rclnodejs as it is, without this package's guards: shows that what they guard against is still there.
import rclnodejs from "rclnodejs";

const [what] = process.argv.slice(2);
await rclnodejs.init();
const node = new rclnodejs.lifecycle.LifecycleNode("unguarded");
if (what === "throw") {
  node.createSubscription("std_msgs/msg/String", "/in", () => {
    throw new Error("thrown");
  });
}
if (what === "async") node.registerOnConfigure(async () => 97);
if (what === "on_error") {
  node.registerOnConfigure(() => {
    throw new Error("thrown");
  });
  node.registerOnError(() => 97);
}
node.spin();
console.log("ready");

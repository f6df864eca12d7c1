// A node with the parameters of ditr_perception and nothing else, for the tests of src/ros/parameters. Says what rcl
// read, then what the parameters are, or why they are refused; then each change. JSON lines.
import { ParameterStore } from "../../dist/ros/parameters/ParameterStore.js";
import { openRosNode } from "../../dist/ros/rclnodejs/openRosNode.js";

const say = (what) =>
  process.stdout.write(
    `${JSON.stringify(what, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}\n`,
  );
const node = await openRosNode({ name: "ditr_perception", args: process.argv.slice(2) });
say({ overrides: node.parameterOverrides });
try {
  const store = new ParameterStore({
    nodeName: node.fullyQualifiedName,
    overrides: node.parameterOverrides,
  });
  store.settingsChanges.subscribe(({ settings, names }) =>
    say({ changed: [...names], mode: settings.fusion.mode }),
  );
  node.serveParameters(store);
  say({
    ready: true,
    ignored: store.ignored,
    cameras: store.settings.cameras,
    fusion: store.settings.fusion,
  });
} catch (error) {
  say({ refused: error.message, code: error.code });
  node.shutdown();
}

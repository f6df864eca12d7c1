import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parseDocument } from "yaml";

const CONFIG = fileURLToPath(new URL("../../config", import.meta.url));
const LAYOUTS = readdirSync(CONFIG).filter((name) => name.endsWith(".rviz"));

/** Topics of a node /ditr_perception with a camera called front, by the display that can show their type. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  "rviz_default_plugins/PointCloud2": [
    "/ditr_perception/points_labelled",
    "/ditr_perception/points_filtered",
  ],
  "rviz_default_plugins/Image": ["/ditr_perception/overlay/front"],
  "rviz_default_plugins/MarkerArray": ["/ditr_perception/detection_markers"],
};
const WITHOUT_TOPIC = ["rviz_default_plugins/Grid", "rviz_default_plugins/TF"];
/** What a cloud may be coloured by, and the field that this needs. */
const TRANSFORMERS = ["RGB8", "Intensity", "FlatColor"];

interface Display {
  readonly Class: string;
  readonly Name: string;
  readonly Enabled: boolean;
  readonly Value: boolean;
  readonly Topic?: Readonly<Record<string, unknown>>;
  readonly [property: string]: unknown;
}

interface Layout {
  readonly Panels: readonly { readonly Class: string; readonly SyncSource?: string }[];
  readonly "Visualization Manager": {
    readonly Displays: readonly Display[];
    readonly "Global Options": Readonly<Record<string, unknown>>;
    readonly Tools: readonly { readonly Class: string }[];
    readonly Views: { readonly Current: { readonly Class: string } };
  };
}

function layoutOf(name: string): Layout {
  const document = parseDocument(readFileSync(path.join(CONFIG, name), "utf8"), { uniqueKeys: true });
  expect(document.errors).toEqual([]);
  return document.toJS() as Layout;
}

test("there is a layout for labels, for confidence and for the camera", () => {
  expect(LAYOUTS.sort()).toEqual(["camera_overlay.rviz", "confidence.rviz", "labelled_cloud.rviz"]);
});

describe.each(LAYOUTS)("%s", (name) => {
  const layout = layoutOf(name);
  const { Displays: displays, Tools: tools, Views: views } = layout["Visualization Manager"];

  test("has displays, panels, tools and a view that RViz brings along", () => {
    for (const { Class } of layout.Panels) expect(Class).toMatch(/^rviz_common\/(Displays|Views|Time)$/);
    for (const { Class } of tools) {
      expect(Class).toMatch(/^rviz_default_plugins\/(Interact|MoveCamera|Select|FocusCamera|Measure)$/);
    }
    expect(views.Current.Class).toBe("rviz_default_plugins/Orbit");
    expect(layout["Visualization Manager"]["Global Options"]["Fixed Frame"]).toBe("base_link");
    for (const { Class } of displays) expect([...Object.keys(SHOWN), ...WITHOUT_TOPIC]).toContain(Class);
    const source = layout.Panels.find(({ Class }) => Class === "rviz_common/Time")?.SyncSource;
    expect(displays.map(({ Name }) => Name)).toContain(source);
  });

  test("shows topics of the node by displays of their types, with a QoS that fits", () => {
    const withTopic = displays.filter(({ Class }) => !WITHOUT_TOPIC.includes(Class));
    expect(withTopic.length).toBeGreaterThan(0);
    for (const display of withTopic) {
      expect(SHOWN[display.Class]).toContain(display.Topic?.["Value"]);
      expect(display.Topic).toMatchObject({
        Depth: 5,
        "History Policy": "Keep Last",
        "Reliability Policy": "Reliable",
        "Durability Policy": "Volatile",
      });
      expect(display.Value).toBe(display.Enabled);
      if (display.Class.endsWith("PointCloud2")) {
        expect(TRANSFORMERS).toContain(display["Color Transformer"]);
        expect(display["Position Transformer"]).toBe("XYZ");
      }
    }
    expect(withTopic.some(({ Enabled }) => Enabled)).toBe(true);
  });
});

test("boxes are shown on the labelled cloud", () => {
  const displays = layoutOf("labelled_cloud.rviz")["Visualization Manager"].Displays;
  expect(displays.filter(({ Enabled }) => Enabled).map(({ Class }) => Class)).toEqual(
    expect.arrayContaining(["rviz_default_plugins/PointCloud2", "rviz_default_plugins/MarkerArray"]),
  );
});

test("the confidence layout colours by the field confidence from 0 to 1", () => {
  const [cloud] = layoutOf("confidence.rviz")["Visualization Manager"].Displays.filter(
    ({ Class, Enabled }) => Enabled && Class.endsWith("PointCloud2"),
  );
  expect(cloud).toMatchObject({
    "Color Transformer": "Intensity",
    "Channel Name": "confidence",
    "Autocompute Intensity Bounds": false,
    "Min Intensity": 0,
    "Max Intensity": 1,
  });
});

import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { documentedTable, markdownTable } from "../../../test/support/documentedTable.mjs";
import { appendFields } from "../../messages/appendFields.js";
import { decodePointCloud2, encodePointCloud2 } from "../../messages/pointCloud2.js";
import { PointFieldType, type PointCloud2 } from "../../messages/types.js";
import { labelColumns } from "../../perception/labelledClouds.js";
import { overridesOf } from "../parameters/exampleOverrides.js";
import type { CameraSettings, CloudSettings, SensorQos } from "../parameters/NodeSettings.js";
import { ParameterStore } from "../parameters/ParameterStore.js";
import { PUBLISHED_TOPICS, SAVE_RECORDING_SERVICE, SUBSCRIBED_TOPICS, type NodeTopic } from "./nodeTopics.js";

const DOCUMENT = "docs/topics.md";
const NODE = "/ditr_perception";

function settingsOf(parameters: Readonly<Record<string, unknown>>): ParameterStore["settings"] {
  return new ParameterStore({ nodeName: NODE, overrides: overridesOf(parameters) }).settings;
}

function qosText({ reliability, durability, depth }: SensorQos): string {
  return `${reliability}, ${durability}, ${depth}`;
}

function expectTable(name: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = markdownTable(header, rows);
  expect(documentedTable(DOCUMENT, name, table)).toBe(table);
}

test("docs/topics.md has what is published", () => {
  const outputs = `${qosText(settingsOf({}).outputQos)} (\`output_reliability\`, \`output_depth\`)`;
  const rows = Object.values<NodeTopic & { readonly topic: string }>(PUBLISHED_TOPICS).map(
    ({ topic, type, qos, content, when }) => [
      `\`${topic}\``,
      `\`${type}\``,
      qos === "parameters" ? outputs : qosText(qos),
      `${content}.`,
      `${when}.`,
    ],
  );
  expectTable("Published", ["topic", "type", "QoS", "content", "when"], rows);
});

test("docs/topics.md has what is subscribed", () => {
  type Row = readonly [given: string, topic: string, type: string, qos: string, when: string];
  const row = (given: string, { topic, messageType, qos }: CloudSettings | CameraSettings): Row => [
    given,
    `\`${topic}\``,
    `\`${messageType}\``,
    qosText(qos),
    "active",
  ];
  const cloud = (given: string, parameters: Readonly<Record<string, unknown>>): Row =>
    row(given, settingsOf(parameters).clouds[0]);
  const camera = (given: string, parameters: Readonly<Record<string, unknown>>): Row =>
    row(given, settingsOf({ camera_names: ["front"], ...parameters }).cameras[0]!);
  const { cameraInfo, ...others } = SUBSCRIBED_TOPICS;
  const [front] = settingsOf({ camera_names: ["front"] }).cameras;
  const [depth] = settingsOf({ "clouds.lidar.type": "depth" }).clouds;
  if (depth.kind !== "depth") throw new Error("a depth image is no depth image");
  const calibration = (given: string, topic: string): Row => [
    given,
    `\`${topic}\``,
    `\`${cameraInfo.type}\``,
    qosText(cameraInfo.qos),
    cameraInfo.when,
  ];
  const rows: readonly Row[] = [
    cloud("a cloud", {}),
    cloud("several, each", { cloud_names: ["lidar", "rear"] }),
    cloud("`clouds.lidar.type: depth`", { "clouds.lidar.type": "depth" }),
    cloud("`clouds.lidar.type: compressed_depth`", { "clouds.lidar.type": "compressed_depth" }),
    calibration("a depth image", depth.cameraInfoTopic),
    camera("a camera", {}),
    camera("`cameras.front.transport: compressed`", { "cameras.front.transport": "compressed" }),
    calibration("a camera", front!.cameraInfoTopic),
    ...Object.values(others).map(({ topic, type, qos, content, when }): Row => [
      content,
      `\`${topic}\``,
      `\`${type}\``,
      qosText(qos),
      when,
    ]),
  ];
  expectTable("Subscribed", ["for", "topic", "type", "QoS", "while"], rows);
});

test("docs/topics.md has the layout of a labelled cloud", () => {
  const fields = ["x", "y", "z", "intensity"].map((name, index) => ({
    name,
    offset: 4 * index,
    datatype: PointFieldType.FLOAT32,
    count: 1,
  }));
  const layout = {
    height: 1,
    width: 1,
    fields,
    isBigEndian: false,
    pointStep: 16,
    rowStep: 16,
    isDense: true,
  };
  const header = { stamp: 0n, frameId: "lidar" };
  const input = decodePointCloud2(encodePointCloud2({ header, ...layout, data: new Uint8Array(16) }));
  const labelled = (label: Uint8Array | Uint16Array): PointCloud2 => {
    const columns = labelColumns({ label, confidence: Float32Array.of(1), rgb: Float32Array.of(0) });
    return decodePointCloud2(appendFields(input, columns));
  };
  const few = labelled(Uint8Array.of(1));
  const many = labelled(Uint16Array.of(1));
  const datatypeOf = (cloud: PointCloud2, index: number): string => {
    const { datatype } = cloud.fields[index]!;
    return Object.entries(PointFieldType).find(([, value]) => value === datatype)![0];
  };
  const meanings: Readonly<Record<string, string>> = {
    label: "Class id; its name is in `~/label_info`.",
    confidence: "Probability of the label, 0 to 1; 0 for points without one.",
    rgb: "Colour of the class as 0x00rrggbb in the bits of the float; black for points without one.",
  };
  const rows = few.fields.map(({ name, offset }, index) => {
    const [datatype, wide] = [datatypeOf(few, index), datatypeOf(many, index)];
    expect(many.fields[index]!.offset).toBe(offset);
    return [
      `\`${name}\``,
      String(offset),
      datatype === wide ? datatype : `${datatype} (${wide} if a class id is above 255)`,
      meanings[name] ?? "as in the input",
    ];
  });
  expect(many.pointStep).toBe(few.pointStep);
  rows.push(["`point_step`", String(few.pointStep), "", ""]);
  expectTable("Layout", ["field", "offset", "datatype", "meaning"], rows);
});

test("docs/topics.md has the messages as msg/ has them, and the service", () => {
  const document = readFileSync(new URL(`../../../${DOCUMENT}`, import.meta.url), "utf8");
  expect(document).toContain(`\`${SAVE_RECORDING_SERVICE}\``);
  for (const name of ["ScanStatus", "CameraUse"]) {
    const text = readFileSync(new URL(`../../../msg/${name}.msg`, import.meta.url), "utf8");
    expect(document).toContain(`\`\`\`text\n${text}\`\`\`\n`);
  }
});

import { describe, expect, test } from "@jest/globals";
import { DIAGNOSTIC_RULES } from "./diagnosticRules.js";
import { missing, MonitoredNode } from "./exampleNode.js";
import { labelledScan } from "./exampleScans.js";
import { LOOK_AT_STAMPS, neverMatches, TROUBLE } from "./exampleTrouble.js";

describe("the advice of an offset", () => {
  const messageOf = (node: MonitoredNode): string => node.report().get("camera front")!.message;

  test("is not given before it is sure, nor once it was followed", () => {
    const node = new MonitoredNode();
    node.image("front");
    node.scan(labelledScan(), 50, missing("front", "no_match", 61_000_000n));
    expect(messageOf(node)).toContain(LOOK_AT_STAMPS);
    neverMatches(node, 61_000_000n);
    expect(messageOf(node)).toContain("set cameras.front.offset to 0.061");
    node.offset = 61_000_000n;
    node.scan(labelledScan(), 50, missing("front", "no_match", 0n));
    expect(messageOf(node)).toContain(LOOK_AT_STAMPS);
    node.runWell(1);
    expect(messageOf(node)).toBe("10.0 images/s on /front/image_raw");
  });

  test("is not given for images that sometimes match, or that come too late", () => {
    const node = new MonitoredNode();
    neverMatches(node, 61_000_000n);
    node.scan();
    node.run(0.9, () => {
      node.scan(labelledScan(), 50, missing("front", "no_match", 61_000_000n));
    });
    expect(messageOf(node)).toContain(LOOK_AT_STAMPS);
    const late = new MonitoredNode();
    late.run(1, () => {
      late.image("front");
      late.scan(labelledScan(), 50, missing("front", "not_arrived", -61_000_000n));
    });
    expect(messageOf(late)).toContain("its images come too late");
  });
});

describe.each(Object.entries(TROUBLE))("the rule %s", (rule, cases) => {
  test.each(cases)("case %#", (happening, subject, level, message) => {
    const node = new MonitoredNode();
    happening(node);
    expect(node.report().get(subject)).toMatchObject({ level, message });
    expect(DIAGNOSTIC_RULES[rule as keyof typeof DIAGNOSTIC_RULES].level).toBe(level);
  });
});

import { expect, test } from "@jest/globals";
import { formatOfferedQos, LATCHED_QOS, parseOfferedQos, RELIABLE_QOS } from "./qosProfile.js";

test("profiles are read back", () => {
  const unknown = { reliability: "unknown", durability: "unknown", depth: 0 } as const;
  for (const profile of [LATCHED_QOS, RELIABLE_QOS, unknown]) {
    expect(parseOfferedQos(formatOfferedQos(profile))).toEqual([profile]);
  }
});

test("the names that rosbag2 writes from metadata version 9 on are understood", () => {
  const text = [
    "- history: keep_last\n  depth: 3\n  reliability: best_effort\n  durability: volatile",
    "- history: keep_all\n  depth: 0\n  reliability: reliable\n  durability: transient_local",
    "- history: unknown\n  depth: 0\n  reliability: best_available\n  durability: system_default",
  ].join("\n");
  expect(parseOfferedQos(text)).toEqual([
    { reliability: "best_effort", durability: "volatile", depth: 3 },
    { reliability: "reliable", durability: "transient_local", depth: 0 },
    { reliability: "unknown", durability: "unknown", depth: 0 },
  ]);
});

test("what is no list of profiles gives none", () => {
  for (const text of [undefined, "", "a: 1", "- 5\n- null", "[", "text"])
    expect(parseOfferedQos(text)).toEqual([]);
});

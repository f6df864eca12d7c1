import { describe, expect, test } from "@jest/globals";
import { matchesNode } from "./matchesNode.js";

/** Pattern, node, and whether rclcpp (parameter_map.cpp) takes the values. */
const TABLE: readonly (readonly [string, string, boolean])[] = [
  ["ditr", "/ditr", true],
  ["/ditr", "/ditr", true],
  ["ditr", "/ns/ditr", false],
  ["/ditr", "/ns/ditr", false],
  ["ns/ditr", "/ns/ditr", true],
  ["/ns/ditr", "/ns/ditr", true],
  ["/ns/ditr", "/ditr", false],
  ["/ditr", "/ditr2", false],
  ["/**", "/ditr", true],
  ["/**", "/a/b/c/ditr", true],
  ["**", "/a/ditr", true],
  ["/*", "/ditr", true],
  ["/*", "/ns/ditr", false],
  ["/*/ditr", "/ditr", false],
  ["/*/ditr", "/ns/ditr", true],
  ["/*/ditr", "/a/b/ditr", false],
  ["/**/ditr", "/ditr", true],
  ["/**/ditr", "/a/b/ditr", true],
  ["/**/ditr", "/a/ditr/other", false],
  ["/ns/**", "/ns/ditr", true],
  ["/ns/**", "/ns/a/ditr", true],
  ["/ns/**", "/ns", true],
  ["/ns/**", "/nsx/ditr", false],
  ["/ns/**", "/ditr", false],
  ["/ns/*", "/ns/ditr", true],
  ["/ns/*", "/ns/a/ditr", false],
  ["/**/a/*", "/x/y/a/ditr", true],
  ["/*/*", "/a/b", true],
  ["/*/*", "/a/b/c", false],
];

/** rclcpp's own words: a missing slash is added, "/*" becomes `(/\w+)` wherever it stands, and the whole name matches. */
function asRclcpp(pattern: string, node: string): boolean {
  const absolute = pattern.startsWith("/") ? pattern : `/${pattern}`;
  return new RegExp(`^(?:${absolute.replaceAll("/*", "(/\\w+)")})$`).test(node);
}

describe("names above ros__parameters", () => {
  test.each(TABLE)("%s for %s: %s", (pattern, node, expected) => {
    expect(matchesNode(pattern, node)).toBe(expected);
    expect(asRclcpp(pattern, node)).toBe(expected);
  });
});

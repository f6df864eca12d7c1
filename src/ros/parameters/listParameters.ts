import type { ListParametersResult } from "../port/ParameterServer.js";

/**
 * As rclcpp lists them: without prefixes all names with fewer than `depth` dots; with prefixes the names that equal
 * one or are below it with at most `depth - 1` dots, counted from the one behind the prefix. Sorted; the result's
 * prefixes are the groups of the names.
 * @param depth 0 lists recursively
 */
export function listParameters(
  declared: Iterable<string>,
  prefixes: readonly string[],
  depth: bigint | number,
): ListParametersResult {
  const limit = Number(depth) === 0 ? Infinity : Number(depth);
  const names = [...declared]
    .filter((name) => {
      if (prefixes.length === 0) return countDots(name) < limit;
      return prefixes.some(
        (prefix) =>
          name === prefix || (name.startsWith(`${prefix}.`) && countDots(name.slice(prefix.length)) < limit),
      );
    })
    .sort();
  const groups = names
    .filter((name) => name.includes("."))
    .map((name) => name.slice(0, name.lastIndexOf(".")));
  return { names, prefixes: [...new Set(groups)] };
}

function countDots(text: string): number {
  return text.split(".").length - 1;
}

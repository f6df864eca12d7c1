import { nearestNames } from "./nearestNames.js";
import type { SettingsValidator } from "./ParameterStore.js";

/** Lets only classes of a model be filtered and coloured. */
export function classNamesValidator(classes: readonly string[]): SettingsValidator {
  const check = (parameter: string, names: Iterable<string>): string[] =>
    [...names]
      .filter((name) => !classes.includes(name))
      .map(
        (name) =>
          `${parameter} names "${name}", but the model has no such class; did you mean ${nearestNames(name, classes).join(" or ")}?`,
      );
  return ({ filter, colors }) => [
    ...check("filter.classes", filter.classes),
    ...check("colors", colors.keys()),
  ];
}

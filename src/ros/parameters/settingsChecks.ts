import type { PlainValue } from "./ParameterDeclaration.js";
import { showDouble } from "./showValue.js";

/** What does not fit between several parameters: a sentence for each. */
export function crossCheck(values: ReadonlyMap<string, PlainValue>): string[] {
  const problems: string[] = [];
  const number = (name: string): number => values.get(name) as number;
  const atMost = (smaller: string, larger: string, note = ""): void => {
    if (number(smaller) <= number(larger)) return;
    problems.push(
      `${smaller} is ${showDouble(number(smaller))}, but it must be at most ${larger}, which is ${showDouble(number(larger))}${note}`,
    );
  };
  atMost("seen_share_hysteresis", "min_seen_share");
  for (const name of values.get("camera_names") as readonly string[]) {
    const age = `cameras.${name}.maximum_age`;
    if (number(age) !== 0) atMost(`cameras.${name}.tolerance`, age, "; 0.0 would stand for the tolerance");
  }
  const classes = (values.get("colors") as readonly string[]).map((color) =>
    color.slice(0, color.indexOf("=")),
  );
  for (const name of new Set(classes.filter((name, index) => classes.indexOf(name) !== index))) {
    problems.push(`colors has several colours of "${name}", but one is needed`);
  }
  return problems;
}

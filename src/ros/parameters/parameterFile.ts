import { describeAllowed } from "./acceptValue.js";
import { isDerived, type ParameterDeclaration } from "./ParameterDeclaration.js";
import { PARAMETER_SECTIONS, type ParameterSection } from "./parameterTable.js";
import { showValue } from "./showValue.js";

const COLUMNS = 100;
/** Below "ros__parameters:". */
const INDENT = "    ";
/** The sensors whose parameters stand for those of all. */
const EXAMPLES = { "clouds.<name>.": ["clouds", "lidar"], "cameras.<name>.": ["cameras", "front"] } as const;

/**
 * The text of config/ditr_perception.yaml: every parameter with its description and default. A value that is no plain
 * constant, or that is of a sensor, is behind a "#" that is not followed by one space.
 */
export function parameterFile(): string {
  return `${INTRODUCTION}/**:\n  ros__parameters:\n${PARAMETER_SECTIONS.map(section).join("\n")}`;
}

function section({ title, prefix, parameters }: ParameterSection): string {
  const groups = prefix === "" ? [] : [...EXAMPLES[prefix]];
  const rule = `# ${title} `;
  const lines = [INDENT + rule.padEnd(COLUMNS - INDENT.length, "-")];
  let open: readonly string[] = [];
  for (const [name, declaration] of Object.entries(parameters)) {
    const path = [...groups, ...name.split(".")];
    const key = path.pop()!;
    // All of a sensor's is behind one column of "#".
    const margin = INDENT + (groups.length > 0 ? "#" : "");
    path.forEach((group, level) => {
      if (open[level] !== group) lines.push(`${margin}${indent(level)}${group}:`);
    });
    open = path;
    const inner = margin + indent(path.length);
    const [shown, value] = example(declaration);
    lines.push(
      ...comment(explain(declaration), inner),
      `${inner}${shown || groups.length > 0 ? "" : "#"}${key}: ${value}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function example(declaration: ParameterDeclaration): [shown: boolean, value: string] {
  const { default: standard } = declaration;
  if (isDerived(standard)) {
    return [false, declaration.type === "bool" ? standard.example : JSON.stringify(standard.example)];
  }
  // rcl cannot read an empty list.
  if (declaration.type === "string_array" && declaration.default.length === 0) {
    return [false, showValue(declaration, declaration.example)];
  }
  return [true, showValue(declaration, standard)];
}

function explain(declaration: ParameterDeclaration): string {
  const { default: standard, description, type, change } = declaration;
  const anything = type === "bool" || describeAllowed(declaration) === "a string";
  const allowed = anything ? "" : ` Allowed: ${describeAllowed(declaration)}.`;
  const derived = isDerived(standard) ? ` Default: ${standard.text.replaceAll("`", "")}.` : "";
  return `${description.replaceAll("`", "")}.${allowed}${derived}${change === "dynamic" ? " Dynamic." : ""}`;
}

function comment(text: string, margin: string): string[] {
  const lines: string[] = [];
  let line = `${margin}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = `${margin}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function indent(level: number): string {
  return "  ".repeat(level);
}

const INTRODUCTION = `# Every parameter of ditr_perception with its default. Copy what you change into a file of your own; the other files
# of this folder show how. Remove the "#" in front of parameters (not of sentences) that depend on your sensors.
#
# Those marked "Dynamic" change while the node runs (ros2 param set /ditr_perception mode fused), the others only at
# its start. docs/parameters.md has the same as tables.
#
# This file is made from src/ros/parameters: UPDATE_DOCS=1 npm test writes it.
`;

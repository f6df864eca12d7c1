import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { documentedTable, markdownTable } from "../../../test/support/documentedTable.mjs";
import { describeAllowed } from "./acceptValue.js";
import { overridesFromYaml } from "./exampleOverrides.js";
import { isDerived, type ParameterDeclaration } from "./ParameterDeclaration.js";
import { parameterFile } from "./parameterFile.js";
import { ParameterStore } from "./ParameterStore.js";
import { PARAMETER_SECTIONS } from "./parameterTable.js";
import { showValue } from "./showValue.js";

const CONFIG = new URL("../../../config/", import.meta.url);

function storeOf(yaml: string): ParameterStore {
  return new ParameterStore({ nodeName: "/robot/ditr_perception", overrides: overridesFromYaml(yaml) });
}

describe("config/ditr_perception.yaml", () => {
  const text = parameterFile();

  test("says what the table says (UPDATE_DOCS=1 writes it)", () => {
    const file = new URL("ditr_perception.yaml", CONFIG);
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, text);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("has all parameters, and the defaults", () => {
    expect(storeOf(text).settings).toEqual(storeOf("").settings);
    const all = text.replace(/^( *)#(?=[^ #\n]| {2})/gm, "$1");
    const names = overridesFromYaml(all).map(({ name }) => name);
    const store = storeOf(all);
    expect(names.sort()).toEqual(store.list([], 0).names);
    // What is behind a "#" are examples, and those of the sensors are their defaults.
    const sensors = storeOf('/**: { ros__parameters: { camera_names: ["front"] } }').settings;
    expect(store.settings.cameras).toEqual(sensors.cameras);
    expect(store.settings.clouds).toEqual(sensors.clouds);
    expect(store.settings.sync).toEqual(sensors.sync);
  });
});

const PARAMETER_FILES = readdirSync(CONFIG).filter((file) => file.endsWith(".yaml"));

test.each(PARAMETER_FILES)("config/%s starts a node", (file) => {
  const text = readFileSync(new URL(file, CONFIG), "utf8");
  const overrides = overridesFromYaml(text);
  expect(overrides.length).toBeGreaterThan(0);
  // rcl takes [] for no value at all.
  expect(overrides.filter(({ value }) => value.type === "not_set")).toEqual([]);
  expect(storeOf(text).ignored).toEqual([]);
});

const allowed = (declaration: ParameterDeclaration): string =>
  describeAllowed(declaration).replaceAll("|", "\\|");

function defaultOf(declaration: ParameterDeclaration): string {
  const { default: standard } = declaration;
  return isDerived(standard) ? standard.text : `\`${showValue(declaration, standard)}\``;
}

test.each(PARAMETER_SECTIONS)(
  "docs/parameters.md has the table of $title",
  ({ title, prefix, parameters }) => {
    const table = markdownTable(
      ["parameter", "default", "allowed", "changes", "meaning"],
      Object.entries(parameters).map(([name, declaration]) => [
        `\`${prefix}${name}\``,
        defaultOf(declaration),
        allowed(declaration),
        declaration.change === "dynamic" ? "any time" : "at start",
        `${declaration.description}.`,
      ]),
    );
    expect(documentedTable("docs/parameters.md", title, table)).toBe(table);
  },
);

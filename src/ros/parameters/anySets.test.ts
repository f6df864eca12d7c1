import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { syncOptions } from "../../sync/SyncOptions.js";
import type { Parameter, ParameterType, ParameterValue } from "../port/ParameterServer.js";
import { acceptValue } from "./acceptValue.js";
import { rosValue } from "./DeclaredParameter.js";
import { overridesOf } from "./exampleOverrides.js";
import { nodeSettings } from "./NodeSettings.js";
import { isDerived } from "./ParameterDeclaration.js";
import { ParameterStore } from "./ParameterStore.js";
import { PARAMETER_SECTIONS } from "./parameterTable.js";

const FRESH_SEED = Date.now() % 2 ** 31;
const SEEDS = [1, 2, FRESH_SEED];
const NODE = "/ditr_perception";
const STARTED = overridesOf({ cloud_names: ["top", "low"], camera_names: ["front", "rear"] });

function startedStore(): ParameterStore {
  return new ParameterStore({ nodeName: NODE, overrides: STARTED });
}

const integer = fc.oneof(
  fc.integer({ min: -2, max: 12 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const double = fc.oneof(
  fc.double({ min: -0.1, max: 1.1, noNaN: true }),
  fc.constantFrom(0, 0.05, 1),
  fc.double(),
);
const string = fc.oneof(
  fc.constantFrom("", "auto", "fused", "odom", "car", "car=#f59664", "car=#000000", "__proto__"),
  fc.string(),
);

/** Of every type, near the limits and far from them. */
const VALUES: Readonly<Record<ParameterType, fc.Arbitrary<ParameterValue>>> = {
  not_set: fc.constant({ type: "not_set" }),
  bool: fc.record({ type: fc.constant("bool"), value: fc.boolean() }),
  integer: fc.record({ type: fc.constant("integer"), value: integer }),
  double: fc.record({ type: fc.constant("double"), value: double }),
  string: fc.record({ type: fc.constant("string"), value: string }),
  byte_array: fc.record({ type: fc.constant("byte_array"), value: listOf(fc.nat(255)) }),
  bool_array: fc.record({ type: fc.constant("bool_array"), value: listOf(fc.boolean()) }),
  integer_array: fc.record({ type: fc.constant("integer_array"), value: listOf(integer) }),
  double_array: fc.record({ type: fc.constant("double_array"), value: listOf(double) }),
  string_array: fc.record({ type: fc.constant("string_array"), value: listOf(string) }),
};
const anyValue = fc.oneof(...Object.values(VALUES));

const declared = startedStore().list([], 0).names;
const types = new Map(
  startedStore()
    .getTypes(declared)
    .map((type, index) => [declared[index]!, type]),
);
const anyName = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...declared) },
  fc.constantFrom("__proto__", "constructor", "cameras.front", "cameras..offset", ""),
  fc.string(),
);

/** Mostly of the type that the parameter has, so that many sets are accepted. */
const anyParameter: fc.Arbitrary<Parameter> = anyName.chain((name) => {
  const type = types.get(name);
  const value = type === undefined ? anyValue : fc.oneof({ weight: 3, arbitrary: VALUES[type] }, anyValue);
  return fc.record({ name: fc.constant(name), value });
});
const anyRequests = fc.array(
  fc.record({ atomic: fc.boolean(), parameters: fc.array(anyParameter, { maxLength: 4 }) }),
  {
    maxLength: 8,
  },
);

function listOf<T>(element: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(element, { maxLength: 3 });
}

function dump(store: ParameterStore): Parameter[] {
  const values = store.get(declared);
  return declared.map((name, index) => ({ name, value: values[index]! }));
}

describe("any sequence of sets", () => {
  test.each(SEEDS)("leaves valid parameters, and what is refused changes nothing (seed %d)", (seed) => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(anyRequests, (requests) => {
        const store = startedStore();
        let emissions = 0;
        store.settingsChanges.subscribe(({ settings, previous, names }) => {
          emissions++;
          expect(settings).toBe(store.settings);
          expect(previous).not.toBe(settings);
          expect(names.size).toBeGreaterThan(0);
        });
        for (const { atomic, parameters } of requests) {
          for (const request of atomic ? [parameters] : parameters.map((parameter) => [parameter])) {
            const before = { dump: dump(store), settings: store.settings, emissions };
            const result = atomic ? store.setAtomically(request) : store.set(request)[0]!;
            expect(result.successful).toBe(result.reason === "");
            if (result.successful) accepted++;
            else refused++;
            const changed =
              JSON.stringify(before.dump, bigintText) !== JSON.stringify(dump(store), bigintText);
            if (!result.successful) expect(changed).toBe(false);
            expect(emissions).toBe(before.emissions + Number(changed));
            expect(store.settings === before.settings).toBe(!changed);
          }
        }
        // Valid is what a node would start with.
        const overrides = dump(store).map((parameter) => ({ nodeName: NODE, ...parameter }));
        const again = new ParameterStore({ nodeName: NODE, overrides });
        expect(again.settings).toEqual(store.settings);
        const { cameras, ...sync } = store.settings.sync;
        expect(syncOptions({ ...sync, cameras: Object.fromEntries(cameras) })).toEqual(store.settings.sync);
      }),
      { seed, numRuns: 60 },
    );
    expect(accepted).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });

  test.each(SEEDS)("any value is accepted as it is given back, or refused by name (seed %d)", (seed) => {
    const parameters = PARAMETER_SECTIONS.flatMap((section) => Object.entries(section.parameters));
    fc.assert(
      fc.property(fc.constantFrom(...parameters), anyValue, ([name, declaration], given) => {
        const result = acceptValue(name, declaration, given);
        if ("problem" in result) {
          expect(result.problem).toMatch(new RegExp(`^${name} is [^]+, but it must be `));
          expect(result.problem.length).toBeLessThan(400);
        } else {
          const kept = rosValue(declaration, result.value);
          expect(acceptValue(name, declaration, kept)).toEqual(result);
        }
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe("the table", () => {
  const parameters = PARAMETER_SECTIONS.flatMap(({ prefix, parameters: table }) =>
    Object.entries(table).map(([key, declaration]) => [prefix + key, declaration] as const),
  );

  test.each(parameters)("%s: its default and its example are allowed", (name, declaration) => {
    const { default: standard, type } = declaration;
    const values = isDerived(standard)
      ? [type === "bool" ? standard.example === "true" : standard.example]
      : [standard];
    if (type === "string_array") values.push(declaration.example);
    for (const value of values) {
      expect(acceptValue(name, declaration, rosValue(declaration, value))).toEqual({ value });
    }
  });

  test.each(parameters)("%s: is described in sentences", (_, { description }) => {
    expect(description).toMatch(/^[A-Za-z~/][^\n]*[^.\s]$/);
  });

  test("no parameter is without effect on the settings", () => {
    const store = startedStore();
    const { names } = store.list([], 0);
    const plain = new Map(
      store
        .get(names)
        .map((value, index) => [names[index]!, value.type === "not_set" ? "" : asPlain(value.value)]),
    );
    const before = nodeSettings(plain);
    const without = names.filter((name) => {
      const value = plain.get(name)!;
      const changed = new Map(plain).set(name, otherValue(name, value));
      try {
        expect(nodeSettings(changed)).toEqual(before);
        return true;
      } catch {
        return false;
      }
    });
    // Points have no CameraInfo, and the first cloud is what the others are compared with.
    expect(without).toEqual([
      "clouds.low.camera_info_topic",
      "clouds.low.rectified",
      "clouds.top.camera_info_topic",
      "clouds.top.rectified",
      "clouds.top.tolerance",
    ]);
  });
});

function bigintText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value.toString()}n` : value;
}

type Plain = boolean | number | string | readonly string[];

function asPlain(value: (ParameterValue & { value: unknown })["value"]): Plain {
  return typeof value === "bigint" ? Number(value) : (value as Plain);
}

function otherValue(name: string, value: Plain): Plain {
  if (name === "cloud_names") return ["low"];
  if (name === "camera_names") return [];
  if (name === "colors") return ["car=#010203"];
  if (name.endsWith(".type")) return "depth";
  if (name.endsWith(".transport")) return "compressed";
  if (name.endsWith(".stamps")) return "arrival";
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") return value + 0.5;
  return typeof value === "string" ? `${value}x` : [...value, "x"];
}

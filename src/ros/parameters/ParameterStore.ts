import { type Observable, Subject } from "rxjs";
import { Fault } from "../../faults/Fault.js";
import type {
  ListParametersResult,
  Parameter,
  ParameterDescriptor,
  ParameterOverride,
  ParameterServer,
  ParameterType,
  ParameterValue,
  SetParametersResult,
} from "../port/ParameterServer.js";
import { acceptValue } from "./acceptValue.js";
import { declareParameters } from "./declareParameters.js";
import { type DeclaredParameter, describeParameter, rosValue } from "./DeclaredParameter.js";
import { listParameters } from "./listParameters.js";
import { unknownName } from "./nearestNames.js";
import { nodeSettings, type NodeSettings } from "./NodeSettings.js";
import type { PlainValue } from "./ParameterDeclaration.js";
import { crossCheck } from "./settingsChecks.js";

export interface ParameterStoreOptions {
  /** Fully qualified: "/ns/node". */
  readonly nodeName: string;
  /** In the order of rcl: of several for one parameter the last counts. */
  readonly overrides: readonly ParameterOverride[];
}

/** A sentence for each thing that is wrong with settings whose values are allowed one by one. */
export type SettingsValidator = (settings: NodeSettings) => readonly string[];

export interface SettingsChange {
  readonly settings: NodeSettings;
  readonly previous: NodeSettings;
  /** Parameters whose values changed. */
  readonly names: ReadonlySet<string>;
}

/** The parameters of the node: always declared completely and valid, as `settings` has them. */
export class ParameterStore implements ParameterServer {
  /** Overrides that are not of this program but commonly in parameter files, and were left alone. */
  readonly ignored: readonly string[];
  readonly #parameters: ReadonlyMap<string, DeclaredParameter>;
  #values: ReadonlyMap<string, PlainValue>;
  #settings: NodeSettings;
  readonly #validators = new Set<SettingsValidator>();
  readonly #changed = new Subject<readonly Parameter[]>();
  readonly #settingsChanges = new Subject<SettingsChange>();

  /** Throws a Fault `invalid-configuration` with a sentence for each override that cannot be used. */
  constructor({ nodeName, overrides }: ParameterStoreOptions) {
    const { parameters, values, ignored, problems } = declareParameters(nodeName, overrides);
    requireNone(problems.length > 0 ? problems : crossCheck(values));
    this.#parameters = parameters;
    this.#values = values;
    this.#settings = nodeSettings(values);
    this.ignored = ignored;
  }

  get settings(): NodeSettings {
    return this.#settings;
  }

  /** After each accepted change; not for sets that change nothing. */
  get settingsChanges(): Observable<SettingsChange> {
    return this.#settingsChanges.asObservable();
  }

  get changed(): Observable<readonly Parameter[]> {
    return this.#changed.asObservable();
  }

  /**
   * Lets settings pass only when the validator finds nothing, from now on until the returned function is called.
   * Throws a Fault `invalid-configuration` when the settings of now do not pass.
   */
  addValidator(validator: SettingsValidator): () => void {
    requireNone(validator(this.#settings));
    this.#validators.add(validator);
    return () => this.#validators.delete(validator);
  }

  list(prefixes: readonly string[], depth: bigint | number): ListParametersResult {
    return listParameters(this.#parameters.keys(), prefixes, depth);
  }

  describe(names: readonly string[]): ParameterDescriptor[] {
    return names.map((name) => {
      const parameter = this.#parameters.get(name);
      return parameter === undefined ? undeclared(name) : describeParameter(parameter);
    });
  }

  get(names: readonly string[]): ParameterValue[] {
    return names.map((name) => this.#rosValue(name));
  }

  getTypes(names: readonly string[]): ParameterType[] {
    return names.map((name) => this.#parameters.get(name)?.declaration.type ?? "not_set");
  }

  set(parameters: readonly Parameter[]): SetParametersResult[] {
    return parameters.map((parameter) => this.setAtomically([parameter]));
  }

  setAtomically(parameters: readonly Parameter[]): SetParametersResult {
    const values = new Map(this.#values);
    const problems: string[] = [];
    for (const parameter of parameters) {
      const accepted = this.#accept(parameter);
      if ("problem" in accepted) problems.push(accepted.problem);
      else values.set(parameter.name, accepted.value);
    }
    if (problems.length === 0) problems.push(...crossCheck(values));
    if (problems.length > 0) return refused(problems);
    const names = [...values.keys()].filter((name) => !isSame(values.get(name)!, this.#values.get(name)!));
    if (names.length === 0) return ACCEPTED;
    const settings = nodeSettings(values);
    for (const validator of this.#validators) problems.push(...validator(settings));
    if (problems.length > 0) return refused(problems);
    this.#commit(values, settings, names);
    return ACCEPTED;
  }

  #accept({ name, value }: Parameter): ReturnType<typeof acceptValue> {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) return { problem: unknownName(name, this.#parameters.keys()) };
    if (parameter.declaration.change === "read-only") {
      return { problem: `${name} is read-only: give it when the node is started` };
    }
    if (value.type === "not_set") return { problem: `${name} cannot be removed` };
    return acceptValue(name, parameter.declaration, value);
  }

  #commit(values: ReadonlyMap<string, PlainValue>, settings: NodeSettings, names: readonly string[]): void {
    const previous = this.#settings;
    this.#values = values;
    this.#settings = settings;
    this.#changed.next(names.map((name) => ({ name, value: this.#rosValue(name) })));
    this.#settingsChanges.next({ settings, previous, names: new Set(names) });
  }

  #rosValue(name: string): ParameterValue {
    const parameter = this.#parameters.get(name);
    return parameter === undefined
      ? { type: "not_set" }
      : rosValue(parameter.declaration, this.#values.get(name)!);
  }
}

const ACCEPTED: SetParametersResult = { successful: true, reason: "" };

function refused(problems: readonly string[]): SetParametersResult {
  return { successful: false, reason: problems.join("; ") };
}

function requireNone(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const text =
    problems.length === 1
      ? problems[0]!
      : `${problems.length} parameters cannot be used:\n${problems.map((problem) => `- ${problem}`).join("\n")}`;
  throw new Fault("invalid-configuration", text);
}

function undeclared(name: string): ParameterDescriptor {
  return {
    name,
    type: "not_set",
    description: "",
    additionalConstraints: "",
    readOnly: false,
    dynamicTyping: false,
  };
}

function isSame(a: PlainValue, b: PlainValue): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

import type { ParameterOverride, ParameterValue } from "../port/ParameterServer.js";
import { acceptValue } from "./acceptValue.js";
import type { DeclaredParameter } from "./DeclaredParameter.js";
import { CAMERA_PARAMETERS, CLOUD_PARAMETERS } from "./inputParameters.js";
import { matchesNode } from "./matchesNode.js";
import { unknownName } from "./nearestNames.js";
import {
  isDerived,
  type DefaultContext,
  type ParameterDeclaration,
  type ParameterTable,
  type PlainValue,
} from "./ParameterDeclaration.js";
import { NODE_PARAMETERS } from "./parameterTable.js";

/** Names that ROS tools write into the parameter files of any node, rclcpp's own parameters among them. */
const FOREIGN_NAMES = [/^qos_overrides\./, /^start_type_description_service$/];

/** The parameters of a node at its start. */
export interface DeclaredParameters {
  readonly parameters: ReadonlyMap<string, DeclaredParameter>;
  /** One for each parameter. */
  readonly values: ReadonlyMap<string, PlainValue>;
  /** Names of overrides that belong to other ROS software. */
  readonly ignored: readonly string[];
  /** One sentence for each override that cannot be used. */
  readonly problems: readonly string[];
}

/**
 * Declares the parameters of the node, then those of the clouds and cameras that it names, with the overrides that are
 * meant for it; of several for one parameter the last counts.
 * @param node its fully qualified name
 */
export function declareParameters(node: string, overrides: readonly ParameterOverride[]): DeclaredParameters {
  return new Declarations(
    new Map(
      overrides
        .filter(({ nodeName }) => matchesNode(nodeName, node))
        .map(({ name, value }) => [name, value] as const),
    ),
  ).declare();
}

class Declarations {
  readonly #overrides: Map<string, ParameterValue>;
  readonly #parameters = new Map<string, DeclaredParameter>();
  readonly #values = new Map<string, PlainValue>();
  readonly #problems: string[] = [];

  /** @param overrides of this node; emptied */
  constructor(overrides: Map<string, ParameterValue>) {
    this.#overrides = overrides;
  }

  declare(): DeclaredParameters {
    this.#declareTable("", NODE_PARAMETERS, { name: "", cloudCount: 0 });
    const clouds = this.#values.get("cloud_names") as readonly string[];
    const cameras = this.#values.get("camera_names") as readonly string[];
    const both = clouds.filter((name) => cameras.includes(name));
    if (both.length > 0) {
      this.#problems.push(
        `cloud_names and camera_names both have "${both.join('" and "')}", but a name must be of one sensor`,
      );
    }
    const namesAreWrong = this.#problems.some((problem) => /^(cloud|camera)_names /.test(problem));
    const cloudCount = clouds.length;
    for (const name of clouds) this.#declareTable(`clouds.${name}.`, CLOUD_PARAMETERS, { name, cloudCount });
    for (const name of cameras)
      this.#declareTable(`cameras.${name}.`, CAMERA_PARAMETERS, { name, cloudCount });
    const leftOver = [...this.#overrides.keys()];
    const ignored = leftOver.filter((name) => FOREIGN_NAMES.some((pattern) => pattern.test(name)));
    for (const name of leftOver) {
      // Parameters of a sensor whose name was refused are not wrong themselves.
      if (ignored.includes(name) || (namesAreWrong && /^(clouds|cameras)\./.test(name))) continue;
      this.#problems.push(this.#explainUnknown(name, { clouds, cameras }));
    }
    return { parameters: this.#parameters, values: this.#values, ignored, problems: this.#problems };
  }

  #declareTable(prefix: string, table: ParameterTable, context: Omit<DefaultContext, "sibling">): void {
    const sibling = (key: string): string => String(this.#values.get(prefix + key));
    for (const [key, declaration] of Object.entries(table)) {
      const name = prefix + key;
      this.#parameters.set(name, { name, declaration });
      this.#values.set(name, this.#firstValue(name, declaration, { ...context, sibling }));
    }
  }

  #firstValue(name: string, declaration: ParameterDeclaration, context: DefaultContext): PlainValue {
    const override = this.#overrides.get(name);
    this.#overrides.delete(name);
    const accepted = override && acceptValue(name, declaration, override);
    if (accepted !== undefined && "problem" in accepted) this.#problems.push(accepted.problem);
    const { default: standard } = declaration;
    const value = accepted !== undefined && "value" in accepted ? accepted.value : undefined;
    if (isDerived(standard)) return value === undefined || value === "" ? standard.derive(context) : value;
    return value ?? standard;
  }

  #explainUnknown(
    name: string,
    names: { readonly clouds: readonly string[]; readonly cameras: readonly string[] },
  ): string {
    const [, group, sensor] = /^(clouds|cameras)\.([^.]+)\./.exec(name) ?? [];
    if (group !== undefined && sensor !== undefined) {
      const known = names[group as keyof typeof names];
      const list = group === "clouds" ? "cloud_names" : "camera_names";
      if (!known.includes(sensor)) {
        return `${name} is given, but ${list} is ${JSON.stringify(known)} and does not name "${sensor}"`;
      }
    }
    return unknownName(name, this.#parameters.keys());
  }
}

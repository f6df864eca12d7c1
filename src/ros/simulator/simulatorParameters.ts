import { NEVER, type Observable } from "rxjs";
import { Fault } from "../../faults/Fault.js";
import { LIDAR_PRESETS, type LidarPresetName } from "../../simulation/beamTables.js";
import type { SimulateDriveOptions } from "../../simulation/SimulateDriveOptions.js";
import { acceptValue } from "../parameters/acceptValue.js";
import { describeParameter, rosValue } from "../parameters/DeclaredParameter.js";
import { listParameters } from "../parameters/listParameters.js";
import { matchesNode } from "../parameters/matchesNode.js";
import {
  isDerived,
  type ParameterDeclaration,
  type PlainValue,
  type ValuesOf,
} from "../parameters/ParameterDeclaration.js";
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

const change = "read-only";
const LIDARS = Object.keys(LIDAR_PRESETS) as LidarPresetName[];

/** All parameters of the simulated robot; none can change while it runs. */
export const SIMULATOR_PARAMETERS = {
  rate: {
    type: "double",
    default: 10,
    range: [0.1, 10],
    unit: "Hz",
    change,
    description: "Scans per second. Each scan takes a turn of 0.1 s; below 10 the robot rests after each",
  },
  seconds: {
    type: "double",
    default: 5,
    range: [0.1, 120],
    unit: "s",
    change,
    description: "Length of the drive, which starts over at its end. All of it is kept in memory",
  },
  seed: {
    type: "integer",
    default: 1_000_042,
    range: [-(2 ** 31), 2 ** 31 - 1],
    change,
    description: "Which street. Shipped models are trained on seeds from 0 to 999999",
  },
  lidar: {
    type: "string",
    default: "hdl-64e",
    choices: LIDARS,
    change,
    description: "Which beams the LiDAR has",
  },
  columns: {
    type: "integer",
    default: 720,
    range: [4, 8192],
    change,
    description: "Firings of the LiDAR per turn",
  },
  speed: {
    type: "double",
    default: 8,
    range: [0, 40],
    change,
    description: "Metres per second that the robot drives",
  },
  camera_names: {
    type: "string_array",
    default: ["front"],
    form: "name",
    count: [0, 8],
    example: ["front", "left", "right", "rear"],
    change,
    description: "Cameras; left, right and rear look that way, all others ahead",
  },
  image_width: {
    type: "integer",
    default: 640,
    range: [16, 4096],
    change,
    description: "Pixels of an image",
  },
  image_height: {
    type: "integer",
    default: 320,
    range: [16, 4096],
    change,
    description: "Pixels of an image",
  },
  transform_rate: {
    type: "integer",
    default: 50,
    range: [10, 1000],
    unit: "Hz",
    change,
    description: "Transforms from odom to base_link per second",
  },
  publish_clock: {
    type: "bool",
    default: false,
    change,
    description: "Publish /clock, for nodes with use_sim_time",
  },
  use_cache: {
    type: "bool",
    default: true,
    change,
    description:
      "Keep simulated drives in ~/.ros/ditr_perception/simulator (or $ROS_HOME) for the next start",
  },
  use_sim_time: {
    type: "bool",
    default: false,
    change,
    description: "Without effect: the simulated robot is the source of time, not a follower",
  },
} as const satisfies Readonly<Record<string, ParameterDeclaration>>;

export type SimulatorSettings = ValuesOf<typeof SIMULATOR_PARAMETERS>;

export interface SimulatorParametersOptions {
  /** Fully qualified: "/ns/node". */
  readonly nodeName: string;
  readonly overrides: readonly ParameterOverride[];
}

/** The simulated robot's parameters as they were at its start. */
export class SimulatorParameters implements ParameterServer {
  readonly settings: SimulatorSettings;
  /** Overrides for this node that name no parameter of it: a file may be shared with the perception node. */
  readonly unknown: readonly string[];
  readonly changed: Observable<readonly Parameter[]> = NEVER;
  readonly #values = new Map<string, PlainValue>();

  /** Throws a Fault `invalid-configuration` with a sentence for each value that is not allowed. */
  constructor({ nodeName, overrides }: SimulatorParametersOptions) {
    const given = new Map(
      overrides.filter((o) => matchesNode(o.nodeName, nodeName)).map((o) => [o.name, o.value] as const),
    );
    const problems: string[] = [];
    for (const [name, declaration] of table()) {
      const override = given.get(name);
      given.delete(name);
      const accepted = override && acceptValue(name, declaration, override);
      if (accepted !== undefined && "problem" in accepted) problems.push(accepted.problem);
      const standard = declaration.default;
      if (accepted !== undefined && "value" in accepted) this.#values.set(name, accepted.value);
      else if (!isDerived(standard)) this.#values.set(name, standard);
    }
    if (problems.length > 0) throw new Fault("invalid-configuration", problems.join("; "));
    this.unknown = [...given.keys()].sort();
    this.settings = Object.fromEntries(this.#values) as SimulatorSettings;
  }

  list(prefixes: readonly string[], depth: bigint | number): ListParametersResult {
    return listParameters(this.#values.keys(), prefixes, depth);
  }

  describe(names: readonly string[]): ParameterDescriptor[] {
    return names.map((name) => {
      const declaration = declarationOf(name);
      if (declaration !== undefined) return describeParameter({ name, declaration });
      const undeclared = { name, type: "not_set", description: "", additionalConstraints: "" } as const;
      return { ...undeclared, readOnly: false, dynamicTyping: false };
    });
  }

  get(names: readonly string[]): ParameterValue[] {
    return names.map((name) => {
      const declaration = declarationOf(name);
      return declaration === undefined ? { type: "not_set" } : rosValue(declaration, this.#values.get(name)!);
    });
  }

  getTypes(names: readonly string[]): ParameterType[] {
    return names.map((name) => declarationOf(name)?.type ?? "not_set");
  }

  set(parameters: readonly Parameter[]): SetParametersResult[] {
    return parameters.map((parameter) => this.setAtomically([parameter]));
  }

  setAtomically(parameters: readonly Parameter[]): SetParametersResult {
    const problems = parameters.map(({ name }) =>
      declarationOf(name) === undefined
        ? `there is no parameter ${name}`
        : `${name} is read-only: give it when the node is started`,
    );
    return { successful: problems.length === 0, reason: problems.join("; ") };
  }
}

/** What is simulated, once: as many whole scans as fit into `seconds`, at least one. */
export function driveOptions(settings: SimulatorSettings): SimulateDriveOptions {
  return {
    seed: settings.seed,
    scanCount: Math.max(1, Math.floor(settings.seconds * 10 + 1e-6)),
    lidar: settings.lidar,
    columns: settings.columns,
    egoSpeed: settings.speed,
    transformRate: settings.transform_rate,
    cameras: settings.camera_names.map((name) => ({
      name,
      width: settings.image_width,
      height: settings.image_height,
    })),
    startStamp: 0n,
  };
}

function table(): [string, ParameterDeclaration][] {
  return Object.entries(SIMULATOR_PARAMETERS);
}

function declarationOf(name: string): ParameterDeclaration | undefined {
  return Object.hasOwn(SIMULATOR_PARAMETERS, name)
    ? SIMULATOR_PARAMETERS[name as keyof typeof SIMULATOR_PARAMETERS]
    : undefined;
}

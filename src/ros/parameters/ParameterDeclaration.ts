import type { STRING_FORMS } from "./stringForms.js";

/** A parameter's value as the program uses it; integers are safe ones, by their range. */
export type PlainValue = boolean | number | string | readonly string[];

/** A default that depends on other parameters, for a string of which the empty one means "the default". */
export interface DerivedDefault {
  /** What the default is, for people. */
  readonly text: string;
  /** What it is where the other parameters have their defaults, for the example file. */
  readonly example: string;
  readonly derive: (context: DefaultContext) => PlainValue;
}

export interface DefaultContext {
  /** Of the cloud or camera. */
  readonly name: string;
  /** How many clouds there are. */
  readonly cloudCount: number;
  /** The string value of a parameter of the same cloud or camera that is declared before. */
  readonly sibling: (key: string) => string;
}

interface Common {
  /** For people: what it does and what special values mean. One or more sentences, without their last full stop. */
  readonly description: string;
  /** May it be changed while the node runs? */
  readonly change: "dynamic" | "read-only";
}

interface NumberLimits {
  /** Smallest and largest value, both allowed. */
  readonly range: readonly [from: number, to: number];
  readonly unit?: "s" | "Hz" | "MB";
}

/** Everything about one parameter; the store, the descriptors, the parameter file and the documentation follow it. */
export type ParameterDeclaration = Common &
  (
    | { readonly type: "bool"; readonly default: boolean | DerivedDefault }
    | ({ readonly type: "integer"; readonly default: number } & NumberLimits)
    | ({ readonly type: "double"; readonly default: number } & NumberLimits)
    | {
        readonly type: "string";
        readonly default: string | DerivedDefault;
        readonly choices?: readonly string[];
        readonly form?: keyof typeof STRING_FORMS;
      }
    | {
        readonly type: "string_array";
        readonly default: readonly string[];
        readonly form: keyof typeof STRING_FORMS;
        /** Fewest and most elements; no element may come twice. */
        readonly count: readonly [least: number, most: number];
        /** What the list might be, for the example file where the default is empty. */
        readonly example: readonly string[];
      }
  );

export type ParameterTable = Readonly<Record<string, ParameterDeclaration>>;

/** What a parameter of this declaration holds. */
export type ValueOf<D extends ParameterDeclaration> = D extends { readonly choices: readonly (infer C)[] }
  ? C
  : {
      bool: boolean;
      integer: number;
      double: number;
      string: string;
      string_array: readonly string[];
    }[D["type"]];

/** All values of a table. */
export type ValuesOf<T extends ParameterTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

export function isDerived(value: PlainValue | DerivedDefault): value is DerivedDefault {
  return typeof value === "object" && "derive" in value;
}

import type { ParameterType, ParameterValue } from "../port/ParameterServer.js";
import { isDerived, type ParameterDeclaration, type PlainValue } from "./ParameterDeclaration.js";
import { showDouble, showValue } from "./showValue.js";
import { STRING_FORMS } from "./stringForms.js";

/** Longer values are cut in messages. */
const SHOWN_LENGTH = 80;

export type Accepted = { readonly value: PlainValue } | { readonly problem: string };

/**
 * The value as the program uses it, or one sentence that names the parameter, its value and what is allowed.
 *
 * An integer is accepted for a double, since `1` is easily written for `1.0`. For a list, the empty list of any type
 * and [""] are empty: rcl gives `[]` of a file no type at all, `ros2 param set` calls it a list of booleans, and
 * launch files can only say [""].
 */
export function acceptValue(
  name: string,
  declaration: ParameterDeclaration,
  given: ParameterValue,
): Accepted {
  const value = plainValue(declaration, given);
  if (value !== undefined && isAllowed(declaration, value)) return { value };
  // Of the right type, the type need not be said; integers are shown as given, which a number may round.
  const shown =
    value === undefined
      ? showTyped(given)
      : given.type === "integer"
        ? String(given.value)
        : cut(showValue(declaration, value));
  return { problem: `${name} is ${shown}, but it must be ${describeAllowed(declaration)}` };
}

/** What a parameter of this type may hold, after "must be". */
export function describeAllowed(declaration: ParameterDeclaration): string {
  switch (declaration.type) {
    case "bool":
      return "true or false";
    case "integer":
      return `an integer ${describeRange(declaration)}`;
    case "double":
      return `a number ${describeRange(declaration)}`;
    case "string": {
      const { choices, form } = declaration;
      if (choices !== undefined) return `one of ${choices.map((choice) => `"${choice}"`).join(", ")}`;
      return form === undefined ? "a string" : STRING_FORMS[form].allowed;
    }
    case "string_array": {
      const { count, form } = declaration;
      const [least, most] = count;
      const number = most > 1000 ? "" : least === 0 ? `at most ${most} ` : `${least} to ${most} `;
      return `a list of ${number}different strings, each ${STRING_FORMS[form].allowed}`;
    }
  }
}

function describeRange(declaration: ParameterDeclaration & { readonly type: "integer" | "double" }): string {
  const { type, range, unit } = declaration;
  const [from, to] = range.map((limit) => (type === "double" ? showDouble(limit) : String(limit)));
  return `from ${from!} to ${to!}${unit === undefined ? "" : ` ${unit}`}`;
}

/** Undefined when the type does not fit. */
function plainValue({ type }: ParameterDeclaration, given: ParameterValue): PlainValue | undefined {
  switch (type) {
    case "bool":
      return given.type === "bool" ? given.value : undefined;
    case "string":
      return given.type === "string" ? given.value : undefined;
    case "integer":
      return given.type === "integer" ? Number(given.value) : undefined;
    case "double":
      return given.type === "double" || given.type === "integer" ? Number(given.value) : undefined;
    case "string_array":
      return stringList(given);
  }
}

function stringList(given: ParameterValue): readonly string[] | undefined {
  if (given.type === "not_set") return [];
  if (given.type === "string_array") {
    const { value } = given;
    return value.length === 1 && value[0] === "" ? [] : Object.freeze([...value]);
  }
  return typeof given.value === "object" && given.value.length === 0 ? [] : undefined;
}

function isAllowed(declaration: ParameterDeclaration, value: PlainValue): boolean {
  switch (declaration.type) {
    case "bool":
      return true;
    case "integer":
    case "double": {
      const [from, to] = declaration.range;
      return (value as number) >= from && (value as number) <= to;
    }
    case "string": {
      const { choices, form } = declaration;
      if (isDerived(declaration.default) && value === "") return true;
      if (choices !== undefined) return choices.includes(value as string);
      return form === undefined || STRING_FORMS[form].pattern.test(value as string);
    }
    case "string_array": {
      const { count, form } = declaration;
      const list = value as readonly string[];
      return (
        list.length >= count[0] &&
        list.length <= count[1] &&
        new Set(list).size === list.length &&
        list.every((element) => STRING_FORMS[form].pattern.test(element))
      );
    }
  }
}

const TYPE_NAMES: Readonly<Record<Exclude<ParameterType, "not_set">, string>> = {
  bool: "the bool",
  integer: "the integer",
  double: "the double",
  string: "the string",
  byte_array: "the byte array",
  bool_array: "the bool array",
  integer_array: "the integer array",
  double_array: "the double array",
  string_array: "the string array",
};

function showTyped(given: ParameterValue): string {
  if (given.type === "not_set") return "not set";
  const { type, value } = given;
  // JSON knows no bigint.
  const shown =
    typeof value === "object"
      ? `[${value.map((element) => (typeof element === "string" ? JSON.stringify(element) : String(element))).join(", ")}]`
      : typeof value === "string"
        ? JSON.stringify(value)
        : type === "double"
          ? showDouble(value)
          : String(value);
  return cut(`${TYPE_NAMES[type]} ${shown}`);
}

function cut(text: string): string {
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}...`;
}

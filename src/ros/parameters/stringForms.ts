export interface StringForm {
  readonly pattern: RegExp;
  /** What is allowed, after "must be". */
  readonly allowed: string;
}

/** What the strings of some parameters must look like. */
export const STRING_FORMS = {
  topic: {
    // Else ROS refuses the name only when it subscribes.
    pattern: /^(\/|~\/)?[A-Za-z_]\w*(\/[A-Za-z_]\w*)*$/,
    allowed: 'a topic name such as "/lidar/points" or "points"',
  },
  frame: {
    pattern: /^([^/\s]\S*)?$/,
    allowed: 'a frame such as "base_link", without a slash in front, or empty',
  },
  name: {
    // Names become parts of topics and parameters, which may not begin with a digit.
    pattern: /^[A-Za-z]\w*$/,
    allowed: "a name of letters, digits and underscores that begins with a letter",
  },
  class: { pattern: /^\S(.*\S)?$/, allowed: "the name of a class of the model" },
  color: {
    pattern: /^[^=\s]([^=]*[^=\s])?=#[0-9A-Fa-f]{6}$/,
    allowed: 'a class and its colour such as "car=#f59664"',
  },
} as const satisfies Record<string, StringForm>;

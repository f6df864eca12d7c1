import { parse } from "yaml";

/** The part of an rmw QoS profile that decides who can talk to whom. */
export interface QosProfile {
  readonly reliability: "reliable" | "best_effort" | "unknown";
  readonly durability: "transient_local" | "volatile" | "unknown";
  /** Messages kept for late joiners and slow readers; 0 when unknown or unlimited. */
  readonly depth: number;
}

/** What a result topic offers: reliable, kept for nobody. */
export const RELIABLE_QOS: QosProfile = { reliability: "reliable", durability: "volatile", depth: 10 };
/** What a latched topic offers (/tf_static, label_info): the last message for every late joiner. */
export const LATCHED_QOS: QosProfile = { reliability: "reliable", durability: "transient_local", depth: 1 };

/** rmw_qos_*_policy_t, which rosbag2 writes as integers before metadata version 9 and as names from then on. */
const RELIABILITY = { reliable: 1, best_effort: 2 } as const;
const DURABILITY = { transient_local: 1, volatile: 2 } as const;
const KEEP_LAST = 1;
const LIVELINESS_AUTOMATIC = 1;
/** RMW_DURATION_INFINITE */
const INFINITE = "\n    sec: 9223372036\n    nsec: 854775807";

/**
 * The channel metadata `offered_qos_profiles` as `ros2 bag record` writes it on ROS 2 Humble: a YAML list
 * with integer policies, which Humble needs and later releases still recognise
 * (rosbag2_storage/src/rosbag2_storage/qos.cpp).
 */
export function formatOfferedQos(profile: QosProfile): string {
  const reliability = profile.reliability === "unknown" ? 0 : RELIABILITY[profile.reliability];
  const durability = profile.durability === "unknown" ? 0 : DURABILITY[profile.durability];
  return [
    `- history: ${KEEP_LAST}`,
    `  depth: ${profile.depth}`,
    `  reliability: ${reliability}`,
    `  durability: ${durability}`,
    `  deadline:${INFINITE}`,
    `  lifespan:${INFINITE}`,
    `  liveliness: ${LIVELINESS_AUTOMATIC}`,
    `  liveliness_lease_duration:${INFINITE}`,
    "  avoid_ros_namespace_conventions: false",
  ].join("\n");
}

/** Numbers of the policies (rmw/types.h) by the key and the name that rosbag2 writes from metadata version 9 on. */
const POLICY_NUMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  history: { system_default: 0, keep_last: 1, keep_all: 2, unknown: 3 },
  reliability: { system_default: 0, reliable: 1, best_effort: 2, unknown: 3, best_available: 4 },
  durability: { system_default: 0, transient_local: 1, volatile: 2, unknown: 3, best_available: 4 },
  liveliness: { system_default: 0, automatic: 1, manual_by_topic: 3, unknown: 4, best_available: 5 },
};

/**
 * The same profiles with numbers for the names of policies, since rosbag2 refuses a whole file that has names where it
 * expects numbers (see `formatOfferedQos`). All else stays as it is to the byte.
 */
export function inHumblesForm(offeredQos: string): string {
  return offeredQos.replaceAll(
    /^([ -]*(history|reliability|durability|liveliness): *)["']?([a-z_]+)["']?(?=\s*$)/gm,
    (line, start: string, key: string, name: string) => {
      const number = POLICY_NUMBERS[key]![name];
      return number === undefined ? line : `${start}${number}`;
    },
  );
}

/** Reads what `formatOfferedQos` or any rosbag2 release wrote; an empty list when there is nothing that can be understood. */
export function parseOfferedQos(text: string | undefined): readonly QosProfile[] {
  if (text === undefined || text === "") return [];
  let profiles: unknown;
  try {
    profiles = parse(text, { logLevel: "error" });
  } catch {
    // QoS only informs (`ditr inspect`); a bag with an odd profile is still a bag.
    return [];
  }
  if (!Array.isArray(profiles)) return [];
  return profiles.filter(isRecord).map((profile) => ({
    reliability: policy(profile["reliability"], RELIABILITY),
    durability: policy(profile["durability"], DURABILITY),
    depth: typeof profile["depth"] === "number" ? profile["depth"] : 0,
  }));
}

function policy<Name extends string>(
  value: unknown,
  policies: Readonly<Record<Name, number>>,
): Name | "unknown" {
  for (const name in policies) {
    if (value === name || value === policies[name]) return name;
  }
  return "unknown";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/**
 * A type as ROS 2 spells it, `package/msg/Name`, for what recorders and bridges make of it: `package/Name`,
 * `package::msg::Name`, `package::msg::dds_::Name_`. Anything else stays as it is.
 */
export function rosTypeName(type: string): string {
  const [, owner, name] = /^(\w+)(?:\/msg)?\/(\w+)$/.exec(type) ??
    /^(\w+)::(?:msg::)?(?:dds_::)?(\w+?)_?$/.exec(type) ?? [undefined, undefined, undefined];
  return owner === undefined || name === undefined ? type : `${owner}/msg/${name}`;
}

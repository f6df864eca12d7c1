/**
 * The name of a coordinate frame as ROS 2 has it. In the days of ROS 1 names could begin with "/", and old drivers and bags
 * still have that; tf2 takes "/map" for "map" when it listens and refuses it when it is asked.
 */
export function frameName(name: string): string {
  return name.startsWith("/") ? name.slice(1) : name;
}

/**
 * Is a node meant by the name above `ros__parameters` in a parameter file? As rclcpp decides: "*" stands for one level
 * of the name, "**" for any number of them, also none, and a missing slash in front is added.
 * @param pattern "node", "/node", "/ns/node", "/**", "/ns/**", "/**\/node", "/*\/node"
 * @param node fully qualified: "/ns/node"
 */
export function matchesNode(pattern: string, node: string): boolean {
  const levels = pattern.replace(/^\//, "").split("/");
  const expression = levels.map((level) => {
    if (level === "**") return "(/\\w+)*";
    return level === "*" ? "/\\w+" : `/${level.replace(/\W/g, "\\$&")}`;
  });
  return new RegExp(`^${expression.join("")}$`).test(node);
}

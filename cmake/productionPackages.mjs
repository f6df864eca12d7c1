// Which packages of a package-lock.json a program needs at run time, found as Node.js itself finds them: from the root
// over dependencies, optional dependencies and peers, each looked up in the node_modules folders from its dependent
// upwards. npm's marks (`dev`, `optional`, `devOptional`) cannot tell: what development and an optional package both
// need is neither.

const FOLDER = "node_modules/";

/** Where `name` is found by the package at `place` ("" is the root); undefined when the lock file has it nowhere above. */
function resolve(packages, place, name) {
  for (let above = place; ;) {
    const candidate = `${above === "" ? "" : `${above}/`}${FOLDER}${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (above === "") return undefined;
    // The folder that contains the next node_modules above.
    above = above.slice(0, Math.max(0, above.lastIndexOf(FOLDER) - 1));
  }
}

/** npm's rule for the fields os, cpu and libc of a package. */
function allows(list, value) {
  if (list === undefined || value === undefined) return true;
  const accepted = list.filter((entry) => !entry.startsWith("!"));
  return !list.includes(`!${value}`) && (accepted.length === 0 || accepted.includes(value));
}

/** What this process runs on, as package.json names it. */
export function thisPlatform() {
  const glibc = process.report?.getReport().header.glibcVersionRuntime;
  const libc = process.platform === "linux" ? (glibc === undefined ? "musl" : "glibc") : undefined;
  return { os: process.platform, cpu: process.arch, libc };
}

/** What `{ dependencies, optionalDependencies, ... }` asks for: [name, whether it may be absent]. */
function edges({
  dependencies = {},
  optionalDependencies = {},
  peerDependencies = {},
  peerDependenciesMeta = {},
}) {
  return [
    ...Object.keys(dependencies)
      .filter((name) => optionalDependencies[name] === undefined)
      .map((name) => [name, false]),
    ...Object.keys(optionalDependencies).map((name) => [name, true]),
    // Without an optional peer a package does its work; who wants it depends on it by himself.
    ...Object.keys(peerDependencies)
      .filter((name) => peerDependenciesMeta[name]?.optional !== true)
      .map((name) => [name, false]),
  ];
}

/**
 * @param packages `packages` of a package-lock.json (version 2 or 3)
 * @param platform as thisPlatform() returns it: optional packages for others are left out
 * @returns `places`: the keys of all packages that are needed, sorted; `problems`: what is needed and in no place, in
 *   words
 */
export function productionPackages(packages, platform = thisPlatform()) {
  const places = new Set();
  const problems = [];
  const open = [""];
  while (open.length > 0) {
    const dependent = open.pop();
    for (const [name, optional] of edges(packages[dependent])) {
      const place = resolve(packages, dependent, name);
      if (place === undefined) {
        if (!optional)
          problems.push(`${name}, which ${dependent || "the root"} needs, is not in the lock file`);
        continue;
      }
      const { os, cpu, libc } = packages[place];
      const fits = allows(os, platform.os) && allows(cpu, platform.cpu) && allows(libc, platform.libc);
      if ((optional && !fits) || places.has(place)) continue;
      places.add(place);
      open.push(place);
    }
  }
  return { places: [...places].sort(), problems };
}

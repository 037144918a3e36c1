// `npm run deps`: the arrows of the architecture (`.dependency-cruiser.cjs`), and no circles. Within every folder its files
// and folders import one another in one direction: what is inside a folder counts as the folder.
import { spawnSync } from "node:child_process";

const packages = ["runtime/src", "compiler/src", "bench/src", "cli/src"];
const config = ["--config", ".dependency-cruiser.cjs", "--output-type", "json"];
const { stdout, stderr } = spawnSync("npx", ["depcruise", ...config, ...packages], {
  encoding: "utf8",
  maxBuffer: 2 ** 28,
});
const { modules, summary } = readAnswer();

const refused = summary.violations.map(
  ({ rule, from, to, cycle = [] }) =>
    `${rule.name}: ${[from, ...(cycle.length > 0 ? cycle.map(({ name }) => name) : [to])].join(" → ")}`,
);
for (const [folder, edges] of entriesByFolder(modules))
  for (const circle of circlesOf(edges))
    refused.push(`no circle in ${folder}: ${circle.join(" ↔ ")}`);
for (const line of refused) console.error(line);
console.log(
  refused.length === 0
    ? `No arrow points up and none goes in a circle: ${modules.length} modules.`
    : `${refused.length} arrows are refused.`,
);
process.exit(refused.length === 0 ? 0 : 1);

function readAnswer() {
  try {
    return JSON.parse(stdout);
  } catch {
    console.error(stderr || stdout);
    process.exit(2);
  }
}

/** For each folder: which of its own files and folders import which, themselves or by what is inside them. */
function entriesByFolder(all) {
  const known = new Set(all.map(({ source }) => source));
  const folders = new Map();
  for (const { source, dependencies } of all) {
    for (const { resolved } of dependencies) {
      if (!known.has(resolved) || resolved === source) continue;
      const [from, to] = [source.split("/"), resolved.split("/")];
      const shared = from.findIndex((name, index) => name !== to[index]);
      const folder = from.slice(0, shared).join("/");
      const edges = folders.get(folder) ?? new Map();
      edges.set(from[shared], (edges.get(from[shared]) ?? new Set()).add(to[shared]));
      folders.set(folder, edges);
    }
  }
  return folders;
}

/** Entries that reach one another: strongly connected components of more than one (Tarjan 1972). */
function circlesOf(edges) {
  const numbers = new Map();
  const lowest = new Map();
  const stack = [];
  const circles = [];
  const visit = (entry) => {
    const number = numbers.size;
    numbers.set(entry, number);
    lowest.set(entry, number);
    stack.push(entry);
    for (const next of edges.get(entry) ?? []) {
      if (!numbers.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(entry, Math.min(lowest.get(entry), lowest.get(next)));
    }
    if (lowest.get(entry) !== number) return;
    const circle = stack.splice(stack.indexOf(entry));
    if (circle.length > 1) circles.push(circle);
  };
  for (const entry of edges.keys()) if (!numbers.has(entry)) visit(entry);
  return circles;
}

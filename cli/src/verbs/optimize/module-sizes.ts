import { dim, findTarget, type Graph, type Sizes, supportOf } from "@pare/compiler";
import type { TargetName } from "@pare/runtime/format";
import { type SizesSeen } from "../../data/sizes-seen.js";

/**
 * Which sizes would let a module be compiled, where free ones alone stand against it: a module takes no other sizes than it
 * was compiled for, so that they are for its user to promise and never taken from samples. Null where nothing helps.
 * @param seen sizes of the inputs, by name and axis, as samples have them
 * @param asGuessed without data
 */
export async function moduleSizesText(
  graph: Graph,
  sizes: Sizes,
  seen: SizesSeen,
  asGuessed: boolean,
): Promise<string | null> {
  const known = knownSizes(graph, seen);
  if (known.size === 0) return null;
  const aot = findTarget("aot");
  const { obstacles } = await supportOf(graph, aot, sizes);
  const missing = Object.fromEntries(
    obstacles.flatMap(({ of, op }): [string, number[]][] => {
      const found = of === "model" ? known.get(op) : undefined;
      return found === undefined ? [] : [[op, [...found].sort((a, b) => a - b)]];
    }),
  );
  const names = Object.keys(missing);
  if (names.length === 0) return null;
  const firsts = names.map((name) => [name, missing[name]?.slice(0, 1) ?? []] as const);
  const rest = await supportOf(graph, aot, { ...sizes, ...Object.fromEntries(firsts) });
  if (rest.obstacles.length > 0) return null;
  const several = Object.entries(missing).filter(([, found]) => found.length > 1);
  if (several.length > 0) return variedText(several);
  const options = firsts.map(([name, size]) => `--dim ${name}=${size.join()}`).join(" ");
  const [first, [size = 1]] = firsts[0] ?? ["", []];
  const origin = asGuessed ? "as was guessed" : "as the samples have it";
  return `aot: ${options} (${origin}) compiles a module, and fixes it on every target. Several values, ${first}=${size},${2 * size}, give the module an entry each and leave it free elsewhere.`;
}

/** So many sizes are listed. */
const listedSizes = 32;

function variedText(
  several: readonly (readonly [name: string, sizes: readonly number[]])[],
): string {
  const each = several.map(
    ([name, found]) => `${found.length} sizes of ${name}, ${found[0]} to ${found.at(-1)}`,
  );
  const options = several.map(
    ([name, found]) => `--dim ${name}=${found.length > listedSizes ? "…" : found.join()}`,
  );
  return `aot: a module takes no other sizes than it was compiled for, and the samples have ${each.join(" and ")}: pad them to one and give that, or give all of them, ${options.join(" ")}, an entry of the module each.`;
}

/** What several sizes of a dim come to on each target, and which is measured. Null where no dim has several. */
export function severalSizesText(
  sizes: Sizes,
  targets: readonly TargetName[],
  shapes: Readonly<Record<string, readonly number[]>>,
): string | null {
  const names = Object.keys(sizes);
  if (names.length === 0) return null;
  const each = targets.includes("aot")
    ? ["the module has an entry for each, and is timed by the first"]
    : [];
  const others = targets.filter((target) => target !== "aot");
  const measured = Object.entries(shapes).map(([name, dims]) => `${name} [${dims.join(", ")}]`);
  const free =
    others.length === 0
      ? []
      : [`on ${others.join(", ")} it stays free, and is measured as ${measured.join(", ")}`];
  return `--dim ${names.map((name) => `${name}=${sizes[name]?.join(",")}`).join(" ")}: ${[...each, ...free].join("; ")}.`;
}

/** Named dims of inputs that are a symbol alone. */
function knownSizes(graph: Graph, seen: SizesSeen): ReadonlyMap<string, ReadonlySet<number>> {
  const known = new Map<string, Set<number>>();
  for (const id of graph.main.inputs) {
    const { name, type } = graph.value(id);
    if (type.kind !== "tensor" || !Object.hasOwn(seen, name)) continue;
    for (const [axis, declared] of (type.shape ?? []).entries()) {
      const [symbol, ...others] = dim.symbolsOf(declared);
      const found = seen[name]?.[axis];
      if (symbol === undefined || others.length > 0 || found === undefined) continue;
      if (declared === dim.symbol(symbol))
        known.set(symbol, new Set([...(known.get(symbol) ?? []), ...found]));
    }
  }
  return known;
}

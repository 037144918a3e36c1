import { dim, findTarget, type Graph, type Sizes, supportOf } from "@pare/compiler";
import type { TargetName } from "@pare/runtime/format";

/**
 * Which sizes would let a module be compiled, where free ones alone stand against it: a module takes no other sizes than it
 * was compiled for, so that they are for its user to promise and never taken from samples. Null where nothing helps.
 * @param shapes of the inputs, as the first sample has them
 * @param asGuessed without data
 */
export async function moduleSizesText(
  graph: Graph,
  sizes: Sizes,
  shapes: Readonly<Record<string, readonly number[]>>,
  asGuessed: boolean,
): Promise<string | null> {
  const known = knownSizes(graph, shapes);
  if (known.size === 0) return null;
  const aot = findTarget("aot");
  const { obstacles } = await supportOf(graph, aot, sizes);
  const missing = Object.fromEntries(
    obstacles.flatMap(({ of, op }): [string, number[]][] => {
      const size = of === "model" ? known.get(op) : undefined;
      return size === undefined ? [] : [[op, [size]]];
    }),
  );
  const names = Object.keys(missing);
  if (names.length === 0) return null;
  const rest = await supportOf(graph, aot, { ...sizes, ...missing });
  if (rest.obstacles.length > 0) return null;
  const options = names.map((name) => `--dim ${name}=${missing[name]?.[0]}`).join(" ");
  const origin = asGuessed ? "as was guessed" : "as the first sample has it";
  return `aot: ${options} (${origin}) compiles a module, and fixes it on every target. Several values, ${names[0]}=64,128, give the module an entry each and leave it free elsewhere.`;
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
function knownSizes(
  graph: Graph,
  shapes: Readonly<Record<string, readonly number[]>>,
): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const id of graph.main.inputs) {
    const { name, type } = graph.value(id);
    if (type.kind !== "tensor" || !Object.hasOwn(shapes, name)) continue;
    for (const [axis, declared] of (type.shape ?? []).entries()) {
      const [symbol, ...others] = dim.symbolsOf(declared);
      const size = shapes[name]?.[axis];
      if (symbol === undefined || others.length > 0 || size === undefined) continue;
      if (declared === dim.symbol(symbol)) known.set(symbol, size);
    }
  }
  return known;
}

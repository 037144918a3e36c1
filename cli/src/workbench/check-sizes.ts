import { dim, type Graph, type Sizes } from "@pare/compiler";
import { PareError } from "@pare/runtime/format";

/** @throws PareError ARGUMENT for a dim that no input has, which `bind-shapes` says of those of one size */
export function checkSizes({ graph }: { readonly graph: Graph }, sizes: Sizes): void {
  const free = new Set<string>();
  for (const id of graph.main.inputs) {
    const { type } = graph.value(id);
    if (type.kind === "tensor") for (const size of type.shape ?? []) dim.symbolsOf(size, free);
  }
  const missing = Object.keys(sizes).find((name) => !free.has(name));
  if (missing === undefined) return;
  const named = [...free].filter((name) => !name.startsWith("?"));
  throw new PareError("ARGUMENT", `No input has a dim "${missing}".`, {
    where: missing,
    hint:
      named.length === 0
        ? "No input has a named free dim."
        : `The free dims are ${named.join(", ")}.`,
  });
}

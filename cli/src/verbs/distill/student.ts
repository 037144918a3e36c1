import type { Step } from "@pare/compiler";
import { PareError } from "@pare/runtime/format";
import { collectPairs } from "../../terminal/option-values.js";

/** Where a student comes from: a file, or the teacher, cut down by steps. */
export type StudentSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "cut"; readonly steps: readonly Step[] };

const cuts = ["depth", "layers", "by", "width"] as const;

/**
 * Reads what `--student` says: a file, or `layers=0+2+5`, or `depth=0.5` or `layers=3`, each with `by=influence` or
 * without, and beside it or alone `width=0.5`.
 * @throws PareError ARGUMENT
 */
export function studentSource(text: string): StudentSource {
  if (!cuts.some((name) => text.startsWith(`${name}=`))) return { kind: "file", path: text };
  const said = new Map(collectPairs("--student")(text.trim().replaceAll(/[,\s]+/g, ",")));
  for (const name of said.keys())
    if (!cuts.some((one) => one === name)) refuse(`does not know "${name}"`);
  const [depth, layers, by, width] = cuts.map((name) => said.get(name));
  if (depth !== undefined && layers !== undefined) refuse("says twice how many layers are left");
  const deep = depth !== undefined || layers !== undefined;
  if (by !== undefined && !deep) refuse("does not say how many layers are left");
  if (by !== undefined && layers?.includes("+") === true)
    refuse("says which layers are left, and how they are chosen");
  const drop: Step = {
    use: "drop-layers",
    with: {
      ...(depth !== undefined && { keep: Number(depth) }),
      ...(layers !== undefined && { layers: layersOf(layers) }),
      ...(by !== undefined && { by }),
    },
  };
  // Of every layer, so that none becomes a narrow place.
  const narrow: Step = { use: "prune", with: { keepChannels: Number(width), scope: "layer" } };
  return {
    kind: "cut",
    steps: [{ use: "simplify" }, ...(deep ? [drop] : []), ...(width === undefined ? [] : [narrow])],
  };
}

/**
 * The one file that a recipe's steps run on, which may be named without a flag.
 * @throws PareError ARGUMENT
 */
export function studentFile(paths: readonly string[], named: string | undefined): string {
  const all = [...new Set([...paths, ...(named === undefined ? [] : [named])])];
  const [only, second] = all;
  if (only === undefined || second !== undefined) refuse("must name one file, with --recipe");
  const source = studentSource(only);
  if (source.kind === "cut")
    refuse("cuts a teacher, which a recipe's steps do: drop-layers, prune");
  return source.path;
}

/** `3`: so many; `0+2+5`: which. */
function layersOf(text: string): number | readonly number[] {
  if (!/^\d+(\+\d+)*$/.test(text)) refuse(`has "${text}" for layers`);
  const numbers = text.split("+").map(Number);
  return numbers.length === 1 ? (numbers[0] ?? 0) : numbers;
}

function refuse(what: string): never {
  throw new PareError("ARGUMENT", `--student ${what}.`, {
    where: "--student",
    hint: "Name a file, or write depth=0.5 (half of the teacher's layers), layers=3 or layers=0+2+5, width=0.5 (half of the channels), with commas between; by=influence lets samples choose the layers.",
  });
}

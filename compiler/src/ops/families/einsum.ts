import type { Dim } from "../../ir/index.js";
import { broadcastShapes } from "./broadcast.js";

/** An equation for operands of certain ranks: a label for each axis. What "..." stands for has labels of its own. */
export interface EinsumLabels {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

/** A letter each, and at most once three dots between them. */
const term = /^([A-Za-z]*)(?:(\.\.\.)([A-Za-z]*))?$/;

interface Term {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly hasDots: boolean;
}

function termOf(text: string): Term | undefined {
  const found = term.exec(text);
  if (found === null) return undefined;
  const [, before = "", dots, after = ""] = found;
  return { before: before.split(""), after: after.split(""), hasDots: dots !== undefined };
}

/**
 * The labels of an Einsum. Without "->" the result has what "..." stands for and the letters that occur once, in the
 * alphabet's order. Undefined where the equation is none, or does not fit the operands.
 */
export function einsumLabels(equation: string, ranks: readonly number[]): EinsumLabels | undefined {
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",").map(termOf);
  if (more.length > 0 || terms.length !== ranks.length) return undefined;
  let spread = 0;
  const operands: (readonly string[])[] = [];
  for (const [index, rank] of ranks.entries()) {
    const one = terms[index];
    const extra = one === undefined ? -1 : rank - one.before.length - one.after.length;
    if (one === undefined || extra < 0 || (extra > 0 && !one.hasDots)) return undefined;
    spread = Math.max(spread, extra);
    operands.push([...one.before, ...dotted(extra), ...one.after]);
  }
  const hasDots = terms.some((one) => one?.hasDots);
  const result = right === undefined ? impliedBy(operands, hasDots) : termOf(right);
  if (result === undefined || result.hasDots !== hasDots) return undefined;
  const labels = [...result.before, ...dotted(hasDots ? spread : 0), ...result.after];
  const given = new Set(operands.flat());
  const isFrom = labels.every((label) => given.has(label));
  return isFrom && new Set(labels).size === labels.length
    ? { operands, result: labels }
    : undefined;
}

/** What stands last is the same axis in all, as in any broadcast. */
function dotted(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `.${count - at}`);
}

function impliedBy(operands: readonly (readonly string[])[], hasDots: boolean): Term {
  const counts = new Map<string, number>();
  for (const label of operands.flat()) counts.set(label, (counts.get(label) ?? 0) + 1);
  const once = [...counts].flatMap(([label, count]) =>
    count === 1 && !label.startsWith(".") ? [label] : [],
  );
  return { before: [], after: once.sort(), hasDots };
}

/** The size of each label; of sizes that differ, one is 1 and is spread. Undefined where they do not fit. */
export function einsumSizes(
  { operands }: EinsumLabels,
  shapes: readonly (readonly Dim[])[],
): ReadonlyMap<string, Dim> | undefined {
  const sizes = new Map<string, Dim>();
  for (const [index, labels] of operands.entries()) {
    for (const [axis, label] of labels.entries()) {
      const own = shapes[index]?.[axis] ?? 1;
      const size = broadcastShapes([[sizes.get(label) ?? 1], [own]])?.[0];
      if (size === undefined) return undefined;
      sizes.set(label, size);
    }
  }
  return sizes;
}

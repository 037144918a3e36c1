import { type Dim, product } from "../ir/index.js";
import { reshapeTarget } from "./reshapes.js";

/** How a value is computed: an operand as it is, or a node; `ints` are what its second input, or its order, says. */
export type Said =
  | { readonly op: "operand"; readonly index: number }
  | { readonly op: "MatMul" | "Mul"; readonly inputs: readonly [Said, Said] }
  | {
      readonly op: "ReduceSum" | "Reshape" | "Unsqueeze" | "Transpose";
      readonly x: Said;
      readonly ints: readonly number[];
    };

/** A value with a label for each axis. */
export interface Term {
  readonly labels: readonly string[];
  readonly sizes: readonly Dim[];
  readonly said: Said;
  /** Computed from constants alone: what is done to it is done beforehand. */
  readonly isConstant: boolean;
  /** What it takes to bring values into order, besides products and sums. */
  readonly cost: number;
}

/** Elements that are moved cost more than a shape that is changed. */
const costs = { moved: 4, shaped: 1 };

export function sizeOf(term: Term, label: string): Dim {
  return term.sizes[term.labels.indexOf(label)] ?? 1;
}

function after(term: Term, cost: number, rest: Pick<Term, "labels" | "sizes" | "said">): Term {
  return { ...term, ...rest, cost: term.cost + (term.isConstant ? 0 : cost) };
}

/** The sum over some of its labels. */
export function summed(term: Term, labels: readonly string[]): Term {
  const axes = labels.map((label) => term.labels.indexOf(label));
  if (axes.length === 0) return term;
  return after(term, 0, {
    labels: term.labels.filter((label) => !labels.includes(label)),
    sizes: term.sizes.filter((_, axis) => !axes.includes(axis)),
    said: { op: "ReduceSum", x: term.said, ints: axes },
  });
}

/** With its axes in this order. */
export function ordered(term: Term, labels: readonly string[]): Term {
  const perm = labels.map((label) => term.labels.indexOf(label));
  if (perm.every((axis, at) => axis === at)) return term;
  const sizes = perm.map((axis) => term.sizes[axis] ?? 1);
  const moved = perm.filter((axis) => term.sizes[axis] !== 1);
  const isMoved = moved.some((axis, at) => axis < (moved[at - 1] ?? 0));
  const said: Said = { op: "Transpose", x: term.said, ints: perm };
  return after(term, isMoved ? costs.moved : costs.shaped, { labels, sizes, said });
}

/** With an axis of size 1 for each of these labels that it lacks, but for the first ones: those a broadcast adds. */
export function widened(term: Term, labels: readonly string[]): Term {
  const first = labels.findIndex((label) => term.labels.includes(label));
  const own = first < 0 ? [] : labels.slice(first);
  const axes = [...own.keys()].filter((axis) => !term.labels.includes(own[axis] ?? ""));
  if (axes.length === 0) return term;
  return after(term, costs.shaped, {
    labels: own,
    sizes: own.map((label) => sizeOf(term, label)),
    said: { op: "Unsqueeze", x: term.said, ints: axes },
  });
}

/** With groups of neighbouring axes as one each; undefined where no Reshape can be told to do so. */
export function grouped(term: Term, groups: readonly (readonly string[])[]): Term | undefined {
  const sizes = groups.map((labels) => product(labels.map((label) => sizeOf(term, label))));
  return shaped(
    term,
    groups.map((labels) => labels.join("")),
    sizes,
  );
}

/** With other axes for the same elements. */
export function shaped(
  term: Term,
  labels: readonly string[],
  sizes: readonly Dim[],
): Term | undefined {
  const isSame = sizes.length === term.sizes.length && sizes.every((size, at) => size === term.sizes[at]); // prettier-ignore
  if (isSame) return { ...term, labels };
  const ints = reshapeTarget(term.sizes, sizes);
  if (ints === undefined) return undefined;
  return after(term, costs.shaped, {
    labels,
    sizes,
    said: { op: "Reshape", x: term.said, ints },
  });
}

/** The size of a label in the product of two: one of them may have 1, and is spread. */
export function common(a: Term, b: Term, label: string): Dim {
  const size = sizeOf(a, label);
  return size === 1 ? sizeOf(b, label) : size;
}

/** A product; its axes are what the operator makes of theirs. */
export function joined(
  a: Term,
  b: Term,
  op: "MatMul" | "Mul",
  labels: readonly string[],
  sizes: readonly Dim[],
): Term {
  return {
    labels,
    sizes,
    said: { op, inputs: [a.said, b.said] },
    isConstant: a.isConstant && b.isConstant,
    cost: a.cost + b.cost,
  };
}

/** What one has and the other lacks. */
export function ownOf(term: Term, other: Term): readonly string[] {
  return term.labels.filter((label) => !other.labels.includes(label));
}

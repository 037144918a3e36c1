import { matrixProducts } from "./einsum-matrices.js";
import {
  common,
  joined,
  ordered,
  ownOf,
  sizeOf,
  summed,
  type Term,
  widened,
} from "./einsum-term.js";

/** What the product of two terms is for. */
export interface Purpose {
  /** The labels that are read after it. */
  readonly needed: ReadonlySet<string>;
  /** Their order, where it is the last product. */
  readonly result: readonly string[] | undefined;
  /** Does a product as it is stored round as much as a sum? Then sums of stored products are no good. */
  readonly isCoarse: boolean;
}

/**
 * The product of two terms, summed over what is not needed. What only one of them has is summed before; so is what one has
 * once and the other several times: Σ a b_j = a Σ b_j. Undefined where no Reshape can be told what is needed.
 */
export function multiplied(left: Term, right: Term, purpose: Purpose): Term | undefined {
  const { needed, result } = purpose;
  const isSummed = (label: string): boolean =>
    !needed.has(label) && sizeOf(left, label) === sizeOf(right, label) && right.labels.includes(label); // prettier-ignore
  const over = left.labels.filter(isSummed);
  const kept = (term: Term): Term =>
    summed(
      term,
      term.labels.filter((label) => !needed.has(label) && !over.includes(label)),
    );
  const [a, b] = [kept(left), kept(right)];
  if (over.length === 0) return spread(a, b, result);
  const isWithin = sameLabels(a, b);
  const isVector = a.labels.length === 1;
  const found =
    isWithin && !isVector && !purpose.isCoarse
      ? [a.labels, b.labels].map((order) => summed(spread(a, b, order), over))
      : [...matrixProducts(a, b, over, result), ...matrixProducts(b, a, over, result)];
  return cheapest(found.map((term) => (result === undefined ? term : ordered(term, result))));
}

function sameLabels(a: Term, b: Term): boolean {
  return a.labels.length === b.labels.length && a.labels.every((label) => b.labels.includes(label));
}

/** The first of those that cost least. */
function cheapest(terms: readonly Term[]): Term | undefined {
  const [first, ...others] = terms;
  if (first === undefined) return undefined;
  return others.reduce((best, term) => (term.cost < best.cost ? term : best), first);
}

/** Where nothing is summed: every element of one with every element of the other, in the order of the result. */
function spread(a: Term, b: Term, result: readonly string[] | undefined): Term {
  const order = result ?? [...a.labels, ...ownOf(b, a)];
  const sizes = order.map((label) => common(a, b, label));
  return joined(broadcast(a, order), broadcast(b, order), "Mul", order, sizes);
}

function broadcast(term: Term, order: readonly string[]): Term {
  const own = order.filter((label) => term.labels.includes(label));
  return widened(ordered(term, own), order);
}

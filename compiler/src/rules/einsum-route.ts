import { isStatic, product } from "../ir/index.js";
import { multiplied } from "./einsum-product.js";
import { common, ordered, summed, type Term } from "./einsum-term.js";

/** Of so many operands every order of products is tried; of more, they are multiplied from the left. */
const mostCompared = 4;

/** What an Einsum is to give. */
export interface Goal {
  readonly result: readonly string[];
  /** See `Purpose`. */
  readonly isCoarse: boolean;
}

interface Route {
  readonly term: Term;
  /** Multiplications; 0 where sizes are not known. */
  readonly work: number;
}

/**
 * The sum of products that an Einsum is, two operands at a time, in the order that multiplies least.
 * @param terms of which a label has one size, or 1
 */
export function sumOfProducts(terms: readonly Term[], goal: Goal): Term | undefined {
  return routeOf(terms, goal)?.term;
}

function routeOf(terms: readonly Term[], goal: Goal): Route | undefined {
  const { result } = goal;
  const [first, second] = terms;
  if (first === undefined) return undefined;
  if (second === undefined) {
    const lone = first.labels.filter((label) => !result.includes(label));
    return { term: ordered(summed(first, lone), result), work: 0 };
  }
  const isCompared = terms.length <= mostCompared && terms.every(({ sizes }) => isStatic(sizes));
  let best: Route | undefined;
  for (const [a, b] of isCompared ? pairsOf(terms) : [[first, second] as const]) {
    const rest = terms.filter((term) => term !== a && term !== b);
    const needed = new Set([...result, ...rest.flatMap(({ labels }) => labels)]);
    const last = rest.length === 0 ? result : undefined;
    const made = multiplied(a, b, { needed, result: last, isCoarse: goal.isCoarse });
    const after = made === undefined ? undefined : routeOf([made, ...rest], goal);
    if (after === undefined) continue;
    const route = { term: after.term, work: workOf(a, b, needed) + after.work };
    if (best === undefined || isLess(route, best)) best = route;
  }
  return best;
}

function pairsOf(terms: readonly Term[]): readonly (readonly [Term, Term])[] {
  return terms.flatMap((a, at) => terms.slice(at + 1).map((b) => [a, b] as const));
}

function isLess(route: Route, than: Route): boolean {
  return route.work === than.work ? route.term.cost < than.term.cost : route.work < than.work;
}

/** A multiplication for every combination of what both have or what is read later. */
function workOf(a: Term, b: Term, needed: ReadonlySet<string>): number {
  const labels = [...new Set([...a.labels, ...b.labels])].filter(
    (label) => needed.has(label) || (a.labels.includes(label) && b.labels.includes(label)),
  );
  const sizes = labels.map((label) => common(a, b, label));
  return isStatic(sizes) ? Number(product(sizes)) : 0;
}

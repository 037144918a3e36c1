import { type Atom, type Dim, dim, DimExpression, type Term } from "../../ir/index.js";

/**
 * Is a dim at least 0 for every size its symbols can have? Each is at least 0: a batch may be empty, what a decoder has seen
 * is nothing before its first step, and a file may give a name to how many a NonZero finds. False also where it cannot be
 * told.
 */
export function isNonNegative(value: Dim): boolean {
  return isAtLeast(value, 0);
}

export function isPositive(value: Dim): boolean {
  return isAtLeast(value, 1);
}

/** Cases of max that are told apart before giving up. */
const caseDepth = 6;

/** A max in a sum is either side: adding it, one side that is enough proves it; taking it away, both must be. */
function isAtLeast(value: Dim, bound: number, depth = caseDepth): boolean {
  if (lowest(value) >= bound) return true;
  if (typeof value === "number" || depth === 0) return false;
  for (const term of value.terms) {
    const [atom] = term.atoms;
    if (atom?.kind !== "max" || term.atoms.length !== 1) continue;
    const left = isAtLeast(withPart(value, term, atom.left), bound, depth - 1);
    if (left && term.coefficient > 0) return true;
    if (!left && term.coefficient < 0) return false;
    return isAtLeast(withPart(value, term, atom.right), bound, depth - 1);
  }
  return false;
}

/** The sum with another dim in the place of a term's atom. */
function withPart(value: DimExpression, term: Term, part: Dim): Dim {
  const rest = value.terms.filter((other) => other !== term);
  const others = rest.map(({ coefficient, atoms }) =>
    dim.multiply(coefficient, ...atoms.map(dimOf)),
  );
  return dim.add(...others, dim.multiply(term.coefficient, part));
}

function dimOf(atom: Atom): Dim {
  switch (atom.kind) {
    case "symbol":
      return dim.symbol(atom.name);
    case "max":
      return dim.max(atom.left, atom.right);
    case "floordiv":
      return dim.floorDiv(atom.left, atom.right);
    default:
      return atom satisfies never;
  }
}

/** A lower bound; −∞ where none is known. */
function lowest(value: Dim): number {
  return bounded(value, 1);
}

/** An upper bound; ∞ where none is known. */
function highest(value: Dim): number {
  return -bounded(value, -1);
}

/** A lower bound of the value, or of its negative. */
function bounded(value: Dim, sign: 1 | -1): number {
  if (typeof value === "number") return sign * value;
  let sum = 0;
  for (const { coefficient, atoms } of value.terms) {
    const factor = sign * coefficient;
    const [atom] = atoms;
    if (atom === undefined) sum += factor;
    else if (atoms.length === 1)
      sum += factor * (factor > 0 ? lowestAtom(atom) : highestAtom(atom));
    else {
      const bounds = atoms.map(lowestAtom);
      if (factor < 0 || bounds.some((bound) => bound < 0)) return -Infinity;
      sum += factor * bounds.reduce((a, b) => a * b, 1);
    }
  }
  return sum;
}

function lowestAtom(atom: Atom): number {
  switch (atom.kind) {
    case "symbol":
      return 0;
    case "max":
      return Math.max(lowest(atom.left), lowest(atom.right));
    case "floordiv":
      if (typeof atom.right === "number" && atom.right > 0)
        return Math.floor(lowest(atom.left) / atom.right);
      // By 0 there is no quotient.
      return lowest(atom.left) >= 0 && lowest(atom.right) >= 0 ? 0 : -Infinity;
    default:
      return atom satisfies never;
  }
}

function highestAtom(atom: Atom): number {
  switch (atom.kind) {
    case "symbol":
      return Infinity;
    case "max":
      return Math.max(highest(atom.left), highest(atom.right));
    case "floordiv":
      return typeof atom.right === "number" && atom.right > 0
        ? Math.floor(highest(atom.left) / atom.right)
        : Infinity;
    default:
      return atom satisfies never;
  }
}

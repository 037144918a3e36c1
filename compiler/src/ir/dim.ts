/**
 * Dimensions: integers, or interned integer polynomials over symbols and over the atoms floordiv and max.
 * Two equal expressions are the same object, so dims compare with `===`.
 */
export type Dim = number | DimExpression;

export type Atom =
  | { readonly kind: "symbol"; readonly key: string; readonly name: string }
  | {
      readonly kind: "floordiv" | "max";
      readonly key: string;
      readonly left: Dim;
      readonly right: Dim;
    };

/** coefficient × product of atoms (sorted by key; repeated for powers). */
export interface Term {
  readonly coefficient: number;
  readonly atoms: readonly Atom[];
}

export class DimExpression {
  readonly terms: readonly Term[];
  readonly key: string;

  /** Use `dim.*`: only they intern. */
  constructor(terms: readonly Term[], key: string) {
    this.terms = terms;
    this.key = key;
  }

  toString(): string {
    return this.key;
  }
}

const interned = new Map<string, WeakRef<DimExpression>>();
const forget = new FinalizationRegistry<string>((key) => {
  if (interned.get(key)?.deref() === undefined) interned.delete(key);
});

const monomial = (atoms: readonly Atom[]) => atoms.map((atom) => atom.key).join("*");

function intern(terms: readonly Term[]): Dim {
  const merged = new Map<string, Term>();
  for (const term of terms) {
    const key = monomial(term.atoms);
    const coefficient = (merged.get(key)?.coefficient ?? 0) + term.coefficient;
    if (coefficient === 0) merged.delete(key);
    else merged.set(key, { coefficient, atoms: term.atoms });
  }
  const keys = [...merged.keys()].sort((a, b) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1));
  const sorted = keys.flatMap((key) => merged.get(key) ?? []);
  const first = sorted[0];
  if (first === undefined) return 0;
  if (sorted.length === 1 && first.atoms.length === 0) return first.coefficient;
  let key = "";
  for (const term of sorted) {
    const sign = term.coefficient < 0 ? (key === "" ? "-" : " - ") : key === "" ? "" : " + ";
    const magnitude = Math.abs(term.coefficient);
    const product = monomial(term.atoms);
    key +=
      sign +
      (product === "" ? String(magnitude) : magnitude === 1 ? product : `${magnitude}*${product}`);
  }
  const known = interned.get(key)?.deref();
  if (known !== undefined) return known;
  const made = new DimExpression(sorted, key);
  interned.set(key, new WeakRef(made));
  forget.register(made, key);
  return made;
}

function termsOf(value: Dim): readonly Term[] {
  if (typeof value !== "number") return value.terms;
  return value === 0 ? [] : [{ coefficient: value, atoms: [] }];
}

const ofAtom = (atom: Atom): Dim => intern([{ coefficient: 1, atoms: [atom] }]);

function symbol(name: string): Dim {
  const key =
    /^[A-Za-z_][\w.]*$/.test(name) && name !== "floordiv" && name !== "max"
      ? name
      : JSON.stringify(name);
  return ofAtom({ kind: "symbol", key, name });
}

/** Larger sums say nothing to anyone, nor do larger products, which of sums grow with every factor. */
const mostTerms = 256;
const mostAtoms = 64;

/** An unknown where the sum, written out, is too large. */
function add(...values: readonly Dim[]): Dim {
  // Most dims are numbers.
  if (isStatic(values)) return values.reduce((sum, value) => sum + value, 0);
  const terms = values.flatMap(termsOf);
  return terms.length > mostTerms ? unknown() : intern(terms);
}

/** An unknown where the product, written out, is too large. */
function multiply(...values: readonly Dim[]): Dim {
  // −0 is no dim.
  if (isStatic(values)) return values.reduce((size, value) => size * value, 1) + 0;
  let product: readonly Term[] = [{ coefficient: 1, atoms: [] }];
  for (const value of values) {
    const factor = termsOf(value);
    const atoms = longest(product) + longest(factor);
    if (product.length * factor.length > mostTerms || atoms > mostAtoms) return unknown();
    product = product.flatMap((a) =>
      factor.map((b) => ({
        coefficient: a.coefficient * b.coefficient,
        atoms: [...a.atoms, ...b.atoms].sort((x, y) =>
          x.key < y.key ? -1 : x.key > y.key ? 1 : 0,
        ),
      })),
    );
  }
  return intern(product);
}

function longest(terms: readonly Term[]): number {
  return terms.reduce((most, { atoms }) => Math.max(most, atoms.length), 0);
}

function subtract(left: Dim, right: Dim): Dim {
  return add(left, multiply(-1, right));
}

/** Rounds towards minus infinity. Multiples of a numeric divisor are taken out: floordiv(2*x + 1, 2) is x. */
function floorDiv(left: Dim, right: Dim): Dim {
  if (right === 1) return left;
  if (left === 0) return 0;
  if (left === right) return 1;
  if (typeof right === "number" && right !== 0) {
    if (typeof left === "number") return Math.floor(left / right);
    const whole: Term[] = [];
    const rest: Term[] = [];
    for (const term of left.terms) {
      const quotient = Math.floor(term.coefficient / right);
      const remainder = term.coefficient - quotient * right;
      if (quotient !== 0) whole.push({ coefficient: quotient, atoms: term.atoms });
      if (remainder !== 0) rest.push({ coefficient: remainder, atoms: term.atoms });
    }
    const remainder = intern(rest);
    const restQuotient =
      typeof remainder === "number"
        ? Math.floor(remainder / right)
        : floorDivAtom(remainder, right);
    return add(intern(whole), restQuotient);
  }
  return divideExactly(left, right) ?? floorDivAtom(left, right);
}

function floorDivAtom(left: Dim, right: Dim): Dim {
  return ofAtom({
    kind: "floordiv",
    key: `floordiv(${String(left)}, ${String(right)})`,
    left,
    right,
  });
}

/** left / right when right is a monomial that divides every term, else undefined. */
function divideExactly(left: Dim, right: Dim): Dim | undefined {
  const divisor = termsOf(right);
  const by = divisor[0];
  if (divisor.length !== 1 || by === undefined) return undefined;
  const quotient: Term[] = [];
  for (const term of termsOf(left)) {
    if (term.coefficient % by.coefficient !== 0) return undefined;
    const atoms = [...term.atoms];
    for (const atom of by.atoms) {
      const at = atoms.findIndex((candidate) => candidate.key === atom.key);
      if (at < 0) return undefined;
      atoms.splice(at, 1);
    }
    quotient.push({ coefficient: term.coefficient / by.coefficient, atoms });
  }
  return intern(quotient);
}

function ceilDiv(left: Dim, right: Dim): Dim {
  return multiply(-1, floorDiv(multiply(-1, left), right));
}

function max(left: Dim, right: Dim): Dim {
  const difference = subtract(left, right);
  if (typeof difference === "number") return difference >= 0 ? left : right;
  const [a, b] = String(left) < String(right) ? [left, right] : [right, left];
  return ofAtom({ kind: "max", key: `max(${String(a)}, ${String(b)})`, left: a, right: b });
}

function min(left: Dim, right: Dim): Dim {
  return multiply(-1, max(multiply(-1, left), multiply(-1, right)));
}

function modulo(left: Dim, right: Dim): Dim {
  return subtract(left, multiply(right, floorDiv(left, right)));
}

/** Puts dims in the place of symbols; a symbol without a binding stays. */
function substitute(value: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (typeof value === "number") return value;
  return add(
    ...value.terms.map((term) =>
      multiply(
        term.coefficient,
        ...term.atoms.map((atom) => {
          switch (atom.kind) {
            case "symbol":
              return bindings.get(atom.name) ?? ofAtom(atom);
            case "floordiv":
              return floorDiv(substitute(atom.left, bindings), substitute(atom.right, bindings));
            case "max":
              return max(substitute(atom.left, bindings), substitute(atom.right, bindings));
            default:
              return atom satisfies never;
          }
        }),
      ),
    ),
  );
}

/** The names of the symbols in a dim. */
function symbolsOf(value: Dim, into: Set<string> = new Set()): Set<string> {
  if (typeof value === "number") return into;
  for (const term of value.terms) {
    for (const atom of term.atoms) {
      if (atom.kind === "symbol") into.add(atom.name);
      else {
        symbolsOf(atom.left, into);
        symbolsOf(atom.right, into);
      }
    }
  }
  return into;
}

let fresh = 0;
/** A symbol that equals no other: for a dim of which nothing is known. */
function unknown(): Dim {
  fresh += 1;
  return symbol(`?${fresh}`);
}

/** How many unknowns there are so far; those to come have larger numbers. */
function unknowns(): number {
  return fresh;
}

/** Is this an unnamed unknown? Such dims are written to a file as "not given". */
function isUnknown(value: Dim): boolean {
  return typeof value !== "number" && [...symbolsOf(value)].some((name) => name.startsWith("?"));
}

export const dim = {
  symbol,
  unknown,
  unknowns,
  isUnknown,
  add,
  subtract,
  multiply,
  floorDiv,
  ceilDiv,
  divideExactly,
  modulo,
  max,
  min,
  substitute,
  symbolsOf,
};

/** The number of elements; 1 for a scalar. */
export function product(dims: readonly Dim[]): Dim {
  return multiply(...dims);
}

/** The same with a 0 for 1, which would hide how far the other axes reach: whatever goes along them does. */
export function spannedCount(dims: readonly number[]): number {
  return dims.reduce((count, size) => count * Math.max(1, size), 1);
}

export function isStatic(dims: readonly Dim[]): dims is readonly number[] {
  return dims.every((value) => typeof value === "number");
}

import type { Expression, Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  add,
  both,
  choose,
  divide,
  either,
  equal,
  exclusiveOr,
  isZero,
  less,
  lessOrEqual,
  multiply,
  remainder,
  scalar,
  subtract,
} from "../encode/scalar.js";
import type { Element } from "./element.js";
import { elementAt, loadElement, setElement, storeElement } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import type { Comparison } from "./truth.js";

/** Results wrap around; quotients go towards zero, a modulo has the sign of the divisor, a remainder of what is divided. */
export type IntegerFunction =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "modulo"
  | "remainder"
  | "min"
  | "max"
  | "negate"
  | "absolute"
  | "sign"
  | "and"
  | "or"
  | "exclusive-or"
  | Comparison
  /** The second where the truth value that comes first is 1, else the third. */
  | "choose";

/** Integers with broadcasting, one after the other: they are few, and of 64 bits a vector holds two. */
export interface IntegerMapOptions {
  /** Steps of the operands, then of the output. */
  readonly axes: readonly Axis[];
  readonly element: "i32" | "i64";
  readonly function: IntegerFunction;
}

type Integer = Expression<"i32" | "i64">;

const comparisons: readonly string[] = ["equal", "less", "less-or-equal"];
const unaries: readonly string[] = ["negate", "absolute", "sign"];

/** What its operands are, and its result: truth values are 0 or 1 in 32 bits. */
function signatureOf({ element, function: of }: IntegerMapOptions): {
  readonly operands: readonly Element[];
  readonly result: Element;
} {
  if (of === "choose") return { operands: ["i32", element, element], result: element };
  const operands = unaries.includes(of) ? [element] : [element, element];
  return { operands, result: comparisons.includes(of) ? "i32" : element };
}

/** Loops: axes, one element a time. Parameters: the operands, the output. */
export const integerMap: Kernel<IntegerMapOptions> = {
  name: "integer-map",
  emit(options) {
    const { operands, result } = signatureOf(options);
    const f = new FunctionBuilder(operands.length + 1);
    const output = f.parameter(operands.length);
    const { element, function: of } = options;
    const [x, y, rest] = [f.local(element), f.local(element), f.local(element)];
    const condition = f.local("i32");
    const read = (at: number): Integer => loadElement(element, f.parameter(at));
    nest(f, options.axes, f.parameters, () => {
      if (of === "choose") {
        f.set(condition, loadElement("i32", f.parameter(0)));
        f.set(x, read(1));
        f.set(y, read(2));
        storeElement(f, result, output, 0, choose(condition, x, y));
        return;
      }
      f.set(x, read(0));
      if (operands.length > 1) f.set(y, read(1));
      storeElement(f, result, output, 0, valueOf(f, of, x, y, rest));
    });
    return f;
  },

  reference(options, memory, at) {
    const { operands, result } = signatureOf(options);
    const { axes, function: of, element } = options;
    walk(axes, at, (pointers) => {
      const [x = 0n, y = 0n, z = 0n] = operands.map((kind, index) =>
        BigInt(elementAt(memory, kind, pointers[index] ?? 0)),
      );
      const value = of === "choose" ? (x === 1n ? y : z) : evaluateIntegers(of, x, y);
      const bits = element === "i64" ? 64 : 32;
      setElement(memory, result, pointers[operands.length] ?? 0, BigInt.asIntN(bits, value));
    });
  },
};

/** @param rest a variable that is free */
function valueOf(
  f: FunctionBuilder,
  of: Exclude<IntegerFunction, "choose">,
  x: Integer,
  y: Integer,
  rest: Local<"i32" | "i64">,
): Integer {
  const [zero, one] = [scalar(x.type, 0), scalar(x.type, 1)];
  switch (of) {
    case "add":
      return add(x, y);
    case "subtract":
      return subtract(x, y);
    case "multiply":
      return multiply(x, y);
    case "divide":
      return divide(x, y);
    case "remainder":
      return remainder(x, y);
    case "modulo": {
      f.set(rest, remainder(x, y));
      const hasOtherSign = less(exclusiveOr(rest, y), zero);
      return choose(both(isZero(equal(rest, zero)), hasOtherSign), add(rest, y), rest);
    }
    case "min":
      return choose(less(x, y), x, y);
    case "max":
      return choose(less(y, x), x, y);
    case "negate":
      return subtract(zero, x);
    case "absolute":
      return choose(less(x, zero), subtract(zero, x), x);
    case "sign":
      return choose(less(x, zero), scalar(x.type, -1), choose(less(zero, x), one, zero));
    case "and":
      return both(x, y);
    case "or":
      return either(x, y);
    case "exclusive-or":
      return exclusiveOr(x, y);
    case "equal":
      return equal(x, y);
    case "less":
      return less(x, y);
    case "less-or-equal":
      return lessOrEqual(x, y);
    default:
      return of satisfies never;
  }
}

function evaluateIntegers(of: Exclude<IntegerFunction, "choose">, x: bigint, y: bigint): bigint {
  switch (of) {
    case "add":
      return x + y;
    case "subtract":
      return x - y;
    case "multiply":
      return x * y;
    case "divide":
      return x / y;
    case "remainder":
      return x % y;
    case "modulo":
      return ((x % y) + y) % y;
    case "min":
      return x < y ? x : y;
    case "max":
      return x < y ? y : x;
    case "negate":
      return -x;
    case "absolute":
      return x < 0n ? -x : x;
    case "sign":
      return x < 0n ? -1n : x > 0n ? 1n : 0n;
    case "and":
      return x & y;
    case "or":
      return x | y;
    case "exclusive-or":
      return x ^ y;
    case "equal":
      return x === y ? 1n : 0n;
    case "less":
      return x < y ? 1n : 0n;
    case "less-or-equal":
      return x <= y ? 1n : 0n;
    default:
      return of satisfies never;
  }
}

import type { Dtype } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import { type IntegerFunction, integerMap } from "../kernels/integer-map.js";
import { collapsed } from "../kernels/nest.js";
import { axesOf, rowMajor, type View, widened } from "../plan/view.js";
import type { Lowering } from "./lowering.js";
import type { LoweringRow } from "./lowering-row.js";
import type { NodeFacts } from "./node-facts.js";
import { elementwiseRows } from "./row-rules.js";

/** Of two numbers. */
const functions: Readonly<Record<string, IntegerFunction>> = {
  Add: "add",
  Sub: "subtract",
  Mul: "multiply",
  Div: "divide",
  Mod: "modulo",
  Min: "min",
  Max: "max",
};

const functionsOfOne: Readonly<Record<string, IntegerFunction>> = {
  Neg: "negate",
  Abs: "absolute",
  Sign: "sign",
};

/** Are its numbers whole: does it not give floats? */
export function isOfIntegers(l: Lowering, id: ValueId): boolean {
  return l.element(id) !== "f32";
}

/** Is there a function of integers for it? */
export function hasIntegers(op: string): boolean {
  return [functions, functionsOfOne, { Clip: true }].some((table) => Object.hasOwn(table, op));
}

function functionOf(node: NodeFacts): IntegerFunction {
  const isTruncated = node.node.op === "Mod" && node.attributes.int("fmod", 0) !== 0;
  return isTruncated ? "remainder" : node.entryOf(functions);
}

/** Integers one after the other: of two operands or more joined from the left, of bounds one after the other. */
export function lowerIntegers(node: NodeFacts, l: Lowering): void {
  const { op, inputs } = node.node;
  const [first, ...others] = inputs;
  if (first === null || first === undefined) return;
  let x = l.view(first);
  if (Object.hasOwn(functionsOfOne, op))
    return lowerIntegerMap(l, node.output(), node.entryOf(functionsOfOne), [x]);
  const steps = others.flatMap((id, at) => {
    const of = op === "Clip" ? bounds[at] : functionOf(node);
    return id === null || of === undefined ? [] : [{ id, of }];
  });
  steps.forEach(({ id, of }, at) => {
    const isLast = at === steps.length - 1;
    const operands = [x, l.view(id)];
    if (isLast) lowerIntegerMap(l, node.output(), of, operands);
    else {
      const y = temporaryFor(l, node.output());
      planIntegerMap(l, y, of, operands);
      x = y;
    }
  });
  if (steps.length === 0) l.set(node.output(), x);
}

const bitwise: Readonly<Record<string, IntegerFunction>> = {
  BitwiseAnd: "and",
  BitwiseOr: "or",
  BitwiseXor: "exclusive-or",
  BitwiseNot: "exclusive-or",
};

const wholeTypes: readonly Dtype[] = ["int32", "int64"];

/** Bit by bit; of one operand the other's bits are all set. */
export const bitwiseRow: LoweringRow = {
  rows: elementwiseRows,
  types: wholeTypes,
  lower(node, l) {
    const operands = node.inputs.map((id) => l.view(id));
    const ones = (like: View): View => l.constantView(like.element === "i64" ? BigInt64Array.of(-1n) : Int32Array.of(-1), []); // prettier-ignore
    const all = operands.length > 1 ? operands : operands.flatMap((x) => [x, ones(x)]);
    lowerIntegerMap(l, node.output(), node.entryOf(bitwise), all);
  },
};

/** Of a Clip's lower and upper bound. */
const bounds: readonly IntegerFunction[] = ["max", "min"];

function temporaryFor(l: Lowering, id: ValueId): View {
  const dims = l.dims(id);
  const layout = { order: rowMajor(dims.length), padded: false, halo: [] };
  return l.temporary(dims, layout, "integers", l.element(id));
}

/** Plans a function of integers whose result is `id`. */
export function lowerIntegerMap(
  l: Lowering,
  id: ValueId,
  of: IntegerFunction,
  operands: readonly View[],
): void {
  planIntegerMap(l, l.allocate(id, rowMajor(l.dims(id).length), { exact: true }), of, operands);
}

/** Plans a function of integers into a view; operands have as many axes, or fewer, from the right. */
export function planIntegerMap(
  l: Lowering,
  y: View,
  of: IntegerFunction,
  operands: readonly View[],
): void {
  const rank = y.dims.length;
  const views = operands.map((view) => widened(view, rank));
  const axes = collapsed(axesOf([...views, y], rowMajor(rank)));
  const element = views.at(-1)?.element === "i64" ? "i64" : "i32";
  const places = [...views, y].map(({ place }) => place);
  l.plan.step(integerMap, { axes, element, function: of }, places);
}

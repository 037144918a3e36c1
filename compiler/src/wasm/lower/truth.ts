import type { Dtype } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import { convert } from "../kernels/convert.js";
import type { Instruction, Operand } from "../kernels/map.js";
import { collapsed } from "../kernels/nest.js";
import type { Comparison, Logic } from "../kernels/truth.js";
import { axesOf, orderOf } from "../plan/view.js";
import { lowerMap } from "./elementwise.js";
import { heldTypes } from "./element-of-type.js";
import { isOfIntegers, lowerIntegerMap } from "./integers.js";
import type { LoweringRow } from "./lowering-row.js";
import { elementwiseRows } from "./row-rules.js";
import type { Lowering } from "./lowering.js";
import { dtypeOf, type NodeFacts } from "./node-facts.js";

const truthTypes: readonly Dtype[] = ["float32", "bool", "int32", "int64"];
const isTrue: Operand = { constant: 1 };

interface Compared {
  readonly comparison: Comparison;
  readonly swapped: boolean;
}

const comparisons: Readonly<Record<string, Compared>> = {
  Equal: { comparison: "equal", swapped: false },
  Less: { comparison: "less", swapped: false },
  LessOrEqual: { comparison: "less-or-equal", swapped: false },
  Greater: { comparison: "less", swapped: true },
  GreaterOrEqual: { comparison: "less-or-equal", swapped: true },
};

export const comparisonRow: LoweringRow = {
  rows: elementwiseRows,
  types: truthTypes,
  lower(node, l) {
    const { comparison, swapped } = node.entryOf(comparisons);
    const inputs = swapped ? [...node.inputs].reverse() : node.inputs;
    if (isOfIntegers(l, node.required(0))) {
      const views = inputs.map((id) => l.view(id));
      return lowerIntegerMap(l, node.output(), comparison, views);
    }
    const { tensors, operands } = floatOperands(l, inputs);
    const [first = isTrue, second = isTrue] = operands;
    lowerMap(l, node.output(), tensors, [{ comparison, x: first, y: second }]);
  },
};

/** Tensors are inputs of a map, single numbers constants of it. */
function floatOperands(
  l: Lowering,
  inputs: readonly ValueId[],
): { readonly tensors: readonly ValueId[]; readonly operands: readonly Operand[] } {
  const tensors = inputs.filter((id) => l.scalar(id) === undefined);
  const operands = inputs.map((id): Operand => {
    const number = l.scalar(id);
    return number === undefined ? { input: tensors.indexOf(id) } : { constant: number };
  });
  return { tensors, operands };
}

const logics: Readonly<Record<string, Logic>> = { And: "and", Or: "or", Xor: "exclusive-or" };

export const logicRow: LoweringRow = {
  rows: elementwiseRows,
  types: ["bool"],
  lower(node, l) {
    const logic = node.entryOf(logics);
    const y: Operand = { input: node.inputs.length - 1 };
    lowerMap(l, node.output(), node.inputs, [{ logic, x: { input: 0 }, y }]);
  },
};

const not = (x: Operand): Instruction => ({ logic: "exclusive-or", x, y: isTrue });

export const notRow: LoweringRow = {
  rows: elementwiseRows,
  types: ["bool"],
  lower(node, l) {
    lowerMap(l, node.output(), [node.required(0)], [not({ input: 0 })]);
  },
};

/** What is no number is not equal to itself. */
export const isNanRow: LoweringRow = {
  rows: elementwiseRows,
  types: ["float32", "bool"],
  lower(node, l) {
    const x: Operand = { input: 0 };
    const program: Instruction[] = [{ comparison: "equal", x, y: x }, not({ result: 0 })];
    lowerMap(l, node.output(), [node.required(0)], program);
  },
};

/** Infinity of one sign, or of either. */
export const isInfinityRow: LoweringRow = {
  rows: elementwiseRows,
  types: ["float32", "bool"],
  lower(node, l) {
    const [below, above] = ["detect_negative", "detect_positive"].map(
      (name) => node.attributes.int(name, 1) !== 0,
    );
    const isInfinite = (x: Operand, sign: number): Instruction => ({
      comparison: below || above ? "equal" : "less",
      x,
      y: { constant: sign * Infinity },
    });
    const program: readonly Instruction[] =
      below && above
        ? [{ unary: { kind: "absolute" }, x: { input: 0 } }, isInfinite({ result: 0 }, 1)]
        : [isInfinite({ input: 0 }, above ? 1 : -1)];
    lowerMap(l, node.output(), [node.required(0)], program);
  },
};

/** Of floats and whatever else takes a lane among others; of 64-bit integers one by one. */
export const whereRow: LoweringRow = {
  rows: elementwiseRows,
  types: truthTypes,
  lower(node, l) {
    const [condition, ...choices] = [0, 1, 2].map((at) => node.required(at));
    if (condition === undefined) return;
    const id = node.output();
    if (l.element(id) === "i64")
      return lowerIntegerMap(
        l,
        id,
        "choose",
        [condition, ...choices].map((one) => l.view(one)),
      );
    const { tensors, operands } =
      l.element(id) === "f32"
        ? floatOperands(l, choices)
        : { tensors: choices, operands: [{ input: 0 }, { input: 1 }] };
    const [x = isTrue, y = isTrue] = operands;
    const choice = { input: tensors.length };
    lowerMap(l, id, [...tensors, condition], [{ choice, x, y }]);
  },
};

/** Floats and truth values are made of one another where they lie in lanes; else elements are converted one by one. */
export const castRow: LoweringRow = {
  rows: elementwiseRows,
  types: heldTypes,
  lower(node, l) {
    const [x, y] = [node.required(0), node.output()];
    const [from, to] = [l.element(x), l.element(y)];
    const isTruth = dtypeOf(l.graph, y) === "bool" && dtypeOf(l.graph, x) !== "bool";
    if (from === "i32" && to === "f32") return lowerMap(l, y, [x], [{ number: { input: 0 } }]);
    if (from === "f32" && isTruth) {
      const isZero = { comparison: "equal", x: { input: 0 }, y: { constant: 0 } } as const;
      return lowerMap(l, y, [x], [isZero, not({ result: 0 })]);
    }
    if (from === to && !isTruth) return l.set(y, l.view(x));
    lowerConverted(node, l, isTruth);
  },
};

function lowerConverted(node: NodeFacts, l: Lowering, truth: boolean): void {
  const x = l.view(node.required(0));
  const order = orderOf(x);
  const y = l.allocate(node.output(), order, { exact: true });
  const axes = collapsed(axesOf([x, y], order));
  l.plan.step(convert, { axes, from: x.element, to: y.element, truth }, [x.place, y.place]);
}

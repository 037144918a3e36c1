import { dtypeBits } from "@pare/runtime/format";
import { dtypeOfCode, type Graph, type Node, type ValueId, shapeOf } from "../ir/index.js";
import { hasUnconfirmedSizes } from "../ops/index.js";
import {
  attributesOf,
  bypass,
  constantOperand,
  dtypeOf,
  isFilledWith,
  inputOf,
  madeBy,
  numbersOf,
  outputOf,
  shapesAgree,
} from "./pattern.js";
import type { Exactness } from "../pipeline/pass.js";
import type { Miss, Rule } from "./rule.js";

/** One row: nodes of these operators for which `same` holds give their first input (or the one it names) unchanged. */
interface IdentityRow {
  readonly name: string;
  readonly ops: readonly string[];
  readonly exactness?: Exactness;
  readonly because: string;
  same(graph: Graph, node: Node): boolean | ValueId | Miss | undefined;
}

const exportedInTraining =
  "its training_mode may be on, and then what it gives is random: export the model for inference, with model.eval() in PyTorch, unless that is meant";

/** A file may declare any shape of what only a run decides: the engine gives what the operator says. */
const outputKeepsShape = (graph: Graph, node: Node): boolean =>
  shapesAgree(graph, inputOf(node, 0), outputOf(node)) && !hasUnconfirmedSizes(graph, node);

const rows: readonly IdentityRow[] = [
  // Identity(x) = x
  { name: "drop-identity", ops: ["Identity"], because: "an identity", same: () => true },
  // Dropout(x) = x when not training. One that was exported in training mode drops in every run, as ONNX has it: it may be
  // meant so, as where an uncertainty is estimated from many runs.
  {
    name: "drop-dropout",
    ops: ["Dropout"],
    because: "no dropout at inference",
    same: (graph, node) =>
      inputOf(node, 2) === undefined ||
      isFilledWith(graph.constant(inputOf(node, 2)), 0) || { miss: exportedInTraining },
  },
  // Cast<T>(x: T) = x. An output may need an Identity in its place, which onnxruntime does not have for few bits.
  {
    name: "drop-cast",
    ops: ["Cast"],
    because: "already of that type",
    same(graph, node) {
      const [dtype, output] = [dtypeOf(graph, inputOf(node, 0)), outputOf(node)];
      if (dtype === undefined || dtype !== dtypeOfCode(attributesOf(node).int("to"))) return false;
      return dtypeBits[dtype] >= 8 || output === undefined || !graph.isOutput(output);
    },
  },
  // Sum(x) = Mean(x) = Max(x) = Min(x) = Concat(x) = x
  {
    name: "drop-single-operand",
    ops: ["Sum", "Mean", "Max", "Min", "Concat"],
    because: "a single operand",
    same: (_, node) => node.inputs.length === 1,
  },
  // Split into one part
  {
    name: "drop-single-split",
    ops: ["Split"],
    because: "a single part",
    same: (graph, node) => node.outputs.length === 1 && outputKeepsShape(graph, node),
  },
  // Reshape, Expand, Flatten, Squeeze, Unsqueeze whose result has x's shape: elements stay in order
  {
    name: "drop-reshape",
    ops: ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand"],
    because: "its result has the shape it was given",
    same: outputKeepsShape,
  },
  // Slice that takes everything, forwards
  {
    name: "drop-slice",
    ops: ["Slice"],
    because: "takes everything",
    same: (graph, node) =>
      outputKeepsShape(graph, node) &&
      (inputOf(node, 4) === undefined ||
        (numbersOf(graph, inputOf(node, 4))?.every((step) => step === 1) ?? false)),
  },
  // Tile(x, 1 …) = x; Pad(x, 0 …) = x; Resize(x) to x's own size = x
  {
    name: "drop-tile",
    ops: ["Tile"],
    because: "repeats once",
    same: (graph, node) =>
      isFilledWith(graph.constant(inputOf(node, 1)), 1) || outputKeepsShape(graph, node),
  },
  {
    name: "drop-pad",
    ops: ["Pad"],
    because: "pads by nothing",
    same: (graph, node) => isZero(graph, inputOf(node, 1)),
  },
  {
    name: "drop-resize",
    ops: ["Resize"],
    because: "resizes to the size it has",
    same: (graph, node) =>
      outputKeepsShape(graph, node) &&
      scalesAreOne(graph, node) &&
      attributesOf(node).string("coordinate_transformation_mode", "half_pixel") !==
        "tf_crop_and_resize",
  },
  // Transpose by the identity permutation
  {
    name: "drop-transpose",
    ops: ["Transpose"],
    because: "keeps the axes' order",
    same: (graph, node) => {
      const order = attributesOf(node).ints("perm");
      const rank = shapeOf(graph, inputOf(node, 0))?.length;
      return order?.length === rank && order?.every((from, to) => from === to);
    },
  },
  // Clip without bounds
  {
    name: "drop-clip",
    ops: ["Clip"],
    because: "has no bounds",
    same: (_, node) => inputOf(node, 1) === undefined && inputOf(node, 2) === undefined,
  },
  // MaxPool and AveragePool of windows of one element
  {
    name: "drop-pool",
    ops: ["MaxPool", "AveragePool"],
    because: "its windows hold one element",
    same: (graph, node) =>
      (attributesOf(node)
        .ints("kernel_shape")
        ?.every((size) => size === 1) ??
        false) &&
      outputKeepsShape(graph, node) &&
      !attributesOf(node)
        .ints("pads")
        ?.some((pad) => pad !== 0),
  },
  // x + 0 = x − 0 = x · 1 = x / 1 = x ^ 1 = x (−0 + 0 is 0, hence "rounding")
  {
    name: "drop-add-zero",
    ops: ["Add"],
    exactness: "rounding",
    because: "adds 0",
    same: (graph, node) => neutral(graph, node, 0, true),
  },
  {
    name: "drop-sub-zero",
    ops: ["Sub"],
    exactness: "rounding",
    because: "subtracts 0",
    same: (graph, node) => neutral(graph, node, 0, false),
  },
  {
    name: "drop-mul-one",
    ops: ["Mul"],
    because: "multiplies by 1",
    same: (graph, node) => neutral(graph, node, 1, true),
  },
  {
    name: "drop-div-one",
    ops: ["Div"],
    because: "divides by 1",
    same: (graph, node) => neutral(graph, node, 1, false),
  },
  {
    name: "drop-pow-one",
    ops: ["Pow"],
    because: "to the power of 1",
    same: (graph, node) => neutral(graph, node, 1, false),
  },
  // x ∧ true = x ∨ false = x
  {
    name: "drop-and-true",
    ops: ["And"],
    because: "and true",
    same: (graph, node) => neutral(graph, node, 1, true),
  },
  {
    name: "drop-or-false",
    ops: ["Or"],
    because: "or false",
    same: (graph, node) => neutral(graph, node, 0, true),
  },
  // Relu, Abs, Floor, … of themselves
  {
    name: "drop-repeated",
    ops: ["Relu", "Abs", "Floor", "Ceil", "Round", "Sign"],
    because: "applied twice",
    same: (graph, node) => madeBy(graph, inputOf(node, 0), node.op) !== undefined,
  },
  // −(−x) = ¬(¬x) = x
  {
    name: "drop-double-negation",
    ops: ["Neg", "Not"],
    because: "undone by the one before",
    same: (graph, node) => undone(graph, node),
  },
];

export const identities: readonly Rule[] = rows.map((row) => ({
  name: row.name,
  exactness: row.exactness ?? "bitwise",
  ops: row.ops,
  match(graph, node) {
    const same = row.same(graph, node);
    if (same === undefined || same === false) return undefined;
    if (typeof same === "object") return same;
    return bypass(graph, node, same === true ? inputOf(node, 0) : same, row.because);
  },
}));

function isZero(graph: Graph, value: ValueId | undefined): boolean {
  const numbers = numbersOf(graph, value);
  return numbers !== undefined && numbers.every((number) => number === 0);
}

/** Is one operand filled with the neutral element, and the result of the other's shape? Then the other. */
function neutral(
  graph: Graph,
  node: Node,
  element: number,
  commutes: boolean,
): ValueId | undefined {
  const operand = constantOperand(graph, node);
  if (operand === undefined || (operand.at === 0 && !commutes)) return undefined;
  if (!isFilledWith(operand.constant, element)) return undefined;
  const keepsShape =
    operand.constant.dims.length === 0 || shapesAgree(graph, operand.other, outputOf(node));
  return keepsShape ? operand.other : undefined;
}

function scalesAreOne(graph: Graph, node: Node): boolean {
  return inputOf(node, 2) === undefined || isFilledWith(graph.constant(inputOf(node, 2)), 1);
}

function undone(graph: Graph, node: Node): ValueId | undefined {
  const before = madeBy(graph, inputOf(node, 0), node.op);
  return before === undefined ? undefined : inputOf(before, 0);
}

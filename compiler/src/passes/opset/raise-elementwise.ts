import type { Dtype } from "@pare/runtime/format";
import { attribute, codeOfDtype, Tensor, type ValueId } from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { convert } from "../../ops/index.js";
import { adapter, type Adapter, type Step } from "./adapter.js";

const inPlace = [
  "Abs",
  "Add",
  "BatchNormalization",
  "Ceil",
  "Clip",
  "Div",
  "Dropout",
  "Elu",
  "Exp",
  "Floor",
  "HardSigmoid",
  "InstanceNormalization",
  "LeakyRelu",
  "Log",
  "Max",
  "Mean",
  "Min",
  "Mul",
  "Neg",
  "PRelu",
  "Reciprocal",
  "Relu",
  "Reshape",
  "Selu",
  "Sigmoid",
  "Sqrt",
  "Sub",
  "Sum",
  "Tanh",
];

const broadcasting = [
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Pow",
  "And",
  "Or",
  "Xor",
  "Equal",
  "Less",
  "Greater",
];

/** `axis` said where B's axes lie in A; numpy's broadcasting aligns at the end, so that B needs trailing ones. */
function alignOperand(step: Step): void {
  const axis = step.attributes.int("axis");
  if (step.attributes.int("broadcast", 0) === 1 && axis !== undefined) {
    const [rank, own] = [step.rank(0), step.rank(1)];
    const b = step.input(1);
    if (rank === undefined || own === undefined || b === undefined)
      step.refuse("it broadcasts along an axis of a value whose rank is not known");
    const start = normalAxis(axis, rank);
    const trailing = Array.from({ length: rank - start - own }, (_, index) => own + index);
    if (trailing.length > 0)
      step.editor.setInput(
        step.node.id,
        1,
        step.add("Unsqueeze", [b, step.int64("axes", trailing)]),
      );
  }
  step.drop("axis", "broadcast");
}

const dtypeNames: Readonly<Record<string, Parameters<typeof codeOfDtype>[0]>> = {
  FLOAT: "float32",
  DOUBLE: "float64",
  FLOAT16: "float16",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  BOOL: "bool",
  STRING: "string",
};

function numberCast(step: Step): void {
  const to = step.attributes.string("to");
  if (to === undefined) return;
  const dtype = dtypeNames[to.toUpperCase()];
  if (dtype === undefined) step.refuse(`its type "${to}" is not known`);
  step.editor.setAttribute(step.node.id, "to", attribute.int(codeOfDtype(dtype)));
}

const largestFloat = 3.4028234663852886e38;

function clipBounds(step: Step): void {
  const [min, max] = [step.attributes.float("min"), step.attributes.float("max")];
  const bound = (name: string, value: number | undefined): ValueId | null =>
    value === undefined ? null : step.float(name, [value], []);
  // The largest number was written for "no bound". The least one is a bound: of a row of masks that are −∞ it lifts them.
  const low = bound("min", min === -Infinity ? undefined : min);
  const high = bound("max", max !== undefined && max >= largestFloat ? undefined : max);
  if (low !== null || high !== null) step.editor.setInput(step.node.id, 1, low);
  if (high !== null) step.editor.setInput(step.node.id, 2, high);
  step.drop("min", "max");
}

/** A slope of one number per channel lay along axis 1. */
function alignSlope(step: Step): void {
  const [rank, own] = [step.rank(0), step.rank(1)];
  const slope = step.input(1);
  const count = step.shape(1)?.[0];
  if (slope === undefined || own !== 1 || count === 1) return;
  if (rank === undefined) step.refuse("the rank of what its slope is applied to is not known");
  const trailing = Array.from({ length: rank - 2 }, (_, index) => index + 1);
  if (trailing.length > 0)
    step.editor.setInput(
      step.node.id,
      1,
      step.add("Unsqueeze", [slope, step.int64("axes", trailing)]),
    );
}

/** What a mask holds at inference was left open: onnxruntime gave zeros. */
function dropoutMask(step: Step, dtype: Dtype): void {
  const { node, graph, editor } = step;
  const [x, mask = null] = [step.input(0), node.outputs[1]];
  if (x === undefined || mask === null) return;
  if (graph.value(mask).uses.length > 0) {
    const zero = convert({ type: "float32", dims: [1], data: Float32Array.of(0) }, dtype);
    const value = attribute.tensor(Tensor.of(zero.type, zero.dims, zero.data));
    const zeros = step.add("ConstantOfShape", [step.add("Shape", [x])], { value });
    editor.replace(mask, zeros, "nothing is dropped at inference");
  }
  editor.dropOutput(node.id, 1);
}

/** What it dropped in training, which passes that train read, became an input. */
function dropoutRatio(step: Step): void {
  if (step.input(0) === undefined) return;
  const ratio = step.float("ratio", [step.attributes.float("ratio", 0.5)], []);
  step.editor.setInput(step.node.id, 1, ratio);
  step.drop("ratio", "is_test", "seed");
}

function withDefault(step: Step, name: string, value: number): void {
  if (!step.attributes.has(name))
    step.editor.setAttribute(step.node.id, name, attribute.float(value));
}

export const elementwiseAdapters: readonly Adapter[] = [
  ...adapter(inPlace, 6, (step) => step.drop("consumed_inputs")),
  // The defaults were rounded.
  ...adapter("Selu", 6, (step) => {
    withDefault(step, "alpha", 1.6732);
    withDefault(step, "gamma", 1.0507);
  }),
  ...adapter("Cast", 6, numberCast),
  ...adapter(broadcasting, 7, alignOperand),
  ...adapter("PRelu", 7, alignSlope),
  ...adapter("Clip", 11, clipBounds),
  // Until then the mask was of the data's type.
  ...adapter("Dropout", 10, (step) => dropoutMask(step, step.dtype(0) ?? "float32")),
  ...adapter("Dropout", 12, (step) => dropoutMask(step, "bool")),
  ...adapter("Dropout", 12, dropoutRatio),
];

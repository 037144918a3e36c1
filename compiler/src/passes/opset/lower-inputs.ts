import { attribute, type Dim, type ValueId } from "../../ir/index.js";
import { resizeEveryAxis } from "../../onnx/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { ofAllAxes } from "../../ops/families/pad.js";
import { isNoReduction } from "../../ops/families/reduction.js";
import { adapter, type Adapter, operand, type Step } from "./adapter.js";
import { reductions } from "./reductions.js";

/** The integers of an input that has to become an attribute. */
function constantInts(step: Step, index: number, what: string): readonly number[] | undefined {
  const id = step.input(index);
  if (id === undefined) return undefined;
  const numbers = step.graph.constant(id)?.numbers();
  if (numbers === undefined) step.refuse(`${what} are computed, and must be constants there`);
  return numbers;
}

function inputToInts(step: Step, index: number, name: string): void {
  const values = constantInts(step, index, `its ${name}`);
  if (values !== undefined) step.editor.setAttribute(step.node.id, name, attribute.ints(values));
  step.editor.trimInputs(step.node.id, index);
}

/** What a reduction makes of each element alone; where it leaves them alone, there is no entry. */
const ofEach: Readonly<Record<string, (step: Step, x: ValueId) => ValueId>> = {
  ReduceL1: (step, x) => step.add("Abs", [x]),
  ReduceL2: (step, x) => step.add("Abs", [x]),
  ReduceLogSum: (step, x) => step.add("Log", [x]),
  ReduceSumSquare: (step, x) => step.add("Mul", [x, x]),
};

function reductionAxes(step: Step): void {
  const axes = constantInts(step, 1, "its axes") ?? [];
  if (axes.length === 0 && isNoReduction(step.attributes)) {
    const x = operand(step, 0);
    step.replaceBy(ofEach[step.node.op]?.(step, x) ?? step.add("Identity", [x]));
    return;
  }
  step.editor.trimInputs(step.node.id, 1);
  if (axes.length > 0) step.editor.setAttribute(step.node.id, "axes", attribute.ints(axes));
  step.drop("noop_with_empty_axes");
}

/** Equal parts need no sizes; others get them from the shape. */
function splitCount(step: Step): void {
  const parts = step.attributes.int("num_outputs");
  step.drop("num_outputs");
  if (parts === undefined || step.input(1) !== undefined) return;
  const shape = step.shape(0);
  const axis = step.attributes.int("axis", 0);
  const size = shape?.[normalAxis(axis, shape.length)];
  if (typeof size !== "number")
    step.refuse("the size along its axis is not known, so equal parts cannot be told");
  const part = Math.ceil(size / parts);
  const sizes = Array.from({ length: parts }, (_, index) =>
    Math.max(0, Math.min(part, size - index * part)),
  );
  step.editor.setInput(step.node.id, 1, step.int64("split", sizes));
}

function padAxes(step: Step): void {
  const axes = constantInts(step, 3, "its axes");
  if (axes === undefined) return;
  const rank = step.rank(0);
  const pads = constantInts(step, 1, "its pads");
  if (rank === undefined || pads === undefined) step.refuse("the rank of its input is not known");
  step.editor.setInput(step.node.id, 1, step.int64("pads", ofAllAxes(pads, axes, rank)));
  step.editor.trimInputs(step.node.id, step.input(2) === undefined ? 2 : 3);
}

function padAttributes(step: Step): void {
  const value = step.graph.constant(step.input(2));
  if (step.input(2) !== undefined) {
    const number = value?.numbers()?.[0];
    if (number === undefined) step.refuse("its value is computed");
    step.editor.setAttribute(step.node.id, "value", attribute.float(number));
  }
  step.editor.trimInputs(step.node.id, 2);
  inputToInts(step, 1, "pads");
}

/** "To the end" was said in 32 bits. */
function within32Bits(values: readonly number[] | undefined): readonly number[] {
  return (values ?? []).map((value) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)));
}

function sliceAttributes(step: Step): void {
  const steps = constantInts(step, 4, "its steps");
  if (steps?.some((size) => size !== 1) === true)
    step.refuse("it takes every n-th element, or goes backwards");
  step.editor.trimInputs(step.node.id, 4);
  inputToInts(step, 3, "axes");
  step.editor.setAttribute(
    step.node.id,
    "ends",
    attribute.ints(within32Bits(constantInts(step, 2, "its ends"))),
  );
  step.editor.setAttribute(
    step.node.id,
    "starts",
    attribute.ints(within32Bits(constantInts(step, 1, "its starts"))),
  );
  step.editor.trimInputs(step.node.id, 1);
}

function clipAttributes(step: Step): void {
  if (step.dtype(0) !== undefined && !step.dtype(0)?.startsWith("float"))
    step.refuse("it clips integers");
  for (const [name, index] of [
    ["min", 1],
    ["max", 2],
  ] as const) {
    if (step.input(index) === undefined) continue;
    const bound = step.graph.constant(step.input(index))?.numbers()?.[0];
    if (bound === undefined) step.refuse("its bounds are computed");
    step.editor.setAttribute(step.node.id, name, attribute.float(bound));
  }
  step.editor.trimInputs(step.node.id, 1);
}

/** Softmax worked on a matrix: its axis has to be the last one that is not 1. */
function softmaxLastAxis(step: Step): void {
  const { node, editor } = step;
  const rank = step.rank(0);
  const axis = step.attributes.int("axis", -1);
  const x = step.input(0);
  if (rank === undefined || x === undefined) {
    if (axis !== -1) step.refuse("the rank of its input is not known");
    // Where none was said, it would be 1 there.
    editor.setAttribute(node.id, "axis", attribute.int(-1));
    return;
  }
  const at = normalAxis(axis, rank);
  const after: readonly Dim[] = step.shape(0)?.slice(at + 1) ?? [];
  if (after.every((size) => size === 1)) {
    editor.setAttribute(node.id, "axis", attribute.int(at));
    return;
  }
  const perm = Array.from({ length: rank }, (_, index) =>
    index === at ? rank - 1 : index === rank - 1 ? at : index,
  );
  const order = { perm: attribute.ints(perm) };
  const result = step.add(node.op, [step.add("Transpose", [x], order)], {
    axis: attribute.int(rank - 1),
  });
  step.replaceBy(step.add("Transpose", [result], order));
}

function emptyResizeInputs(step: Step): void {
  const { editor, node } = step;
  if (step.input(1) === undefined) editor.setInput(node.id, 1, step.float32("roi", []));
  if (step.input(2) === undefined) editor.setInput(node.id, 2, step.float32("scales", []));
}

function plainResize(step: Step): void {
  if (step.attributes.int("antialias", 0) !== 0) step.refuse("it smooths before it shrinks");
  if (step.attributes.string("keep_aspect_ratio_policy", "stretch") !== "stretch")
    step.refuse("it keeps the aspect ratio");
  const { graph, editor, node, attributes } = step;
  const fault = attributes.ints("axes") && resizeEveryAxis(graph, editor, node, step.shape(0));
  if (fault !== undefined) step.refuse(fault);
  step.drop("antialias", "keep_aspect_ratio_policy");
}

/** Opset 10 knows positions that are divided by the scale, and for "nearest" the element below them. */
function resizeByDivision(step: Step): void {
  const { editor, node, graph } = step;
  const mode = step.attributes.string("mode", "nearest");
  const scales = graph.constant(step.input(2));
  const mustShrink = step.attributes.string("nearest_mode", "round_prefer_floor") === "ceil";
  const numbers = scales?.numbers() ?? [];
  const fits = mustShrink
    ? numbers.every((scale) => scale <= 1)
    : step.attributes.string("nearest_mode") === "floor" && numbers.every((scale) => scale >= 1);
  const isPlain =
    step.attributes.string("coordinate_transformation_mode", "half_pixel") === "asymmetric";
  if (!isPlain || numbers.length === 0 || mode === "cubic" || (mode === "nearest" && !fits))
    step.refuse("its way of finding positions is newer");
  step.drop(
    "coordinate_transformation_mode",
    "nearest_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "extrapolation_value",
  );
  editor.setInput(node.id, 1, step.input(2) ?? null);
  editor.trimInputs(node.id, 2);
}

/** Upsample shrinks nothing. */
function upsample(step: Step): void {
  const scales = step.graph.constant(step.input(1))?.numbers();
  if (scales?.every((scale) => scale >= 1) !== true)
    step.refuse("it makes its input smaller, or what it makes of it is computed");
  step.editor.setOp(step.node.id, "Upsample");
}

function upsampleAttribute(step: Step): void {
  const scales = step.graph.constant(step.input(1))?.numbers();
  if (scales === undefined) step.refuse("its scales are computed");
  step.editor.setAttribute(step.node.id, "scales", attribute.floats(scales));
  step.editor.trimInputs(step.node.id, 1);
}

/** Input by input, back to attributes. `to` is the version that made the change which is undone. */
export const inputLowerings: readonly Adapter[] = [
  ...adapter("DFT", 20, (step) => {
    const axis = step.input(2) === undefined ? -2 : constantInts(step, 2, "its axis")?.[0];
    step.editor.setAttribute(step.node.id, "axis", attribute.int(axis ?? -2));
    step.editor.trimInputs(step.node.id, step.input(1) === undefined ? 1 : 2);
  }),
  ...adapter("Split", 18, splitCount),
  ...adapter(reductions, 18, reductionAxes),
  ...adapter("Pad", 18, padAxes),
  ...adapter("Resize", 18, plainResize),
  ...adapter("ReduceSum", 13, reductionAxes),
  ...adapter(["Squeeze", "Unsqueeze"], 13, (step) => inputToInts(step, 1, "axes")),
  ...adapter("Split", 13, (step) => inputToInts(step, 1, "split")),
  ...adapter("Resize", 13, emptyResizeInputs),
  ...adapter(["Softmax", "LogSoftmax", "Hardmax"], 13, softmaxLastAxis),
  ...adapter("Clip", 11, clipAttributes),
  ...adapter("Pad", 11, padAttributes),
  ...adapter("Resize", 11, resizeByDivision),
  ...adapter("Resize", 10, upsample),
  ...adapter("Slice", 10, sliceAttributes),
  ...adapter("TopK", 10, (step) => {
    const k = constantInts(step, 1, "its k")?.[0];
    if (k !== undefined) step.editor.setAttribute(step.node.id, "k", attribute.int(k));
    step.editor.trimInputs(step.node.id, 1);
  }),
  ...adapter("Upsample", 9, upsampleAttribute),
];

import { type Dtype, elementCount, zeros } from "@pare/runtime/format";
import {
  attribute,
  codeOfDtype,
  dtypeOfCode,
  isStatic,
  sameShape,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { adapter, type Adapter, dropOthers, operand, type Step } from "./adapter.js";
import { reductions } from "./reductions.js";

/** An attribute that did not exist: gone where it says the default, refused where it says something else. */
function onlyDefault(name: string, fallback: number | string, why: string): (step: Step) => void {
  return (step) => {
    const value =
      typeof fallback === "number"
        ? step.attributes.int(name, fallback)
        : step.attributes.string(name, fallback);
    if (value !== fallback) step.refuse(why);
    step.drop(name);
  };
}

function notDilated(step: Step): void {
  if (step.attributes.ints("dilations")?.some((size) => size !== 1) === true)
    step.refuse("it skips elements");
  step.drop("dilations");
}

/** Before opset 11 an axis is counted from the start. */
function axesFromStart(step: Step): void {
  const rank = rankOfAxes(step);
  const axis = step.attributes.int("axis");
  const axes = step.attributes.ints("axes");
  if ((axis ?? 0) >= 0 && (axes ?? []).every((value) => value >= 0)) return;
  if (rank === undefined)
    step.refuse("it counts axes from the end of a shape whose rank is not known");
  const fromStart = (value: number) => normalAxis(value, rank);
  if (axis !== undefined)
    step.editor.setAttribute(step.node.id, "axis", attribute.int(fromStart(axis)));
  if (axes !== undefined)
    step.editor.setAttribute(step.node.id, "axes", attribute.ints(axes.map(fromStart)));
}

/** Unsqueeze and OneHot count in their result. */
function rankOfAxes(step: Step): number | undefined {
  const rank = step.rank(0);
  if (rank === undefined) return undefined;
  if (step.node.op === "OneHot") return rank + 1;
  return step.node.op === "Unsqueeze" ? rank + (step.attributes.ints("axes")?.length ?? 0) : rank;
}

/** Only whole shapes could be asked for. */
function shapeOfAll(step: Step): void {
  const [start, end] = [step.attributes.int("start", 0), step.attributes.int("end")];
  const x = step.input(0);
  step.drop("start", "end");
  if ((start === 0 && end === undefined) || x === undefined) return;
  const ends = end ?? Number.MAX_SAFE_INTEGER;
  step.replaceBy(
    step.add("Slice", [
      step.add("Shape", [x]),
      step.int64("starts", [start]),
      step.int64("ends", [ends]),
    ]),
  );
}

/**
 * A 0 would copy the size at its place. With −1 beside it, it was refused. A size that is only known when it runs, and is 0
 * then, is that of a tensor without elements: what copies another has some, and is refused by the engine.
 */
function literalZero(step: Step): void {
  const [target, from] = [step.input(1), step.shape(0)];
  const sizes = step.graph.constant(target)?.numbers() ?? (target && step.graph.value(target).elements); // prettier-ignore
  const isSure =
    sizes?.includes(-1) === true || sizes?.every((size, axis) => size !== 0 || from?.[axis] === 0);
  if (step.attributes.int("allowzero", 0) === 1 && isSure !== true)
    step.refuse("its target may hold a 0 that means 0");
  step.drop("allowzero");
}

function perTensorOnly(step: Step): void {
  const scale = step.shape(1);
  if (scale === undefined || scale.some((size) => size !== 1))
    step.refuse("it has a scale per channel");
  step.drop("axis");
}

/** What opset 21 has besides 8 bits. */
const newerResults: readonly string[] = ["int16", "uint16", "int4", "uint4"];

/** A zero point says which integers are given: without one they were uint8. */
function zeroPointOfType(step: Step): void {
  const asked = dtypeOfCode(step.attributes.int("output_dtype", 0));
  const type = step.dtype(2) ?? asked;
  if (type !== undefined && newerResults.includes(type)) step.refuse(`it gives ${type}`);
  step.drop("output_dtype");
  if (step.input(2) !== undefined || asked === undefined || asked === "uint8") return;
  const dims = step.shape(1);
  if (asked === "string" || dims === undefined || !isStatic(dims))
    step.refuse("how many scales it has is not known, and it needs as many zero points");
  const zeroPoint = Tensor.of(asked, dims, zeros(asked, elementCount(dims)));
  const { editor, graph, node } = step;
  editor.setInput(node.id, 2, editor.constant("zero_point", zeroPoint, graph.body(node.body)));
}

/** Scales, and what they scale, were float32. */
function scalesOfFloat32(step: Step): void {
  const dtype = step.dtype(1);
  if (dtype === undefined || dtype === "float32") return;
  const cast = (x: ValueId, to: Dtype): ValueId =>
    step.add("Cast", [x], { to: attribute.int(codeOfDtype(to)) });
  const [x, , ...zeroPoint] = step.node.inputs;
  const inputs = [x ?? null, cast(operand(step, 1), "float32"), ...zeroPoint];
  const result = step.add(step.node.op, inputs, Object.fromEntries(step.node.attributes));
  step.replaceBy(cast(result, dtype));
}

/** Operands were of one shape. */
function sameShapes(step: Step): void {
  const [first, ...rest] = step.node.inputs.map((_, index) => step.shape(index));
  if (rest.length > 0 && !rest.every((shape) => shape !== undefined && sameShape(shape, first)))
    step.refuse("its operands are broadcast, or their shapes are not known");
}

/** As `axesFromStart`, of the input that they are. */
function sliceAxesFromStart(step: Step): void {
  const axes = step.graph.constant(step.input(3))?.numbers() ?? [];
  if (axes.every((axis) => axis >= 0)) return;
  const rank = step.rank(0);
  if (rank === undefined)
    step.refuse("it counts axes from the end of a shape whose rank is not known");
  const fromStart = axes.map((axis) => normalAxis(axis, rank));
  step.editor.setInput(step.node.id, 3, step.int64("axes", fromStart));
}

const gridModes: Readonly<Record<string, string>> = { linear: "bilinear", cubic: "bicubic" };
const withAxis = [
  "ArgMax",
  "ArgMin",
  "Concat",
  "Flatten",
  "Gather",
  "Softmax",
  "LogSoftmax",
  "Hardmax",
  "Split",
  "Squeeze",
  "Unsqueeze",
  ...reductions,
  "ReduceSum",
  "TopK",
  "OneHot",
  "Compress",
];

/** Attributes that came later. `to` is the version that brought them. */
export const attributeLowerings: readonly Adapter[] = [
  ...adapter(
    ["QuantizeLinear", "DequantizeLinear"],
    21,
    onlyDefault("block_size", 0, "it has a scale per block"),
  ),
  ...adapter("QuantizeLinear", 21, zeroPointOfType),
  ...adapter("QLinearMatMul", 21, (step) => {
    if (step.dtype(1) === "float16") step.refuse("its scales are float16");
  }),
  ...adapter("GridSample", 20, (step) => {
    if ((step.rank(0) ?? step.rank(1)) !== 4)
      step.refuse("it samples volumes, or the rank of its input is not known");
    const mode = gridModes[step.attributes.string("mode", "linear")];
    if (mode !== undefined) step.editor.setAttribute(step.node.id, "mode", attribute.string(mode));
  }),
  ...adapter("QuantizeLinear", 19, (step) => {
    if (step.dtype(2)?.startsWith("float") === true) step.refuse(`it gives ${step.dtype(2)}`);
  }),
  ...adapter("DequantizeLinear", 19, scalesOfFloat32),
  ...adapter(["Cast", "CastLike", "QuantizeLinear"], 19, (step) => step.drop("saturate")),
  ...adapter("AveragePool", 19, (step) => {
    const { attributes } = step;
    const sizes = attributes.ints("kernel_shape") ?? [];
    const isApart = attributes.ints("strides")?.some((stride, axis) => stride > (sizes[axis] ?? 1));
    // The engine's older kernel takes the pads that follow for a fault.
    if (isApart === true && attributes.string("auto_pad", "NOTSET").startsWith("SAME"))
      step.refuse("its windows are further apart than they are wide, beside an auto_pad of SAME");
    notDilated(step);
  }),
  ...adapter("Pad", 19, (step) => {
    if (step.attributes.string("mode", "constant") === "wrap") step.refuse("it wraps around");
  }),
  ...adapter("Resize", 19, (step) => {
    if (
      step.attributes.string("coordinate_transformation_mode", "half_pixel") ===
      "half_pixel_symmetric"
    )
      step.refuse("half_pixel_symmetric is newer");
  }),
  ...adapter(["OptionalHasElement", "OptionalGetElement"], 18, (step) => {
    if (step.input(0) === undefined || step.dtype(0) !== undefined)
      step.refuse("it was asked of optional values alone");
  }),
  ...adapter("LpPool", 18, onlyDefault("ceil_mode", 0, "it rounds its size up")),
  ...adapter("LpPool", 18, notDilated),
  ...adapter(["ScatterElements", "ScatterND"], 18, (step) => {
    if (["max", "min"].includes(step.attributes.string("reduction", "none")))
      step.refuse("it scatters a maximum or minimum");
  }),
  ...adapter(
    ["ScatterElements", "ScatterND"],
    16,
    onlyDefault("reduction", "none", "it adds or multiplies where it scatters"),
  ),
  ...adapter(
    "RoiAlign",
    16,
    onlyDefault("coordinate_transformation_mode", "output_half_pixel", "it shifts by half a pixel"),
  ),
  ...adapter("Shape", 15, shapeOfAll),
  ...adapter("Reshape", 14, literalZero),
  ...adapter(["LSTM", "GRU", "RNN"], 14, onlyDefault("layout", 0, "its batch comes first")),
  ...adapter("BatchNormalization", 14, onlyDefault("training_mode", 0, "it is in training")),
  ...adapter(["QuantizeLinear", "DequantizeLinear"], 13, perTensorOnly),
  ...adapter("Dropout", 12, (step) => {
    const training = step.input(2);
    if (training !== undefined && step.graph.constant(training)?.numbers()?.[0] !== 0)
      step.refuse("it may be in training");
    step.editor.trimInputs(step.node.id, 1);
    step.drop("seed");
  }),
  ...adapter("Dropout", 10, (step) => {
    const mask = step.node.outputs[1];
    if (mask !== undefined && mask !== null) step.refuse("its mask was of numbers");
  }),
  ...adapter("Pow", 12, (step) => {
    const [base, exponent] = [step.dtype(0), step.input(1)];
    if (base === undefined || exponent === undefined || base === step.dtype(1)) return;
    step.editor.setInput(
      step.node.id,
      1,
      step.add("Cast", [exponent], { to: attribute.int(codeOfDtype(base)) }),
    );
  }),
  ...adapter(
    ["ArgMax", "ArgMin"],
    12,
    onlyDefault("select_last_index", 0, "it takes the last of equals"),
  ),
  ...adapter("GatherND", 12, onlyDefault("batch_dims", 0, "it has batch dims")),
  ...adapter("TopK", 11, onlyDefault("largest", 1, "it takes the smallest")),
  ...adapter("TopK", 11, (step) => step.drop("sorted")),
  ...adapter("DepthToSpace", 11, onlyDefault("mode", "DCR", "it goes column by row by depth")),
  ...adapter("Gemm", 11, (step) => {
    if (step.input(2) === undefined)
      step.editor.setInput(step.node.id, 2, step.float("zero", [0], []));
  }),
  ...adapter(withAxis, 11, axesFromStart),
  ...adapter("Slice", 11, sliceAxesFromStart),
  ...adapter(["MaxPool", "AveragePool"], 10, onlyDefault("ceil_mode", 0, "it rounds its size up")),
  ...adapter("MaxPool", 10, notDilated),
  ...adapter("MaxPool", 8, (step) => {
    dropOthers(step, "the places of its maxima are read");
    step.drop("storage_order");
  }),
  ...adapter(["Max", "Mean", "Min", "Sum"], 8, sameShapes),
];

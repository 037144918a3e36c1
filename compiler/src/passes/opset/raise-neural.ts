import { attribute, type Attributes, type ValueId } from "../../ir/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { adapter, type Adapter, dropOthers, operand, type Step } from "./adapter.js";

/**
 * Before opset 13 the input was taken as a matrix, all axes from `axis` on being one row. Where `axis` is the last
 * one, or all after it are 1, nothing changes; else flatten, apply, and reshape back.
 */
function softmaxOfMatrix(step: Step): void {
  const { node, editor } = step;
  const rank = step.rank(0);
  const given = step.attributes.int("axis", 1);
  const x = step.input(0);
  const axis = rank === undefined ? given : normalAxis(given, rank);
  const rows = rank === undefined ? undefined : step.shape(0)?.slice(axis + 1);
  if (given === -1 || rows?.every((size) => size === 1) === true) {
    editor.setAttribute(node.id, "axis", attribute.int(rows?.length === 0 ? -1 : axis));
    return;
  }
  const [output] = node.outputs;
  if (x === undefined || output === undefined || output === null) return;
  const matrix = step.add("Flatten", [x], { axis: attribute.int(axis) });
  const result = step.add(node.op, [matrix], { axis: attribute.int(-1) });
  // A size of 0 is one: copied from the matrix it would be that of other axes.
  const literal = { allowzero: attribute.int(1) };
  step.replaceBy(step.add("Reshape", [result, step.add("Shape", [x])], literal));
}

/** What training wrote beside its result is gone; `spatial = 0` kept statistics per element, not per channel. */
function batchNormPerChannel(step: Step): void {
  if (step.attributes.int("spatial", 1) === 1) {
    step.drop("spatial");
    return;
  }
  const [x, gamma, beta, mean, variance] = [0, 1, 2, 3, 4].map((index) => step.input(index));
  if (
    x === undefined ||
    gamma === undefined ||
    beta === undefined ||
    mean === undefined ||
    variance === undefined
  )
    step.refuse("inputs are missing");
  const epsilon = step.float("epsilon", [step.attributes.float("epsilon", 1e-5)], []);
  const spread = step.add("Sqrt", [step.add("Add", [variance, epsilon])]);
  const normalized = step.add("Div", [step.add("Sub", [x, mean]), spread]);
  step.replaceBy(step.add("Add", [step.add("Mul", [normalized, gamma]), beta]));
}

/** Upsample-1's two numbers are the last two of the scales. */
function upsampleScales(step: Step): void {
  const [height, width] = [
    step.attributes.float("height_scale", 1),
    step.attributes.float("width_scale", 1),
  ];
  step.editor.setAttribute(step.node.id, "scales", attribute.floats([1, 1, height, width]));
  step.drop("height_scale", "width_scale");
  const mode = step.attributes.string("mode");
  if (mode === "bilinear")
    step.editor.setAttribute(step.node.id, "mode", attribute.string("linear"));
}

function upsampleInput(step: Step): void {
  const scales = step.attributes.floats("scales");
  if (scales !== undefined) step.editor.setInput(step.node.id, 1, step.float32("scales", scales));
  step.drop("scales");
}

/** A position is divided by its scale, and of nearest elements it is the one below, or above. */
function divided(step: Step, mode: "floor" | "ceil"): Attributes {
  const isNearest = step.attributes.string("mode", "nearest") === "nearest";
  return {
    coordinate_transformation_mode: attribute.string("asymmetric"),
    ...(isNearest && { nearest_mode: attribute.string(mode) }),
  };
}

/** The scales, which were the second input, are the third. */
function resizeByScales(step: Step, mode: "floor" | "ceil"): void {
  const { editor, node } = step;
  for (const [name, value] of Object.entries(divided(step, mode)))
    editor.setAttribute(node.id, name, value);
  editor.setInput(node.id, 2, step.input(1) ?? null);
  editor.setInput(node.id, 1, null);
}

/** Upsample shrinks nothing. */
function upsampleToResize(step: Step): void {
  step.editor.setOp(step.node.id, "Resize");
  resizeByScales(step, "floor");
}

/**
 * In opset 10 "nearest" was the element below, and along an axis that shrinks the one above (as onnxruntime does, and the
 * tests of that opset ask for). Where some axes may shrink and others grow, one Resize lets them grow and another shrink.
 */
function resizeCoordinates(step: Step): void {
  // What was an Upsample says so already.
  if (step.attributes.has("coordinate_transformation_mode")) return;
  const isNearest = step.attributes.string("mode", "nearest") === "nearest";
  const numbers = step.graph.constant(step.input(1))?.numbers();
  if (!isNearest || numbers?.every((scale) => scale >= 1) === true)
    return resizeByScales(step, "floor");
  if (numbers?.every((scale) => scale <= 1) === true) return resizeByScales(step, "ceil");
  const scales = operand(step, 1);
  const one = step.float32("one", [1]);
  const resized = (x: ValueId, by: "Max" | "Min", mode: "floor" | "ceil"): ValueId =>
    step.add("Resize", [x, null, step.add(by, [scales, one])], divided(step, mode));
  step.replaceBy(resized(resized(operand(step, 0), "Max", "floor"), "Min", "ceil"));
}

/** From opset 13 on, what is not used is left out: empty tensors said so before. */
function dropEmptyResizeInputs(step: Step): void {
  const { node, graph, editor } = step;
  for (const index of [1, 2]) {
    const id = step.input(index);
    if (id !== undefined && graph.constant(id)?.count === 0) editor.setInput(node.id, index, null);
  }
  const unusedRoi =
    step.attributes.string("coordinate_transformation_mode", "half_pixel") !== "tf_crop_and_resize";
  if (unusedRoi && step.input(1) !== undefined) editor.setInput(node.id, 1, null);
}

function integerNorm(step: Step): void {
  const p = step.attributes.float("p");
  if (p === undefined) return;
  if (!Number.isInteger(p)) step.refuse(`its p is ${p}, and must be whole from opset 2 on`);
  step.editor.setAttribute(step.node.id, "p", attribute.int(p));
}

const gridModes: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };

/** Scale and bias were one number per group, and are one per channel: each repeated for its channels. */
function groupNormPerChannel(step: Step): void {
  const channels = step.shape(0)?.[1];
  const groups = step.attributes.int("num_groups");
  if (typeof channels !== "number" || groups === undefined)
    step.refuse("the number of its channels is not known");
  if (!Number.isInteger(channels / groups))
    step.refuse(`its ${channels} channels are not of ${groups} groups`);
  for (const index of [1, 2]) {
    const perGroup = step.input(index);
    if (perGroup === undefined) continue;
    const column = step.add("Unsqueeze", [perGroup, step.int64("axes", [1])]);
    const repeated = step.add("Expand", [column, step.int64("shape", [groups, channels / groups])]);
    step.editor.setInput(
      step.node.id,
      index,
      step.add("Reshape", [repeated, step.int64("shape", [channels])]),
    );
  }
}

export const neuralAdapters: readonly Adapter[] = [
  ...adapter(["GlobalLpPool", "LpPool"], 2, integerNorm),
  ...adapter(["GRU", "LSTM", "RNN"], 7, (step) => step.drop("output_sequence")),
  ...adapter("Gemm", 7, (step) => step.drop("broadcast")),
  ...adapter("Upsample", 7, upsampleScales),
  ...adapter("BatchNormalization", 7, (step) => step.drop("is_test")),
  ...adapter("Dropout", 7, (step) => step.drop("is_test")),
  ...adapter("BatchNormalization", 9, batchNormPerChannel),
  ...adapter("Upsample", 9, upsampleInput),
  ...adapter("Upsample", 10, upsampleToResize),
  ...adapter("Scan", 9, (step) =>
    step.refuse("Scan of opset 8 loops over a batch besides, which no operator of today does"),
  ),
  ...adapter("Resize", 11, resizeCoordinates),
  ...adapter("Resize", 13, dropEmptyResizeInputs),
  ...adapter(["Softmax", "LogSoftmax", "Hardmax"], 13, softmaxOfMatrix),
  ...adapter("BatchNormalization", 14, (step) =>
    dropOthers(step, "its statistics of training are read"),
  ),
  ...adapter("RoiAlign", 16, (step) =>
    step.editor.setAttribute(
      step.node.id,
      "coordinate_transformation_mode",
      attribute.string("output_half_pixel"),
    ),
  ),
  ...adapter("GridSample", 20, (step) => {
    const mode = gridModes[step.attributes.string("mode", "bilinear")];
    if (mode !== undefined) step.editor.setAttribute(step.node.id, "mode", attribute.string(mode));
  }),
  ...adapter("DFT", 20, (step) => {
    const axis = step.attributes.int("axis", 1);
    step.editor.setInput(step.node.id, 2, step.int64("axis", [axis], []));
    step.drop("axis");
  }),
  ...adapter("GroupNormalization", 21, groupNormPerChannel),
];

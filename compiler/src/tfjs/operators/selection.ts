import { attribute, type ValueId } from "../../ir/index.js";
import type { Translate, Translation } from "../translation.js";

/** A condition of one axis is one of rows: tensorflow/core/kernels/select_op.cc. TensorFlow.js refuses most of those. */
const select: Translate = (at) => {
  const [condition, chosen] = [at.input(0), at.input(1)];
  const [own, rank] = [at.rank(condition), at.rank(chosen)];
  const axes = Array.from({ length: rank - own }, (_, axis) => own + axis);
  const rows =
    own === 1 && rank > 1 ? at.add("Unsqueeze", [condition, at.integers(axes)]) : condition;
  return at.add("Where", [rows, chosen, at.input(2)]);
};

/** The places of what is true, a row each. */
const places: Translate = (at) => {
  const found = at.add("NonZero", [at.input(0)]);
  return at.cast(at.transpose(found, [1, 0]), "int32");
};

const largest: Translate = (at) => {
  const [values, indices] = at.addAll("TopK", [at.input(0), at.sizes(1)], 2, {
    axis: attribute.int(-1),
  });
  if (values === undefined || indices === undefined) return [];
  return [values, at.cast(indices, "int32")];
};

/** In types that engines have it for: places of 64 bits, and floats in rows. */
const oneHot: Translate = (at) => {
  const values = [at.input(3), at.input(2)].map((one) =>
    at.add("Unsqueeze", [at.cast(one, "float32"), at.integers([0])]),
  );
  const pair = at.add("Concat", values, { axis: attribute.int(0) });
  const made = at.add("OneHot", [at.cast(at.input(0), "int64"), at.sizes(1), pair], {
    axis: attribute.int(at.attributes.number("axis", -1)),
  });
  return at.cast(made, at.dtypeOf(at.input(2)) ?? at.refuse("its type is not known"));
};

/** Boxes [boxes, 4] by scores [boxes]: which are chosen, at most so many, best first. */
function chosenBoxes(at: Translation): ValueId {
  const first = at.integers([0]);
  const boxes = at.add("Unsqueeze", [at.input(0), first]);
  const scores = at.add("Unsqueeze", [at.input(1), at.integers([0, 1])]);
  const threshold = (index: number): ValueId => at.add("Reshape", [at.input(index), at.integers([1])]); // prettier-ignore
  const rows = at.add("NonMaxSuppression", [boxes, scores, at.sizes(2), threshold(3), threshold(4)]); // prettier-ignore
  const column = at.add("Slice", [rows, at.integers([2]), at.integers([3]), at.integers([1])]);
  return at.add("Squeeze", [column, at.integers([1])]);
}

const suppression: Translate = (at) => at.cast(chosenBoxes(at), "int32");

/** With their scores, which are those of before where nothing is made softer. */
const suppressionWithScores: Translate = (at) => {
  if (at.number(5, "softness") !== 0) return at.refuse("it makes scores softer instead of leaving boxes out"); // prettier-ignore
  const chosen = chosenBoxes(at);
  const indices = at.cast(chosen, "int32");
  return [
    indices,
    at.add("Gather", [at.input(1), chosen]),
    at.cast(at.add("Size", [chosen]), "int32"),
  ];
};

export const selection: Readonly<Record<string, Translate>> = {
  NonMaxSuppressionV3: suppression,
  NonMaxSuppressionV5: suppressionWithScores,
  OneHot: oneHot,
  Select: select,
  SelectV2: (at) => at.add("Where", at.inputs),
  TopKV2: largest,
  Where: places,
};

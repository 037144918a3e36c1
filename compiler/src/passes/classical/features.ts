import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { cast, samples } from "./samples.js";

/** As many numbers as there are features, or one for all. */
function perFeature(step: Step, name: string, features: number, fallback: number): ValueId {
  const given = step.attributes.floats(name) ?? [fallback];
  if (given.length !== features && given.length !== 1)
    return step.refuse(`${name} is not as long as a sample`);
  return step.float32(name, given);
}

/** Gives features as they came: a single sample has no axis before. */
function give(step: Step, rows: ValueId): void {
  const isSingle = step.rank(0) === 1;
  step.replaceBy(isSingle ? step.add("Squeeze", [rows, step.int64("axes", [0])]) : rows);
}

/** (x − offset) · scale */
function scale(step: Step): void {
  const { x, features } = samples(step);
  const offset = perFeature(step, "offset", features, 0);
  const factor = perFeature(step, "scale", features, 1);
  give(step, step.add("Mul", [step.add("Sub", [x, offset]), factor]));
}

/** Rows over their largest number, the sum of absolute ones, or their length; a row whose measure is 0 stays. */
function normalize(step: Step): void {
  const { x } = samples(step);
  const axes = step.int64("axes", [1]);
  const norms: Readonly<Record<string, string>> = {
    MAX: "ReduceMax",
    L1: "ReduceL1",
    L2: "ReduceL2",
  };
  const norm = norms[step.attributes.string("norm", "MAX")];
  if (norm === undefined) return step.refuse("its norm is not known");
  const size = step.add(norm, [x, axes]);
  const isZero = step.add("Equal", [size, step.float32("zero", [0], [])]);
  const divisor = step.add("Where", [isZero, step.float32("one", [1], []), size]);
  give(step, step.add("Div", [x, divisor]));
}

function binarize(step: Step): void {
  const { x } = samples(step);
  const threshold = step.float32("threshold", [step.attributes.float("threshold", 0)], []);
  give(step, cast(step, step.add("Greater", [x, threshold]), "float32"));
}

/** One number, or what is none, becomes another. */
function impute(step: Step): void {
  if (step.dtype(0) !== "float32") return step.refuse("only floats are filled in");
  const { x, features } = samples(step);
  const replaced = step.attributes.float("replaced_value_float", 0);
  const isAbsent = Number.isNaN(replaced)
    ? step.add("IsNaN", [x])
    : step.add("Equal", [x, step.float32("replaced", [replaced], [])]);
  const filled = perFeature(step, "imputed_value_floats", features, 0);
  give(step, step.add("Where", [isAbsent, filled, x]));
}

/** Elements of the last axis by their places. */
function extract(step: Step): void {
  const rank = step.rank(0);
  if (rank === undefined || rank === 0) return step.refuse("the rank of its input is not known");
  const places = step.add("Reshape", [operand(step, 1), step.int64("shape", [-1])]);
  const found = step.add("Gather", [operand(step, 0), places], { axis: attribute.int(-1) });
  step.replaceBy(rank === 1 ? step.add("Unsqueeze", [found, step.int64("axes", [0])]) : found);
}

/** A column for each category, with 1 where a feature is of it. The engine refuses what is of none: here it has no 1. */
function oneHot(step: Step): void {
  const categories = step.attributes.get("cats_int64s");
  const dtype = step.dtype(0);
  if (categories?.type !== "ints" || categories.value.length === 0)
    return step.refuse("its categories are no integers");
  if (dtype === undefined || dtype === "float64" || dtype === "string")
    return step.refuse(`it compares ${dtype ?? "a type that is not known"}`);
  const given = operand(step, 0);
  const x = dtype === "int64" ? given : cast(step, given, "int64");
  const wide = step.add("Unsqueeze", [x, step.int64("axes", [-1])]);
  const each = Tensor.of("int64", [categories.value.length], BigInt64Array.from(categories.value));
  const own = step.editor.constant("categories", each, step.graph.body(step.node.body));
  const is = step.add("Equal", [wide, own]);
  step.replaceBy(cast(step, is, "float32"));
}

/** Inputs side by side, as floats. */
function join(step: Step): void {
  const sizes = step.attributes.ints("inputdimensions") ?? [];
  const parts = step.node.inputs.map((_, index) => {
    const [shape, dtype] = [step.shape(index), step.dtype(index)];
    if (
      shape?.length !== 2 ||
      shape[1] !== sizes[index] ||
      dtype === undefined ||
      dtype === "float64"
    )
      return step.refuse("its inputs are no rows of the sizes that it says");
    const part = operand(step, index);
    return dtype === "float32" ? part : cast(step, part, "float32");
  });
  step.replaceBy(step.add("Concat", parts, { axis: attribute.int(1) }));
}

/** What prepares features. */
export const featureWords: Readonly<Record<string, (step: Step) => void>> = {
  "ai.onnx.ml::ArrayFeatureExtractor": extract,
  "ai.onnx.ml::Binarizer": binarize,
  "ai.onnx.ml::FeatureVectorizer": join,
  "ai.onnx.ml::Imputer": impute,
  "ai.onnx.ml::Normalizer": normalize,
  "ai.onnx.ml::OneHotEncoder": oneHot,
  "ai.onnx.ml::Scaler": scale,
};

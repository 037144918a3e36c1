import { attribute, type ValueId } from "../../ir/index.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";

/** Inputs of fewer axes get some of size 1 behind the first: samples stay apart. */
const merge =
  (op: string): TranslateLayer =>
  (at) => {
    const ranks = at.inputs.map((value) => at.rank(value));
    const most = Math.max(0, ...ranks);
    const [first, ...more] = at.inputs.map((value, index) => {
      const missing = most - (ranks[index] ?? 0);
      const axes = Array.from({ length: missing }, (_, axis) => axis + 1);
      return missing === 0 ? value : at.add("Unsqueeze", [value, at.integers(axes)]);
    });
    if (first === undefined || more.length === 0) return at.invalid("has less than two inputs");
    return more.reduce((all, value) => at.add(op, [all, value]), first);
  };

const average: TranslateLayer = (at) => {
  const [sum] = [merge("Add")(at)].flat();
  if (sum === undefined) return at.invalid("has no inputs");
  return at.add("Mul", [sum, at.numberLike(sum, 1 / at.inputs.length)]);
};

const subtract: TranslateLayer = (at) =>
  at.inputs.length === 2 ? merge("Sub")(at) : at.invalid(`subtracts ${at.inputs.length} inputs`);

/** Sums of products over an axis of each input; what is after the first axis is otherwise kept. */
const dot: TranslateLayer = (at) => {
  const [a, b, ...more] = at.inputs;
  if (a === undefined || b === undefined || more.length > 0) return at.invalid("reads no pair");
  const [rankA, rankB] = [at.rank(a), at.rank(b)];
  const [first, second = first] = at.config.integers("axes") ?? [];
  const [axisA, axisB] = [counted(at, first, rankA), counted(at, second, rankB)];
  if (rankA > 3 || rankB > 3) return at.refuse("it is of more than three axes");
  const isNormal = at.config.flag("normalize", false);
  const [x, y] = isNormal ? [unit(at, a, axisA), unit(at, b, axisB)] : [a, b];
  const rows = asMatrices(at, x, rankA, axisA, 2);
  const columns = asMatrices(at, y, rankB, axisB, 1);
  const made = at.add("MatMul", [rows, columns]);
  // [batch, rest of the one, rest of the other]; where neither has one, a single number stays.
  const spare = rankA === 2 ? [1] : rankB === 2 ? [2] : [];
  return spare.length === 0 ? made : at.add("Squeeze", [made, at.integers(spare)]);
};

/** [batch, …] with what is summed over on the given axis of three. */
function asMatrices(
  at: LayerTranslation,
  value: ValueId,
  rank: number,
  summed: number,
  wanted: 1 | 2,
): ValueId {
  if (rank === 2) return at.add("Unsqueeze", [value, at.integers([wanted === 2 ? 1 : 2])]);
  return summed === wanted ? value : at.transpose(value, [0, 2, 1]);
}

/** Of length 1 along an axis: tfjs-layers/src/losses.ts, l2Normalize. */
function unit(at: LayerTranslation, value: ValueId, axis: number): ValueId {
  const squares = at.add("Mul", [value, value]);
  const sum = at.add("ReduceSum", [squares, at.integers([axis])]);
  const length = at.add("Sqrt", [at.add("Max", [sum, at.numberLike(sum, 1e-7)])]);
  return at.add("Div", [value, length]);
}

function counted(at: LayerTranslation, axis: number | undefined, rank: number): number {
  const found = axis === undefined ? 0 : axis < 0 ? axis + rank : axis;
  return found > 0 && found < rank ? found : at.invalid("has no axes to sum over");
}

const concatenate: TranslateLayer = (at) => {
  const [axis = -1] = at.config.integers("axis") ?? [];
  // TensorFlow.js takes each of these for the last one, Keras does not.
  if (axis < -1) return at.refuse(`its axis is ${axis}, which TensorFlow.js does not count`);
  return at.add("Concat", at.inputs, { axis: attribute.int(axis) });
};

export const mergeLayers: Readonly<Record<string, TranslateLayer>> = {
  Add: merge("Add"),
  Average: average,
  Concatenate: concatenate,
  Dot: dot,
  Maximum: merge("Max"),
  Minimum: merge("Min"),
  Multiply: merge("Mul"),
  Subtract: subtract,
};

import { attribute, type Graph, type NodeId, type ValueId } from "../../ir/index.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { sayNodes, type Words } from "../opset/say.js";

/**
 * LRN: y = x / (bias + alpha · mean of squares over a window of channels)^beta. Seen with pixels where channels were, and the
 * other way round, the window is that of a pool, whose pads count as zeros.
 */
function overChannels(step: Step): void {
  const { attributes } = step;
  const shape = sizesOf(step, 0);
  if (shape.length < 2) return step.refuse("it has no channels");
  const size = attributes.int("size", 0);
  const [batch = 1, channels = 1, ...places] = shape;
  if (!(size >= 1 && size <= mostSize)) return step.refuse(`its window is not of 1 to ${mostSize}`);
  const x = operand(step, 0);
  const pixels = places.reduce((product, count) => product * count, 1);
  const rows = step.add("Reshape", [x, step.int64("shape", [batch, channels, pixels])]);
  const turned = { perm: attribute.ints([0, 2, 1]) };
  const columns = step.add("Transpose", [step.add("Mul", [rows, rows])], turned);
  const before = Math.floor((size - 1) / 2);
  const mean = step.add("AveragePool", [columns], {
    kernel_shape: attribute.ints([size]),
    pads: attribute.ints([before, size - 1 - before]),
    count_include_pad: attribute.int(1),
  });
  const scaled = step.add("Mul", [
    mean,
    step.float32("alpha", [attributes.float("alpha", 1e-4)], []),
  ]);
  const sum = step.add("Add", [scaled, step.float32("bias", [attributes.float("bias", 1)], [])]);
  const divisor = step.add("Transpose", [power(step, sum, attributes.float("beta", 0.75))], turned);
  const result = step.add("Div", [rows, divisor]);
  step.replaceBy(step.add("Reshape", [result, step.int64("shape", shape)]));
}

/** Larger ones than any network has would be that many additions for each element. */
const mostSize = 4096;

/** Roots are cheaper than a power of any exponent, and what networks have. */
function power(step: Step, x: ValueId, exponent: number): ValueId {
  if (exponent === 1) return x;
  const root = step.add("Sqrt", [x]);
  if (exponent === 0.5) return root;
  if (exponent === 0.75) return step.add("Mul", [root, step.add("Sqrt", [root])]);
  return step.add("Pow", [x, step.float32("exponent", [exponent], [])]);
}

/** x over its 1- or 2-norm along an axis; what has a norm of 0 is 0 as it is. */
function overNorm(step: Step): void {
  const norm = step.attributes.int("p", 2) === 1 ? "ReduceL1" : "ReduceL2";
  const [x, rank] = [operand(step, 0), step.rank(0)];
  const axis = step.attributes.int("axis", -1);
  if (rank === undefined || axis < -rank || axis >= rank) return step.refuse("it has no such axis");
  const size = step.add(norm, [x, step.int64("axes", [axis])]);
  const isZero = step.add("Equal", [size, step.float32("zero", [0], [])]);
  step.replaceBy(
    step.add("Div", [x, step.add("Where", [isZero, step.float32("one", [1], []), size])]),
  );
}

const words: Words = new Map(Object.entries({ LRN: overChannels, LpNormalization: overNorm }));

/** Their keys. */
export const normalizations: readonly string[] = [...words.keys()];

/**
 * Says normalizations that have no kernel in operators that have. The graph is in its normal form, its sizes are fixed.
 * @returns of each node that stays: why
 */
export function sayNormalizations(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-normalizations", words);
}

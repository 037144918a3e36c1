import { attribute, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "./adapter.js";

/**
 * Turns pairs of a head's numbers by the angle of their place: halves, or neighbours where they are interleaved.
 * https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html
 */
export function rotaryEmbedding(step: Step): void {
  const x = operand(step, 0);
  const rank = step.rank(0);
  if (rank !== 3 && rank !== 4) return step.refuse("the rank of its input is not known");
  const heads = step.attributes.int("num_heads", 0);
  const last = step.shape(0)?.[rank - 1];
  if (typeof last !== "number") return step.refuse("the width of its heads is not known");
  if (rank === 3 && heads === 0) return step.refuse("how many heads it has is not known");
  const width = rank === 4 ? last : last / heads;
  const turned = step.attributes.int("rotary_embedding_dim", 0) || width;
  const isPart = turned > 0 && turned <= width && turned % 2 === 0;
  if (!Number.isInteger(width) || !isPart)
    return step.refuse(`of ${width} numbers a head it cannot turn ${turned}`);
  const isInterleaved = step.attributes.int("interleaved", 0) !== 0;

  // By head: [batch, heads, length, width], or [batch, length, heads, width].
  const split =
    rank === 4 ? x : step.add("Reshape", [x, step.int64("shape", [0, 0, heads, width])]);
  const part = (from: number, to: number, by = 1): ValueId =>
    step.add("Slice", [
      split,
      step.int64("from", [from]),
      step.int64("to", [to]),
      step.int64("axis", [3]),
      step.int64("by", [by]),
    ]);
  const half = turned / 2;
  const [real, imaginary] = isInterleaved
    ? [part(0, turned, 2), part(1, turned, 2)]
    : [part(0, half), part(half, turned)];
  const headAxis = rank === 4 ? 1 : 2;
  const [cos, sin] = [angles(step, 1, half, headAxis), angles(step, 2, half, headAxis)];
  const product = (a: ValueId, b: ValueId): ValueId => step.add("Mul", [a, b]);
  const results = [
    step.add("Sub", [product(real, cos), product(imaginary, sin)]),
    step.add("Add", [product(real, sin), product(imaginary, cos)]),
  ];
  const whole = isInterleaved ? interleaved(step, results, turned) : results;
  const rest = turned < width ? [part(turned, width)] : [];
  const joined = step.add("Concat", [...whole, ...rest], { axis: attribute.int(3) });
  step.replaceBy(
    rank === 4 ? joined : step.add("Reshape", [joined, step.int64("shape", [0, 0, heads * width])]),
  );
}

/** Sines or cosines by place: of the places that are given, or as they are; the same for all heads. */
function angles(step: Step, index: number, half: number, headAxis: number): ValueId {
  const table = operand(step, index);
  const places = step.input(3);
  const own =
    places === undefined ? table : step.add("Gather", [table, places], { axis: attribute.int(0) });
  const isWhole = step.shape(index)?.at(-1) === half;
  const used = isWhole
    ? own
    : step.add("Slice", [
        own,
        step.int64("from", [0]),
        step.int64("to", [half]),
        step.int64("axis", [2]),
      ]);
  return step.add("Unsqueeze", [used, step.int64("axes", [headAxis])]);
}

function interleaved(step: Step, results: readonly ValueId[], turned: number): readonly ValueId[] {
  const pairs = results.map((each) => step.add("Unsqueeze", [each, step.int64("axes", [4])]));
  const joined = step.add("Concat", pairs, { axis: attribute.int(4) });
  return [step.add("Reshape", [joined, step.int64("shape", [0, 0, 0, turned])])];
}

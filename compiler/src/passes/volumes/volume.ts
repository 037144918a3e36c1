import { attribute, type ValueId } from "../../ir/index.js";
import { sizesOf, type Step } from "../opset/adapter.js";

/** Batch, channels, depth, rows, columns. */
export type Volume = readonly [number, number, number, number, number];

/** Each place of a window along the depth is a copy of the frames that it takes. */
export const mostDeep = 64;

export function volumeOf(step: Step, input: number): Volume {
  const [first, second, depth, rows, columns, ...others] = sizesOf(step, input);
  if (columns === undefined || others.length > 0) return step.refuse("it has not three axes");
  return [first ?? 0, second ?? 0, depth ?? 0, rows ?? 0, columns];
}

export function reshaped(step: Step, x: ValueId, dims: readonly number[]): ValueId {
  return step.add("Reshape", [x, step.int64("shape", dims)]);
}

/** Weights that are stored as integers are moved as those: their scales are of maps, which stay where they are. */
export function asStored(step: Step, weights: ValueId, move: (of: ValueId) => ValueId): ValueId {
  const { graph } = step;
  const { producer } = graph.value(weights);
  const stored = producer === null ? undefined : graph.node(producer);
  const [integers, scale, ...zero] = stored?.inputs ?? [];
  if (stored?.op !== "DequantizeLinear" || stored.domain !== "" || !integers || !scale)
    return move(weights);
  const { type } = graph.value(scale);
  const isWhole = type.kind === "tensor" && (type.shape ?? [0]).every((size) => size === 1);
  const { axis, block_size: block } = Object.fromEntries(stored.attributes);
  const isByMap = axis?.type === "int" && axis.value === 0n;
  if (block !== undefined || !(isWhole || isByMap)) return move(weights);
  return step.add("DequantizeLinear", [move(integers), scale, ...zero], { axis: attribute.int(0) });
}

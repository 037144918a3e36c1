import { elementCount } from "@pare/runtime/format";
import type { ValueId } from "../../ir/index.js";
import { limitsOf } from "../elements/arrays.js";
import { normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { quantizationSchemas } from "../schema/quantization.js";
import type { Backward } from "./backward.js";
import { unbroadcast } from "./broadcast.js";
import type { Gradient } from "./gradient.js";

/** How scales lie over x: one for all, one per index of an axis, or one per block along it. */
interface Spread {
  /** A scale or zero point as something that can be broadcast over x. */
  readonly over: (parameter: ValueId) => ValueId;
  /** What all elements of a scale get, summed. */
  readonly back: (value: ValueId) => ValueId;
}

function spreadOf(backward: Backward): Spread {
  const { emit, attributes } = backward;
  const dims = backward.dims(0);
  const scaleDims = backward.dims(1);
  const axis = normalAxis(attributes.int("axis", 1), dims.length);
  const block = attributes.int("block_size", 0);
  if (block > 0) {
    const blocks = scaleDims[axis] ?? 1;
    if (blocks * block !== (dims[axis] ?? 1))
      throw backward.unsupported("its last block is not a whole one");
    const apart = [...dims.slice(0, axis), blocks, block, ...dims.slice(axis + 1)];
    const single = apart.map((size, at) => (at === axis + 1 ? 1 : size));
    return {
      over: (parameter) => emit.reshape(emit.expand(emit.reshape(parameter, single), apart), dims),
      back: (value) => emit.reshape(emit.sum(emit.reshape(value, apart), [axis + 1]), scaleDims),
    };
  }
  const isOne = elementCount(scaleDims) === 1;
  const along = dims.map((size, at) => (at === axis && !isOne ? size : 1));
  return {
    over: (parameter) => emit.reshape(parameter, isOne ? [] : along),
    back: (value) => emit.reshape(unbroadcast(emit, value, along), scaleDims),
  };
}

/**
 * y = saturate(round(x / scale) + zero point), rounding passed straight through: dY / scale where x was not saturated,
 * and −x / scale² for the scale. With DequantizeLinear behind it this is the gradient of fake quantization, its learned
 * step size included.
 */
function quantize(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const x = backward.input(0);
  const { over, back } = spreadOf(backward);
  const scale = over(backward.input(1));
  const ratio = emit.divide(x, scale);
  const dtype = emit.dtype(backward.output(0));
  if (dtype.startsWith("float")) throw backward.unsupported(`it gives ${dtype}`);
  const [low, high] = limitsOf(dtype);
  const place = backward.has(2)
    ? emit.add(ratio, emit.cast(over(backward.input(2)), emit.dtype(x)))
    : ratio;
  const inside = emit.node("And", [
    emit.compare("Greater", place, low - 0.5),
    emit.compare("Less", place, high + 0.5),
  ]);
  const dX = emit.divide(emit.masked(backward.cotangent(), inside), scale);
  return [
    backward.needs(0) ? dX : null,
    backward.where(1, () => back(emit.negate(emit.multiply(dX, ratio)))),
    null,
  ];
}

/** y = (x − zero point) · scale; the cotangent of its integers is a float. */
function dequantize(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const { over, back } = spreadOf(backward);
  const scale = over(backward.input(1));
  const dY = backward.cotangent();
  return [
    backward.where(0, () => emit.multiply(dY, scale)),
    backward.where(1, () => back(emit.divide(emit.multiply(dY, backward.output(0)), scale))),
    null,
  ];
}

export const quantizationGradients: Some<typeof quantizationSchemas, Gradient> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  "com.microsoft::QuantizeLinear": quantize,
  "com.microsoft::DequantizeLinear": dequantize,
};

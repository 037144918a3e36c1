import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import { beyond, padding, tapsOf, type WindowAxis, windowAxes } from "../families/window.js";
import type { Some } from "../schema/cells.js";
import type { poolingSchemas } from "../schema/pooling.js";
import type { Backward } from "./backward.js";
import { dataGradient } from "./convolution-data.js";
import type { Gradient } from "./gradient.js";
import { largestOf } from "./largest.js";

function windowsOf(backward: Backward): readonly WindowAxis[] {
  const { attributes } = backward;
  const kernel = attributes.ints("kernel_shape") ?? [];
  return windowAxes(backward.dims(0).slice(2), kernel, attributes);
}

/** What each window has goes to all that it saw: a transposed convolution with ones. */
function toAllSeen(backward: Backward, windows: ValueId, axes: readonly WindowAxis[]): ValueId {
  const { emit } = backward;
  const [batch = 1, channels = 1, ...places] = backward.dims(0);
  const kernel = axes.map(({ kernel: size }) => Number(size));
  const taps = elementCount(kernel);
  const ones = emit.floats(new Float64Array(taps).fill(1), [1, 1, ...kernel], windows);
  const planes = emit.reshape(windows, [batch * channels, 1, ...emit.shape(windows).slice(2)]);
  const seen = dataGradient(emit, planes, ones, [batch * channels, 1, ...places], {
    kernel,
    strides: axes.map(({ stride }) => stride),
    dilations: axes.map(({ dilation }) => dilation),
    before: axes.map(({ before }) => Number(before)),
    after: axes.map(({ after }) => Number(after)),
    group: 1,
  });
  return emit.reshape(seen, backward.dims(0));
}

/** Every window's share is 1 / how many it averages. */
function averagePool(backward: Backward): readonly ValueId[] {
  const { emit } = backward;
  const axes = windowsOf(backward);
  const countsPads = backward.attributes.int("count_include_pad", 0) !== 0;
  const { indices, windows, taps } = tapsOf(axes);
  const shares = Float64Array.from({ length: windows }, (_, window) => {
    const seen = indices.subarray(window * taps, (window + 1) * taps);
    return 1 / seen.filter((at) => at !== beyond && (countsPads || at !== padding)).length;
  });
  const dY = backward.cotangent();
  const [first = 1] = shares;
  const shared = shares.every((share) => share === first)
    ? emit.scale(dY, first)
    : emit.multiply(dY, emit.floats(shares, emit.shape(dY).slice(2), dY));
  return [toAllSeen(backward, shared, axes)];
}

/** y = (Σ |x|ᵖ)^(1 / p): each x gets sign(x) · (|x| / y)^(p − 1), and nothing of windows that hold only zeros. */
function normPool(backward: Backward): readonly ValueId[] {
  const { emit } = backward;
  const [x, y, dY] = [backward.input(0), backward.output(0), backward.cotangent()];
  const steep = backward.attributes.int("p", 2) - 1;
  const power = (value: ValueId): ValueId =>
    steep === 1 ? value : emit.node("Pow", [value, emit.scalar(steep, value)]);
  if (steep === 0)
    return [emit.multiply(emit.sign(x), toAllSeen(backward, dY, windowsOf(backward)))];
  const norm = emit.where(emit.compare("Equal", y, 0), emit.scalar(1, y), y);
  const seen = toAllSeen(backward, emit.divide(dY, power(norm)), windowsOf(backward));
  const slope = steep === 1 ? x : emit.multiply(emit.sign(x), power(emit.node("Abs", [x])));
  return [emit.multiply(slope, seen)];
}

function globalAveragePool(backward: Backward): readonly ValueId[] {
  const { emit } = backward;
  const dims = backward.dims(0);
  const share = 1 / elementCount(dims.slice(2));
  return [emit.expand(emit.scale(backward.cotangent(), share), dims)];
}

/** To the first of the largest, found by its position: ArgMax gives the first. */
function globalMaxPool(backward: Backward): readonly ValueId[] {
  const { emit } = backward;
  const [batch = 1, channels = 1, ...places] = backward.dims(0);
  const count = elementCount(places);
  const flat = emit.reshape(backward.input(0), [batch, channels, count]);
  const at = emit.node("ArgMax", [flat], { axis: attribute.int(2), keepdims: attribute.int(1) });
  const positions = emit.floats(
    Float64Array.from({ length: count }, (_, i) => i),
    [count],
    flat,
  );
  const chosen = emit.node("Equal", [emit.cast(at, emit.dtype(flat)), positions]);
  const dY = emit.reshape(backward.cotangent(), [batch, channels, 1]);
  return [emit.reshape(emit.masked(dY, chosen), backward.dims(0))];
}

export const poolingGradients: Some<typeof poolingSchemas, Gradient> = {
  MaxPool: (backward) => [largestOf(backward, windowsOf(backward))],
  AveragePool: averagePool,
  LpPool: normPool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};

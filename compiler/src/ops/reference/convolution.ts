import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { unpackNumbers } from "../elements/arrays.js";
import { denseOf, numbersOrUndefined } from "../elements/dense.js";
import { type Transposed, transposedAxes } from "../families/convolution.js";
import { tapsOf, windowAxes } from "../families/window.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { convolutionSchemas } from "../schema/convolution.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";
import { centred, requantize } from "./quantized.js";

/** Sums in double precision, which holds every product of 8- and 16-bit integers exactly. */
function convolve(
  x: ArrayLike<number>,
  xDims: readonly number[],
  w: ArrayLike<number>,
  wDims: readonly number[],
  bias: ArrayLike<number> | undefined,
  attributes: AttributeReader,
): { readonly dims: readonly number[]; readonly values: Float64Array } {
  const group = attributes.int("group", 1);
  const [batch = 0, channels = 0, ...sizes] = xDims;
  const [maps = 0, depth = 0, ...kernel] = wDims;
  if (channels !== depth * group || maps % group !== 0 || sizes.length !== kernel.length) {
    const message = `A convolution of [${xDims.join(", ")}] with [${wDims.join(", ")}] in ${group} groups does not fit.`;
    throw new PareError("MODEL_SHAPE", message);
  }
  const axes = windowAxes(sizes, kernel, attributes);
  const { indices, windows, taps } = tapsOf(axes);
  const plane = elementCount(sizes);
  const values = new Float64Array(batch * maps * windows);
  for (let n = 0; n < batch; n += 1) {
    for (let m = 0; m < maps; m += 1) {
      const first = Math.floor(m / (maps / group)) * depth;
      for (let window = 0; window < windows; window += 1) {
        let sum = bias?.[m] ?? 0;
        for (let c = 0; c < depth; c += 1) {
          const from = (n * channels + first + c) * plane;
          const weight = (m * depth + c) * taps;
          for (let tap = 0; tap < taps; tap += 1) {
            const index = indices[window * taps + tap] ?? 0;
            if (index >= 0) sum += (x[from + index] ?? 0) * (w[weight + tap] ?? 0);
          }
        }
        values[(n * maps + m) * windows + window] = sum;
      }
    }
  }
  return { dims: [batch, maps, ...axes.map((axis) => Number(axis.output))], values };
}

function transposed(
  x: Dense,
  w: Dense,
  bias: ArrayLike<number> | undefined,
  given: AttributeReader,
): [readonly number[], Float64Array] {
  const [batch = 0, channels = 0, ...sizes] = x.dims;
  const [, depth = 0, ...kernel] = w.dims;
  const group = given.int("group", 1);
  const axes = transposedAxes(sizes, kernel, given) ?? [];
  const outputs = axes.map((axis) => Number(axis.output));
  const places = scatterIndices(axes, sizes, kernel);
  const [from, weights] = [unpackNumbers(x), unpackNumbers(w)];
  const [plane, taps, area] = [elementCount(sizes), elementCount(kernel), elementCount(outputs)];
  const maps = depth * group;
  const values = new Float64Array(batch * maps * area);
  if (bias !== undefined)
    values.forEach((_, i) => (values[i] = bias[Math.floor(i / area) % maps] ?? 0));
  for (let n = 0; n < batch; n += 1) {
    for (let c = 0; c < channels; c += 1) {
      const first = Math.floor(c / (channels / group)) * depth;
      for (let m = 0; m < depth; m += 1) {
        const to = (n * maps + first + m) * area;
        for (let i = 0; i < plane * taps; i += 1) {
          const place = places[i] ?? -1;
          if (place < 0) continue;
          const value = from[(n * channels + c) * plane + Math.floor(i / taps)] ?? 0;
          values[to + place] =
            (values[to + place] ?? 0) + value * (weights[(c * depth + m) * taps + (i % taps)] ?? 0);
        }
      }
    }
  }
  return [[batch, maps, ...outputs], values];
}

/** Where each element lands through each tap of the kernel; −1 where outside. */
function scatterIndices(
  axes: readonly Transposed[],
  sizes: readonly number[],
  kernel: readonly number[],
): Int32Array {
  let places = Int32Array.of(0);
  let taps = 1;
  axes.forEach((axis, at) => {
    const [size = 0, reach = 1, output] = [sizes[at], kernel[at], Number(axis.output)];
    const elements = places.length / taps;
    const next = new Int32Array(places.length * size * reach);
    next.forEach((_, i) => {
      const k = i % reach;
      const tap = Math.floor(i / reach) % taps;
      const place = Math.floor(i / (reach * taps)) % size;
      const element = Math.floor(i / (reach * taps * size));
      const base = elements === 0 ? -1 : (places[element * taps + tap] ?? -1);
      const position = place * axis.stride - axis.before + k * axis.dilation;
      next[i] = base < 0 || position < 0 || position >= output ? -1 : base * output + position;
    });
    places = next;
    taps *= reach;
  });
  return places;
}

export const convolutionReferences: Some<typeof convolutionSchemas, Evaluation> = {
  Conv({ input, inputs, attributes: given }) {
    const [x, w] = [input(0), input(1)];
    const { dims, values } = convolve(
      unpackNumbers(x),
      x.dims,
      unpackNumbers(w),
      w.dims,
      numbersOrUndefined(inputs[2]),
      given,
    );
    return [denseOf(x.type, dims, values)];
  },
  ConvInteger({ input, inputs, attributes: given }) {
    const [x, w] = [input(0), input(1)];
    const { dims, values } = convolve(
      centred(x, inputs[2], 0),
      x.dims,
      centred(w, inputs[3], 0),
      w.dims,
      undefined,
      given,
    );
    return [denseOf("int32", dims, values)];
  },
  /** y = round((x − zx) ∗ (w − zw) · sx·sw/sy) + zy, the bias in units of sx·sw. */
  QLinearConv({ input, inputs, attributes: given }: EvaluateContext) {
    const [x, w] = [input(0), input(3)];
    const { dims, values } = convolve(
      centred(x, inputs[2], 0),
      x.dims,
      centred(w, inputs[5], 0),
      w.dims,
      numbersOrUndefined(inputs[8]),
      given,
    );
    const windows = elementCount(dims.slice(2));
    const maps = dims[1] ?? 1;
    return [
      requantize(values, dims, (i) => Math.floor(i / windows) % maps, {
        left: input(1),
        right: input(4),
        result: input(6),
        zeroPoint: input(7),
      }),
    ];
  },
  ConvTranspose({ input, inputs, attributes: given }) {
    const [x, w] = [input(0), input(1)];
    return [denseOf(x.type, ...transposed(x, w, numbersOrUndefined(inputs[2]), given))];
  },
};

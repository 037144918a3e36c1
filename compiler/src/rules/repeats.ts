import { PareError } from "@pare/runtime/format";
import {
  attribute,
  type Dim,
  type Graph,
  type Node,
  Tensor,
  type TensorData,
  shapeOf,
} from "../ir/index.js";
import { axisWeights, interpolationOf } from "../ops/families/interpolation.js";
import { windowAxes } from "../ops/families/window.js";
import { absorbable, attributesOf, inputOf, outputOf, staticCount } from "./pattern.js";
import { scalesOf } from "./resize-scales.js";
import type { Rule } from "./rule.js";

/** A ConvTranspose that takes every place once: by axis how often it was repeated, and its window. */
interface Spread {
  readonly times: readonly number[];
  readonly kernel: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * A place that is repeated is multiplied with each weight over its repeats; the sum of those is enough: Conv(Resize(x), w) =
 * ConvTranspose(x, w ∗ 1) in steps of the repeats, with ones over as many places. Of 3 × 3 weights over places that are there
 * four times, four products are left of nine. There are more weights than before, so it is left where each is used seldom.
 */
export const convolveRepeats: Rule = {
  name: "convolve-repeats",
  exactness: "rounding",
  ops: ["Conv", "ConvTranspose"],
  match(graph, node) {
    const resize = absorbable(graph, inputOf(node, 0), "Resize");
    const source = resize && inputOf(resize, 0);
    const [weightId, output] = [inputOf(node, 1), outputOf(node)];
    const weight = graph.constant(weightId);
    if (resize === undefined || source === undefined || output === undefined) return undefined;
    if (weightId === undefined || weight?.dtype !== "float32") return undefined;
    const times = timesOf(graph, resize);
    const spread = times && spreadOf(graph, node, times);
    if (spread === undefined || !pays(graph, node, weight, spread)) return undefined;
    const because = "takes what was repeated once";
    return {
      because,
      needs: [weight],
      work: weight.count * spread.times.reduce((product, each) => product * each, 1),
      rewrite(editor, [data]) {
        const body = graph.body(node.body);
        const sums = sumsOf(node, weight, data, spread);
        const inputs = [
          source,
          editor.constant(graph.value(weightId).name, sums, body),
          ...node.inputs.slice(2),
        ];
        const attributes = {
          kernel_shape: attribute.ints(spread.kernel),
          strides: attribute.ints(spread.times),
          pads: attribute.ints([...spread.before, ...spread.after]),
        };
        editor.replace(
          output,
          editor.add1("ConvTranspose", inputs, attributes, { body, name: node.name }),
          because,
        );
      },
    };
  },
};

/** An axis of no known size is tried at this one. */
const triedSize = 16;
/** Of a larger one, or of more repeats, it is not asked: a file may say any number. */
const mostSize = 8192;
const mostTimes = 16;

/** How often a Resize repeats every place along each axis; undefined where it does anything else. */
function timesOf(graph: Graph, resize: Node): readonly number[] | undefined {
  const interpolation = interpolationOf(attributesOf(resize));
  if (interpolation?.mode !== "nearest") return undefined;
  const { transformation } = interpolation;
  if (transformation !== "asymmetric" && transformation !== "half_pixel") return undefined;
  const scales = scalesOf(graph, resize);
  const [samples, channels, ...times] = scales ?? [];
  if (samples !== 1 || channels !== 1 || times.length === 0 || times.length > 2) return undefined;
  const sizes = shapeOf(graph, inputOf(resize, 0))?.slice(2);
  const isRepeat = times.every((scale, at) => {
    const known = sizes?.[at];
    const from = typeof known === "number" ? known : triedSize;
    if (!Number.isInteger(scale) || scale < 1 || scale > mostTimes || from > mostSize) return false;
    const places = axisWeights(interpolation, { from, size: from * scale, scale, roi: [0, 1] });
    return places.every((place, to) => place?.[0]?.index === Math.floor(to / scale));
  });
  return isRepeat && times.some((scale) => scale > 1) ? times : undefined;
}

/** The window over what is not repeated; undefined where the convolution steps, spreads, or has groups. */
function spreadOf(graph: Graph, node: Node, times: readonly number[]): Spread | undefined {
  const attributes = attributesOf(node);
  const sizes = shapeOf(graph, inputOf(node, 0))?.slice(2);
  const window = shapeOf(graph, inputOf(node, 1))?.slice(2).map(Number);
  const isPlain = (name: string): boolean =>
    (attributes.ints(name) ?? []).every((each) => each === 1);
  if (sizes === undefined || window === undefined || attributes.int("group", 1) !== 1)
    return undefined;
  if (!isPlain("strides") || !isPlain("dilations")) return undefined;
  const pads =
    node.op === "Conv"
      ? padsOf(windowAxes(sizes, window, attributes), window)
      : transposedPads(node, sizes.length);
  if (pads === undefined) return undefined;
  const kernel = window.map((size, axis) => size + (times[axis] ?? 1) - 1);
  return {
    times,
    kernel,
    before: pads.slice(0, sizes.length),
    after: pads.slice(sizes.length),
  };
}

/** What a ConvTranspose leaves away of what a Conv does not pad. */
function padsOf(
  axes: readonly { readonly before: Dim; readonly after: Dim }[],
  window: readonly number[],
): readonly number[] | undefined {
  const given = [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)];
  const pads = given.map((pad, at) => (window[at % window.length] ?? 1) - 1 - Number(pad));
  return pads.every((pad) => pad >= 0) ? pads : undefined;
}

function transposedPads(node: Node, axes: number): readonly number[] | undefined {
  const attributes = attributesOf(node);
  const isSaidOtherwise =
    attributes.string("auto_pad", "NOTSET") !== "NOTSET" ||
    attributes.ints("output_shape") !== undefined ||
    (attributes.ints("output_padding") ?? []).some((more) => more !== 0);
  if (isSaidOtherwise) return undefined;
  return attributes.ints("pads") ?? Array.from({ length: 2 * axes }, () => 0);
}

/** Products that are saved for a weight that is stored more. */
const leastSaved = 64;

function pays(graph: Graph, node: Node, weight: Tensor, { times, kernel }: Spread): boolean {
  const repeats = staticCount(times) ?? 1;
  const before = staticCount(weight.dims.slice(2)) ?? 0;
  const after = staticCount(kernel) ?? 0;
  const large = staticCount(shapeOf(graph, outputOf(node))?.slice(2)) ?? Infinity;
  const saved = (before - after / repeats) * large;
  return saved > 0 && saved >= leastSaved * (after - before);
}

/** Weights of the ConvTranspose: [inputs, outputs, …]. */
function sumsOf(
  node: Node,
  weight: Tensor,
  data: TensorData | undefined,
  { times, kernel }: Spread,
): Tensor {
  if (!(data instanceof Float32Array))
    throw new PareError("INTERNAL", "The weights were not read as floats.");
  const [first = 0, second = 0, ...window] = weight.dims;
  const isTransposed = node.op === "ConvTranspose";
  const [inputs, outputs] = isTransposed ? [first, second] : [second, first];
  const [from, over, to] = [window, times, kernel].map(rowsAndColumns);
  if (from === undefined || over === undefined || to === undefined)
    throw new PareError("INTERNAL", "A convolution has no window.");
  const [taps, all] = [from.rows * from.columns, to.rows * to.columns];
  const sums = new Float64Array(inputs * outputs * all);
  for (let i = 0; i < inputs; i += 1)
    for (let o = 0; o < outputs; o += 1) {
      const read = (isTransposed ? i * outputs + o : o * inputs + i) * taps;
      for (let tap = 0; tap < taps; tap += 1) {
        // The window of a Conv is turned around in a ConvTranspose.
        const value = data[read + (isTransposed ? tap : taps - 1 - tap)] ?? 0;
        const [row, column] = [Math.floor(tap / from.columns), tap % from.columns];
        for (let y = row; y < row + over.rows; y += 1)
          for (let x = column; x < column + over.columns; x += 1) {
            const at = (i * outputs + o) * all + y * to.columns + x;
            sums[at] = (sums[at] ?? 0) + value;
          }
      }
    }
  return Tensor.float32([inputs, outputs, ...kernel], Float32Array.from(sums));
}

/** Of one axis, the rows are one. */
function rowsAndColumns(numbers: readonly number[]): {
  readonly rows: number;
  readonly columns: number;
} {
  const [first = 1, second] = numbers;
  return second === undefined ? { rows: 1, columns: first } : { rows: first, columns: second };
}

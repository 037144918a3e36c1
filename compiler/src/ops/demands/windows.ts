import type { Dim } from "../../ir/index.js";
import type { InferContext } from "../shape/rule.js";
import { type Demand, differ, isOneOf, isOther } from "./demand.js";

const notAsMany = "its strides, dilations and pads are not as many as its axes";

/** Attributes of a window over so many axes. */
function refusedLists({ attributes }: InferContext, axes: number): string | undefined {
  const lengths = [
    ["strides", axes],
    ["dilations", axes],
    ["kernel_shape", axes],
    ["output_padding", axes],
    ["pads", 2 * axes],
  ] as const;
  const fits = lengths.every(([name, length]) => (attributes.ints(name)?.length ?? length) === length); // prettier-ignore
  return fits ? undefined : notAsMany;
}

const autoPads = "NOTSET SAME_UPPER SAME_LOWER VALID";

/** What all windows need: axes, an auto_pad that is known, a kernel as large as its weights. */
function refusedWindow(
  context: InferContext,
  x: readonly Dim[],
  kernel: readonly Dim[] | undefined,
): string | undefined {
  if (x.length < 3) return "it has no axis to move a window over";
  if (!isOneOf(context, "auto_pad", autoPads)) return "its auto_pad is not known";
  const own = context.attributes.ints("kernel_shape");
  if (own?.some((size) => size < 1) === true) return "its kernel has no elements";
  if (kernel !== undefined && own !== undefined && isOther(kernel, own))
    return "its kernel_shape is not that of its weights";
  return refusedLists(context, x.length - 2);
}

/** Of a window with weights: what all of those need, and then what it does of its shapes. */
const weighted =
  (
    own: (context: InferContext, x: readonly Dim[], w: readonly Dim[]) => string | undefined,
  ): Demand =>
  (context) => {
    const [x, w] = [context.shape(0), context.shape(1)];
    if (x === undefined || w === undefined) return undefined;
    if (w.length !== x.length) return "its weights have not as many axes as its input";
    return refusedWindow(context, x, w.slice(2)) ?? own(context, x, w);
  };

/** [N, C, …] with [M, C / group, …] and M numbers. */
const convolution = weighted((context, x, w) => {
  const group = context.attributes.int("group", 1);
  const [maps, depth] = w;
  const channels = typeof depth === "number" ? depth * group : undefined;
  if (group < 1 || differ(x[1], channels) || (typeof maps === "number" && maps % group !== 0))
    return "its groups do not fit its channels";
  const isBiased = context.node.op === "Conv" && isOther(context.shape(2), [maps]);
  return isBiased ? "its bias is not as long as it has maps" : undefined;
});

/** [N, C, …] with [C, M / group, …] and M numbers. */
const transposed = weighted((context, x, w) => {
  const group = context.attributes.int("group", 1);
  const [channels, depth] = w;
  if (
    group < 1 ||
    differ(x[1], channels) ||
    (typeof channels === "number" && channels % group !== 0)
  )
    return "its groups do not fit its channels";
  const wanted = context.attributes.ints("output_shape");
  if (wanted !== undefined && wanted.length !== x.length - 2 && wanted.length !== x.length)
    return "its output_shape is not as long as it has axes";
  const maps = typeof depth === "number" ? depth * group : undefined;
  return isOther(context.shape(2), [maps]) ? "its bias is not as long as it has maps" : undefined;
});

const pool: Demand = (context) => {
  const x = context.shape(0);
  if (x === undefined) return undefined;
  if (context.attributes.ints("kernel_shape") === undefined) return "its kernel has no shape";
  return refusedWindow(context, x, undefined);
};

const global: Demand = (context) =>
  (context.shape(0)?.length ?? 3) < 3 ? "it has no axis to move a window over" : undefined;

export const windowDemands = {
  Conv: convolution,
  ConvInteger: convolution,
  ConvTranspose: transposed,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: global,
  GlobalMaxPool: global,
};

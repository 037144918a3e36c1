import {
  completeFeeds,
  describeValue,
  dimsFit,
  type Dtype,
  type Feeds,
  floatsToHalves,
  isPareError,
  isFloat,
  isTypedArray,
  PareError,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import { isChannels } from "./image-tensor.js";

export interface FittedFeeds {
  readonly feeds: Tensors;
  /** Which were given as bare typed arrays. */
  readonly bare: readonly string[];
}

/**
 * Holds a sample's feeds against the model's inputs and completes what was left open. Float32 for an input in float16 or
 * float64, which hardly anybody's data is in, becomes that.
 * @param canResize whether --shape can give the model another size
 * @throws PareError DATA_MISMATCH naming the sample, the input, what it expects and what it got
 */
export function fitFeeds(
  inputs: readonly ValueInfo[],
  feeds: Feeds,
  sample: string,
  canResize = true,
): FittedFeeds {
  const bare: string[] = [];
  const whole: Feeds = Object.fromEntries(
    Object.entries(feeds).map(([name, given]) => {
      const info = inputs.find((input) => input.name === name);
      const feed = inFloatsOf(info?.type, given);
      if (info === undefined || !isTypedArray(feed)) return [name, feed];
      bare.push(name);
      const dims = resolveDims(info.dims, feed.length);
      return [name, dims === null ? feed : { type: info.type, dims, data: feed }];
    }),
  );
  try {
    const tensors = completeFeeds(inputs, whole);
    const named = inputs.flatMap(({ name }, index) => {
      const tensor = tensors[index];
      return tensor === undefined ? [] : [[name, tensor] as const];
    });
    return { feeds: Object.fromEntries(named), bare };
  } catch (error) {
    if (!isPareError(error) || error.code !== "INPUT") throw error;
    throw new PareError(
      "DATA_MISMATCH",
      `Sample "${sample}" does not fit the model: ${error.message}`,
      {
        where: `sample "${sample}", ${error.where ?? "feeds"}`,
        hint:
          otherFloats(inputs, whole) ??
          otherOrder(inputs, whole) ??
          (canResize ? otherShape(inputs, whole) : null) ??
          error.hint ??
          `The model takes ${inputs.map((info) => `"${info.name}": ${describeValue(info)}`).join("; ")}.`,
      },
    );
  }
}

/** Float32 in an input's other floats; anything else as it is. */
function inFloatsOf(type: Dtype | undefined, feed: Feeds[string]): Feeds[string] {
  if (type !== "float16" && type !== "float64") return feed;
  const convert = (data: Float32Array) =>
    type === "float16" ? floatsToHalves(data) : Float64Array.from(data);
  if (feed instanceof Float32Array) return convert(feed);
  if (isTypedArray(feed) || feed?.type !== "float32" || !(feed.data instanceof Float32Array))
    return feed;
  return { type, dims: feed.dims, data: convert(feed.data) };
}

/** NumPy's own floats, where a model has others. */
function otherFloats(inputs: readonly ValueInfo[], feeds: Feeds): string | null {
  const other = inputs.find(({ name, type }) => {
    const feed = feeds[name];
    const given = feed === undefined || isTypedArray(feed) ? null : feed.type;
    return given === "float64" && isFloat(type);
  });
  return other === undefined
    ? null
    : `Save "${other.name}" as ${other.type}: array.astype(numpy.${other.type}).`;
}

/** The same sizes, along other axes. */
function otherOrder(inputs: readonly ValueInfo[], feeds: Feeds): string | null {
  const [info] = inputs.filter(({ name, dims }) => {
    const given = dimsOf(feeds[name]);
    if (given?.length !== dims.length || dimsFit(dims, given)) return false;
    const rest = [...given];
    return dims.every((size) => {
      const at = typeof size === "number" ? rest.indexOf(size) : 0;
      if (typeof size === "number" && at >= 0) rest.splice(at, 1);
      return at >= 0;
    });
  });
  return info === undefined
    ? null
    : `The dims of "${info.name}" are in another order: transpose what the data gives to [${info.dims.map((size) => size ?? "?").join(", ")}].`;
}

function dimsOf(feed: Feeds[string] | undefined): readonly number[] | undefined {
  return feed === undefined || isTypedArray(feed) ? undefined : feed.dims;
}

/** Models often run at other sizes than their files declare: how to say so. */
function otherShape(inputs: readonly ValueInfo[], feeds: Feeds): string | null {
  const shapes = inputs.flatMap(({ name, type, dims }) => {
    const feed = feeds[name];
    if (feed === undefined || isTypedArray(feed) || feed.type !== type) return [];
    const given = feed.dims;
    const sized = given.length === dims.length && given.every((dim) => dim > 0);
    const differing = dims.flatMap((dim, axis) =>
      typeof dim === "number" && dim !== given[axis] ? [axis] : [],
    );
    const differs = differing.length > 0 && !differing.includes(channelAxis(dims));
    return sized && differs && /^[\w.:/-]+$/.test(name)
      ? [`--shape ${name}=${given.join("x")}`]
      : [];
  });
  return shapes.length === 0
    ? null
    : `Where the model also runs at that size: ${shapes.join(" ")}. Else change what the data gives.`;
}

/** Of a picture: weights are of so many channels, at whatever size it comes. -1 where none is one. */
function channelAxis(dims: ValueInfo["dims"]): number {
  return dims.length === 4 ? ([1, 3].find((axis) => isChannels(dims[axis])) ?? -1) : -1;
}

/**
 * The dims of a bare array of `length` values: those that are fixed as they are, a free batch as 1, and one more
 * free dim from what remains. Null where that does not come out even.
 */
export function resolveDims(dims: ValueInfo["dims"], length: number): readonly number[] | null {
  const free = dims.flatMap((dim, axis) => (typeof dim === "number" ? [] : [axis]));
  if (free.length === 0) return dims.map(Number);
  const open =
    free.length === 1 ? free[0] : free.length === 2 && free[0] === 0 ? free[1] : undefined;
  if (open === undefined) return null;
  const known = dims.reduce<number>(
    (product, dim) => product * (typeof dim === "number" ? dim : 1),
    1,
  );
  const rest = length / known;
  if (!Number.isInteger(rest) || rest < 1) return null;
  return dims.map((dim, axis) => (typeof dim === "number" ? dim : axis === open ? rest : 1));
}

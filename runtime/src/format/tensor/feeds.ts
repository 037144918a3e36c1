import { PareError } from "../error.js";
import type { ValueInfo } from "./value-info.js";
import { checkTensor, type Feeds, isTypedArray, type Tensor } from "./tensor.js";

/** A value as a reader knows it: `float32 [N, 3, 48, 192]`. */
export function describeValue(info: ValueInfo): string {
  return `${info.type} [${info.dims.map((dim) => dim ?? "?").join(", ")}]`;
}

/**
 * What a caller passed, as complete tensors in the order of the inputs. Data is passed on, never copied.
 * @throws PareError INPUT for a missing, unknown, wrongly typed or wrongly shaped input, saying what was expected
 */
export function completeFeeds(inputs: readonly ValueInfo[], feeds: Feeds): Tensor[] {
  const tensors = inputs.map((info) => completeFeed(info, feeds[info.name], inputs));
  if (Object.keys(feeds).length > inputs.length) {
    const unknown = Object.keys(feeds).find((name) => !inputs.some((info) => info.name === name));
    if (unknown !== undefined) {
      throw new PareError("INPUT", `The model has no input "${unknown}".`, {
        where: unknown,
        hint: expectation(inputs),
      });
    }
  }
  return tensors;
}

function completeFeed(
  info: ValueInfo,
  feed: Feeds[string] | undefined,
  inputs: readonly ValueInfo[],
): Tensor {
  const where = `Input "${info.name}"`;
  if (feed === undefined || feed === null) {
    throw new PareError("INPUT", `${where} (${describeValue(info)}) is missing.`, {
      where: info.name,
      hint: expectation(inputs),
    });
  }
  if (isTypedArray(feed)) return completeArray(info, feed, where);
  if (typeof feed !== "object" || !Array.isArray(feed.dims)) {
    throw new PareError("INPUT", `${where} must be a typed array or { type, dims, data }.`, {
      where: info.name,
    });
  }
  if (feed.type !== info.type) {
    throw new PareError("INPUT", `${where} is ${describeValue(info)}, but it got ${feed.type}.`, {
      where: info.name,
    });
  }
  // An engine reports an undefined shape as it reports a scalar's: [].
  const fits =
    info.dims.length === 0 ||
    (info.dims.length === feed.dims.length &&
      info.dims.every((dim, axis) => typeof dim !== "number" || dim === feed.dims[axis]));
  if (!fits) {
    throw new PareError(
      "INPUT",
      `${where} is ${describeValue(info)}, but it got dims [${feed.dims.join(", ")}].`,
      { where: info.name },
    );
  }
  const tensor = withBits(feed);
  checkTensor(tensor, where);
  return tensor;
}

function completeArray(
  info: ValueInfo,
  data: Exclude<Feeds[string], Tensor>,
  where: string,
): Tensor {
  const dims: number[] = [];
  for (const dim of info.dims) {
    if (typeof dim !== "number") {
      throw new PareError(
        "INPUT",
        `${where} is ${describeValue(info)}: a bare array does not say its free dims.`,
        {
          where: info.name,
          hint: `Pass { type: "${info.type}", dims: [...], data }.`,
        },
      );
    }
    dims.push(dim);
  }
  const tensor = withBits({ type: info.type, dims, data });
  checkTensor(tensor, where);
  return tensor;
}

/** Newer engines hold float16 in a Float16Array; the format's way is its bits. */
export function withBits(tensor: Tensor): Tensor {
  if (tensor.type !== "float16" || !isFloat16Array(tensor.data)) return tensor;
  const { buffer, byteOffset, length } = tensor.data;
  return { type: "float16", dims: tensor.dims, data: new Uint16Array(buffer, byteOffset, length) };
}

function isFloat16Array(data: unknown): data is Uint16Array {
  return (
    ArrayBuffer.isView(data) && Object.prototype.toString.call(data) === "[object Float16Array]"
  );
}

function expectation(inputs: readonly ValueInfo[]): string {
  return `Its inputs are ${inputs.map((info) => `"${info.name}": ${describeValue(info)}`).join("; ")}.`;
}

import { PareError } from "../error.js";
import type { ValueInfo } from "./value-info.js";
import { checkTensor, dimsFit, type Feeds, isTypedArray, tagOf, type Tensor } from "./tensor.js";

/** A value as a reader knows it: `float32 [N, 3, 48, 192]`. */
export function describeValue(info: ValueInfo): string {
  return `${info.type} [${info.dims.map((dim) => dim ?? "?").join(", ")}]`;
}

/**
 * What a caller passed, as complete tensors in the order of the inputs. Data is passed on, never copied.
 * @param expected what there is to know of what the model takes, for hints
 * @throws PareError INPUT for a missing, unknown, wrongly typed or wrongly shaped input, saying what was expected
 */
export function completeFeeds(
  inputs: readonly ValueInfo[],
  given: Readonly<Record<string, Feeds[string] | undefined>>,
  expected: (inputs: readonly ValueInfo[]) => string = (own) => expectation(own),
): Tensor[] {
  const feeds = given ?? {}; // a caller in JavaScript may forget them
  const hint = (): string => expected(inputs);
  const tensors = inputs.map((info) => completeFeed(info, feeds[info.name], hint));
  const where = Object.keys(feeds).find((name) => !inputs.some((info) => info.name === name));
  if (where !== undefined)
    throw new PareError("INPUT", `The model has no input "${where}".`, { where, hint: hint() });
  return tensors;
}

function completeFeed(
  info: ValueInfo,
  feed: Feeds[string] | undefined,
  expected: () => string,
): Tensor {
  const { name, type, dims } = info;
  const where = `Input "${name}"`;
  const refuse = (problem: string, hint = expected()): PareError =>
    new PareError("INPUT", `${where} ${problem}`, { where: name, hint });
  if (feed === undefined || feed === null) throw refuse(`(${describeValue(info)}) is missing.`);
  if (isTypedArray(feed)) {
    if (!dims.every((dim) => typeof dim === "number"))
      throw refuse(
        `is ${describeValue(info)}: a bare array does not say its free dims.`,
        "Pass { type, dims, data }.",
      );
    return completed({ type, dims, data: feed }, where);
  }
  if (!Array.isArray(feed.dims)) throw refuse("must be a typed array or { type, dims, data }.");
  if (feed.type !== type) throw refuse(`is ${describeValue(info)}, but got ${feed.type}.`);
  // An engine reports an undefined shape as it reports a scalar's: [].
  if (dims.length > 0 && !dimsFit(dims, feed.dims))
    throw refuse(`is ${describeValue(info)}, but got dims [${feed.dims.join(", ")}].`);
  return completed(feed, where);
}

function completed(given: Tensor, where: string): Tensor {
  const tensor = withBits(given);
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
  return tagOf(data) === "Float16Array";
}

/** What a model takes, as a sentence; of several sizes, each. */
export function expectation(...each: readonly (readonly ValueInfo[])[]): string {
  const listed = each.map((inputs) =>
    inputs.map((info) => `"${info.name}": ${describeValue(info)}`).join("; "),
  );
  return `Its inputs are ${listed.join(", or ")}.`;
}

import type { Session } from "../format/engine/backend.js";
import { messageOf, PareError, throwIfAborted } from "../format/error.js";
import { type Dtype, dtypeArray, isDtype, type TypedArray } from "../format/tensor/dtype.js";
import { completeFeeds } from "../format/tensor/feeds.js";
import { elementCount, type Feeds, type Tensor, type Tensors } from "../format/tensor/tensor.js";

/** An input or output as the module says it lies, and the memory itself. */
interface Placed {
  readonly name: string;
  readonly type: Exclude<Dtype, "string">;
  readonly dims: readonly number[];
  readonly memory: TypedArray;
}

/** The section in which a module says where its inputs, outputs and weights lie, as ASCII JSON. */
const section = "pare";

/**
 * A session on a module that the compiler made.
 * @param weights what lies beside the module
 * @throws PareError ENGINE for a module that is no model, or not this one's weights
 */
export function moduleSession(
  module: WebAssembly.Module,
  { exports }: WebAssembly.Instance,
  weights: Uint8Array | undefined,
): Session {
  const { memory, run } = exports;
  const said = factsOf(module);
  // By what it has: whoever watches memories may have put a class of their own in the place of WebAssembly's.
  const { buffer } = isRecord(memory) ? memory : {};
  if (!(buffer instanceof ArrayBuffer) || typeof run !== "function")
    throw noModel("it exports nothing to run");
  const inputs = placed(said["inputs"], buffer);
  const outputs = placed(said["outputs"], buffer);
  writeWeights(said["weights"], buffer, weights);
  const ofSizes = sizesText(said["batch"]);
  let isDisposed = false;

  const runNow = (feeds: Feeds): Tensors => {
    const given = fittingFeeds(inputs, feeds, ofSizes);
    const results: Record<string, Tensor> = {};
    try {
      given.forEach(({ data }, at) => copyInto(inputs[at]?.memory, data));
      run();
      for (const { name, type, dims, memory: held } of outputs)
        results[name] = { type, dims, data: held.slice() };
    } catch (cause) {
      // A stranger's module may trap, or grow its memory, which takes away what lies over it.
      throw new PareError("ENGINE", `The module failed in a run: ${messageOf(cause)}`, {
        where: "WebAssembly",
        cause,
      });
    }
    return results;
  };
  return {
    inputs: inputs.map(described),
    outputs: outputs.map(described),
    async run(feeds, signal) {
      throwIfAborted(signal);
      if (isDisposed) throw new PareError("DISPOSED", "The model was already disposed of.");
      return runNow(feeds);
    },
    async dispose() {
      isDisposed = true;
    },
  };
}

/** @param ofSizes what to do about other sizes than the module's */
function fittingFeeds(inputs: readonly Placed[], feeds: Feeds, ofSizes: string): readonly Tensor[] {
  try {
    return completeFeeds(inputs, feeds);
  } catch (error) {
    if (!(error instanceof PareError) || !error.message.includes(" dims [")) throw error;
    const { code, message, where } = error;
    throw new PareError(code, message, { where, hint: ofSizes });
  }
}

/** What to do about another size. @param batch names of what was fixed to one because nobody gave it a size */
function sizesText(batch: unknown): string {
  if (!Array.isArray(batch))
    return "Its sizes are fixed: compile it for others, with --dim or --shape.";
  const [name] = batch;
  const names = name === undefined ? "" : ` (${batch.join(", ")})`;
  const option = name === undefined ? "--shape" : `--dim ${name}=…`;
  return `Its batch${names} was fixed to 1: pass one sample a run, or compile it with ${option}.`;
}

function described({ name, type, dims }: Placed): Omit<Placed, "memory"> {
  return { name, type, dims };
}

function factsOf(module: WebAssembly.Module): Record<string, unknown> {
  const [bytes] = WebAssembly.Module.customSections(module, section);
  if (bytes === undefined) throw noModel("it does not say what it takes");
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  try {
    const facts: unknown = JSON.parse(text);
    if (isRecord(facts)) return facts;
  } catch {
    // What is no JSON is no model either.
  }
  throw noModel("it does not say what it takes");
}

/** A module may be a stranger's: what it says is held against its memory. */
function placed(said: unknown, buffer: ArrayBuffer): readonly Placed[] {
  if (!Array.isArray(said)) throw noModel("it does not say what it takes");
  return said.map((value: unknown) => {
    if (!isRecord(value)) throw noModel("a value has no name");
    const { name, type, dims, at } = value;
    const isSized =
      Array.isArray(dims) && dims.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (typeof name !== "string" || !isDtype(type) || type === "string" || !isSized)
      throw noModel("a value has no name, type or size");
    const Storage = dtypeArray[type];
    const count = elementCount(dims);
    const end = Number(at) + count * Storage.BYTES_PER_ELEMENT;
    if (!Number.isSafeInteger(at) || Number(at) < 0 || !(end <= buffer.byteLength))
      throw noModel(`"${name}" lies outside its memory`);
    return { name, type, dims, memory: new Storage(buffer, Number(at), count) };
  });
}

function writeWeights(said: unknown, buffer: ArrayBuffer, weights: Uint8Array | undefined): void {
  if (!isRecord(said)) return;
  const { at, bytes } = said;
  if (weights === undefined || weights.byteLength !== bytes)
    throw noModel(
      `it needs ${String(bytes)} bytes of weights, and ${weights?.byteLength ?? 0} came with it`,
    );
  if (
    !Number.isSafeInteger(at) ||
    Number(at) < 0 ||
    Number(at) + weights.byteLength > buffer.byteLength
  )
    throw noModel("its weights lie outside its memory");
  new Uint8Array(buffer).set(weights, Number(at));
}

function copyInto(memory: TypedArray | undefined, data: Tensor["data"]): void {
  if (memory instanceof BigInt64Array || memory instanceof BigUint64Array) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) memory.set(data);
  } else if (
    ArrayBuffer.isView(data) &&
    !(data instanceof BigInt64Array || data instanceof BigUint64Array)
  ) {
    memory?.set(data);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function noModel(why: string): PareError {
  return new PareError("ENGINE", `The module is no compiled model: ${why}.`, {
    where: "WebAssembly",
    hint: "Write the bundle again.",
  });
}

import { PareError } from "../format/error.js";
import { type Dtype, dtypeArray, isNumeric, type TypedArray } from "../format/tensor/dtype.js";
import { elementCount } from "../format/tensor/tensor.js";

/** An input or output as the module says it lies, and the memory itself. */
export interface Placed {
  readonly name: string;
  readonly type: Exclude<Dtype, "string">;
  readonly dims: readonly number[];
  readonly memory: TypedArray;
}

/** One of a module's functions, which computes the model for its own sizes: fill the inputs, run, read the outputs. */
export interface Entry {
  readonly inputs: readonly Placed[];
  readonly outputs: readonly Placed[];
  /** Throws what WebAssembly throws: a stranger's module may trap. */
  readonly run: () => void;
}

/** What a module computes, for one size or for several, all in the same memory. */
export type Entries = readonly [Entry, ...Entry[]];

/** The section in which a module says where its inputs, outputs and weights lie, as ASCII JSON. */
const section = "pare";

/**
 * The memory of a module that the compiler made, its weights in place. A module may be a stranger's: what it says is held
 * against its memory.
 * @param weights what lies beside the module
 * @throws PareError ENGINE for a module that is no model, or not this one's weights
 */
export function openModule(
  module: WebAssembly.Module,
  { exports }: WebAssembly.Instance,
  weights: Uint8Array | undefined,
): Entries {
  const { memory } = exports;
  // By what it has: whoever watches memories may have put a class of their own in the place of WebAssembly's.
  const { buffer } = isRecord(memory) ? memory : {};
  const said = factsOf(module);
  if (!(buffer instanceof ArrayBuffer)) throw noModel("it exports nothing to run");
  const entryOf = (facts: unknown, at: number): Entry => {
    const run = exports[`run${at || ""}`];
    if (typeof run !== "function" || !isRecord(facts)) throw noModel("it exports nothing to run");
    const [inputs, outputs] = [placed(facts["inputs"], buffer), placed(facts["outputs"], buffer)];
    return { inputs, outputs, run: () => void run() };
  };
  const more: readonly unknown[] = Array.isArray(said["others"]) ? said["others"] : [];
  const opened = [entryOf(said, 0), ...more.map((facts, at) => entryOf(facts, at + 1))] as const;
  if (isRecord(said["weights"])) {
    const { at, bytes } = said["weights"];
    if (weights === undefined || weights.byteLength !== bytes)
      throw noModel("its weights did not come with it");
    within(() => new Uint8Array(buffer, Number(at), weights.byteLength).set(weights));
  }
  return opened;
}

function factsOf(module: WebAssembly.Module): Record<string, unknown> {
  let text = "";
  for (const bytes of WebAssembly.Module.customSections(module, section))
    for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  try {
    const facts: unknown = JSON.parse(text);
    if (isRecord(facts)) return facts;
  } catch {
    // What is no JSON is no model either.
  }
  throw noModel("it does not say what it takes");
}

function placed(said: unknown, buffer: ArrayBuffer): readonly Placed[] {
  if (!Array.isArray(said)) throw noModel("it does not say what it takes");
  return said.map((value: unknown) => {
    const { name, type, dims, at } = isRecord(value) ? value : {};
    const isSized =
      Array.isArray(dims) && dims.every((size) => Number.isSafeInteger(size) && size >= 0);
    if (typeof name !== "string" || !isNumeric(type) || !isSized)
      throw noModel("it does not say what it takes");
    const memory = within(() => new dtypeArray[type](buffer, Number(at), elementCount(dims)));
    return { name, type, dims, memory };
  });
}

/** A typed array refuses a place outside its buffer, and one between its elements. */
function within<T>(view: () => T): T {
  try {
    return view();
  } catch {
    throw noModel("it says places outside its memory");
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function noModel(why: string): PareError {
  return new PareError("ENGINE", `The module is no compiled model: ${why}.`, {
    hint: "Write the bundle again.",
  });
}

import { PareError } from "../format/error.js";
import { type Dtype, dtypeArray, isNumeric, type TypedArray } from "../format/tensor/dtype.js";
import { elementCount, tagOf, type Tensor } from "../format/tensor/tensor.js";

/** An input or output as the module says it lies, and the memory itself. */
export interface Placed {
  readonly name: string;
  readonly type: Dtype;
  /** null for rows of which only a run knows how many there are: `memory` has room for the most. */
  readonly dims: readonly (number | null)[];
  /** Of text, the integers that stand for it. */
  readonly memory: TypedArray;
  /** Of text, what they stand for. */
  readonly texts: readonly unknown[] | null;
  /** What lies there now, as a tensor of its own. */
  readonly copied: () => Tensor;
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
  // By what it has: whoever watches memories may have put a class of their own in the place of WebAssembly's.
  const { buffer } = recordOf(exports["memory"]);
  const said = factsOf(module);
  if (!isArrayBuffer(buffer)) throw noModel("it exports nothing to run");
  const entryOf = (facts: unknown, at: number): Entry => {
    const run = exports[`run${at || ""}`];
    if (typeof run !== "function") throw noModel("it exports nothing to run");
    const { inputs, outputs } = recordOf(facts);
    return {
      inputs: placed(inputs, buffer),
      outputs: placed(outputs, buffer),
      run: () => run(),
    };
  };
  const more = listOf(said["others"] ?? []);
  const opened = [entryOf(said, 0), ...more.map((facts, at) => entryOf(facts, at + 1))] as const;
  const { at, bytes } = recordOf(said["weights"]);
  if (weights?.byteLength !== bytes) throw noModel("its weights did not come with it");
  if (weights !== undefined)
    within(() => new Uint8Array(buffer, Number(at), weights.byteLength).set(weights));
  // Of weights that are stored as integers it makes floats.
  const { decode } = exports;
  if (typeof decode === "function") decode();
  return opened;
}

/** Also where a test runner's realm has classes of its own. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return tagOf(value) === "ArrayBuffer";
}

function factsOf(module: WebAssembly.Module): Fields {
  let text = "";
  for (const bytes of WebAssembly.Module.customSections(module, section))
    for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  try {
    return recordOf(JSON.parse(text));
  } catch {
    throw noModel("it does not say what it takes");
  }
}

function placed(said: unknown, buffer: ArrayBuffer): readonly Placed[] {
  return listOf(said).map((value) => {
    const { name, type, dims, at, count, most, labels } = recordOf(value);
    const own = listOf(dims);
    const sized = (rows: unknown): number[] => own.map((size) => size ?? rows);
    const whole = sized(most);
    const isSized = whole.every((size) => size >>> 0 === size);
    if (typeof name !== "string" || !isNumeric(type) || !isSized)
      throw noModel("it does not say what it takes");
    const [memory, rows] = within(() => [
      new dtypeArray[type](buffer, Number(at), elementCount(whole)),
      new Uint32Array(buffer, Number(count), 1),
    ]);
    const texts = labels ? listOf(labels) : null;
    const copied = (): Tensor => {
      const dims = sized(Math.min(...rows, Number(most)));
      const data = memory.slice(0, elementCount(dims));
      return texts
        ? {
            type: "string",
            dims,
            data: Array.from<unknown, string>(data, (at) => String(texts[Number(at)])),
          }
        : { type, dims, data };
    };
    return { name, type: texts ? "string" : type, dims: own, memory, texts, copied };
  });
}

/** A typed array refuses a place outside its buffer, and one between its elements. */
function within<const T>(view: () => T): T {
  try {
    return view();
  } catch {
    throw noModel("it says places outside its memory");
  }
}

function listOf(value: unknown) {
  if (Array.isArray(value)) return value;
  throw noModel("it does not say what it takes");
}

type Fields = Readonly<Record<string, unknown>>;

/** What is no object has no fields. */
function recordOf(value: unknown): Fields {
  const fields: Fields = Object(value);
  return fields;
}

function noModel(why: string): PareError {
  return new PareError("ENGINE", `The module is no compiled model: ${why}.`, {
    hint: "Write the bundle again.",
  });
}

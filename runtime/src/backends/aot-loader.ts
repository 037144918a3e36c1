import { hasRelaxedSimd } from "./relaxed-simd.js";

// What a bundle's aot-loader.js is made of: one text (compiler/scripts/write-loader.mjs) behind the constant `model`, which
// the compiler writes. What runs for each frame of audio allocates nothing, not even where it is interpreted: loops go by
// index, since `for … of` makes an object, and no function on the way captures a variable.

/** What of a typed array this uses. */
interface Numbers {
  readonly length: number;
  readonly [at: number]: number | bigint;
  readonly buffer: ArrayBuffer;
  readonly constructor: { readonly name: string };
  set(from: ArrayLike<number | bigint | string>): void;
  slice(from?: number, to?: number): Numbers;
}
type Arrays = Readonly<Record<string, Numbers | undefined>>;
type Feeds = Readonly<Record<string, Numbers | readonly string[] | undefined>>;
type Outputs = Readonly<Record<string, Numbers | readonly string[] | undefined>>;
/**
 * Names of values, each with the array that holds it, its address and its length. Of an output of which only a run knows
 * how many rows it has also the address of their count, and how many numbers a row is; of text what its integers stand for,
 * where −1 is any that is not among them.
 */
type Places = readonly (readonly [
  name: string,
  kind: new (memory: ArrayBuffer, at: number, length: number) => Numbers,
  at: number,
  length: number,
  countAt?: number,
  width?: number,
  labels?: readonly string[],
])[];
/**
 * Its sha256 in hex, where it lies: asked for late, since neither an audio worklet nor workerd knows URLs, and how many bytes
 * it is. Of weights also their address.
 */
type BundledFile = readonly [sha256: string, url: () => URL, bytes: number, at?: number];
/** What one of the module's functions takes and gives. */
interface EntryPlaces {
  readonly inputs: Places;
  readonly outputs: Places;
}
/** Whether it is a model for several sizes: what is written for one size has no code that chooses. */
declare const hasSeveralSizes: boolean;
/** Whether an input or output is text: so too for what is written for numbers alone. */
declare const hasText: boolean;
declare const model: EntryPlaces & {
  /** The same model for other sizes, in the same memory. */
  readonly others?: readonly EntryPlaces[];
  /** By output, the input that it is at the next step. */
  readonly state: Readonly<Record<string, string>>;
  readonly module: BundledFile;
  readonly relaxed?: BundledFile;
  readonly weights?: BundledFile;
};
/** Node's. */
declare const process: {
  getBuiltinModule(name: "fs/promises"): {
    readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  };
};

/** Can be posted: to a worker, and in the `processorOptions` of an audio worklet. */
interface Compiled {
  readonly module: WebAssembly.Module;
  readonly weights?: ArrayBuffer | undefined;
}

function fail(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name: "PareError", code });
}

/** Downloads and compiles the module that suits the device: what comes has the hashes that the compiler wrote down. */
export async function compile(): Promise<Compiled> {
  // Code is asked for first: it is compiled while weights, most of what comes, are on their way.
  const [module, weights] = await Promise.all([
    read(model.relaxed && hasRelaxedSimd() ? model.relaxed : model.module, WebAssembly.compile),
    model.weights && read(model.weights, async (bytes) => bytes),
  ]);
  return { module, weights };
}

/** What is made of a file's bytes, if they are those that the compiler wrote. */
async function read<T>(
  [hex, url, length]: BundledFile,
  make: (bytes: ArrayBuffer) => Promise<T>,
): Promise<T> {
  const place = url();
  const hash = hex.replace(/../g, (byte) => String.fromCharCode(Number(`0x${byte}`)));
  try {
    const coming = bytesAt(place, length, hash);
    // Node's takes a millisecond to be there, in which the file comes.
    const subtle: SubtleCrypto | undefined = crypto.subtle;
    const bytes = await coming;
    const digest = subtle?.digest("SHA-256", bytes);
    // Meanwhile: of other bytes nothing that is made is used.
    const made = make(bytes);
    made.catch(() => {}); // Told by what is returned.
    const own = await digest;
    if (own && String.fromCharCode(...new Uint8Array(own)) !== hash) throw new Error("wrong hash");
    return made;
  } catch (cause) {
    throw fail("NETWORK", `${place.href} cannot be had: ${String(cause)}`, cause);
  }
}

/** Node reads files, since its `fetch` does not; and what a bundler inlined policies refuse to fetch. */
async function bytesAt(place: URL, length: number, hash: string): Promise<ArrayBuffer> {
  if (place.protocol === "file:")
    return new Uint8Array(await process.getBuiltinModule("fs/promises").readFile(place)).buffer;
  if (place.protocol === "data:")
    return Uint8Array.from(atob(place.href.split(",")[1] ?? ""), (each) => each.charCodeAt(0))
      .buffer;
  // `fetch` checks hashes too, but holds back what it has for milliseconds: it does where pages may not, on insecure origins.
  const response = await fetch(place, {
    integrity: crypto.subtle ? "" : `sha256-${btoa(hash)}`,
  });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  // While they come: a response puts them together when the last is there, and all wait for it.
  const reader = response.body.getReader();
  const bytes = new Uint8Array(length);
  for (let at = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return bytes.buffer; // Fewer have another hash, and more do not fit.
    bytes.set(value, at);
    at += value.length;
  }
}

/** The model on memory of its own, at once: of what was compiled there may be any number. */
export function start({ module, weights }: Compiled): object {
  // The compiler wrote module and loader: this is what it exports, with `run1`, `run2`, … for other sizes.
  const exports = new WebAssembly.Instance(module).exports as unknown as {
    readonly memory: WebAssembly.Memory;
    readonly run: () => void;
    /** Of weights that are stored as integers it makes floats. */
    readonly decode?: () => void;
  } & Readonly<Record<`run${number}`, () => void>>;
  const { buffer } = exports.memory;
  if (weights) new Uint8Array(buffer).set(new Uint8Array(weights), model.weights?.[3]);
  exports.decode?.();
  const entryOf = (places: EntryPlaces, at: number): Entry => ({
    inputs: viewsOf(places.inputs, buffer),
    outputs: viewsOf(places.outputs, buffer),
    run: (hasSeveralSizes && exports[`run${at}`]) || exports.run,
  });
  const first = entryOf(model, 0);
  return {
    runSync: hasSeveralSizes
      ? chooserOf([first, ...(model.others ?? []).map((places, at) => entryOf(places, at + 1))])
      : runnerOf(first, []),
    stream(state = model.state) {
      const free = new Map(first.inputs); // each is one output at most
      const carried = Object.entries(state).map(([output, input]) => {
        const from = first.outputs.get(output);
        const to = free.get(input);
        if (
          !from ||
          !to ||
          !free.delete(input) ||
          !fits({ [input]: from.array }, new Map([[input, to]]), true)
        )
          throw fail("ARGUMENT", `"${output}" cannot be "${input}" at the next step.`);
        return { from, to, held: to.array.slice() };
      });
      const reset = () => carried.forEach(zero);
      reset();
      return { runSync: runnerOf(first, carried), reset };
    },
  };
}

/** One of the module's functions, and where its values lie. */
interface Entry {
  readonly inputs: Views;
  readonly outputs: Views;
  readonly run: () => void;
}

type Views = ReadonlyMap<string, View>;

interface View {
  readonly array: Numbers;
  /** How many of its numbers there are. */
  readonly length: () => number;
  readonly labels: readonly string[] | undefined;
}

/** An output that is an input of the next step, and what lies between them. */
interface Carried {
  readonly from: View;
  readonly to: View;
  readonly held: Numbers;
}

function viewsOf(places: Places, memory: ArrayBuffer): Views {
  return new Map(
    places.map(([name, Kind, at, most, countAt = 0, width, labels]) => {
      const count = new Int32Array(memory, countAt, 1);
      const length = () => (width ? width * (count[0] ?? 0) : most);
      return [name, { array: new Kind(memory, at, most), length, labels }];
    }),
  );
}

function zero({ held }: Carried): void {
  new Uint8Array(held.buffer).fill(0);
}

/** In place of an array that is not given. */
const nothing: readonly number[] = [];

type Run = (feeds: Feeds, into?: Arrays) => Outputs;

/** Runs the entry whose inputs are as long as those that are given: arrays have no dims. */
function chooserOf(entries: readonly Entry[]): Run {
  const runs = entries.map((entry) => runnerOf(entry, []));
  return (feeds, into) => {
    let run: Run | undefined;
    for (let at = 0; at < runs.length; at += 1) {
      if (!fits(feeds, entries[at]?.inputs, true)) continue;
      if (run) throw fail("INPUT", "Several sizes fit.");
      run = runs[at];
    }
    if (!run) throw refused(entries.flatMap(({ inputs }) => [...inputs]));
    return run(feeds, into);
  };
}

function runnerOf({ inputs, outputs, run }: Entry, carried: readonly Carried[]): Run {
  const fed = without(
    inputs,
    carried.map(({ to }) => to),
  );
  const given = without(
    outputs,
    carried.map(({ from }) => from),
  );
  return (feeds, into) => {
    if (!fits(feeds, fed, true)) throw refused([...fed]);
    if (!fits(into, given, false)) throw refused([...given]);
    carried.forEach(feedBack);
    for (const name in feeds) {
      const to = fed.get(name);
      const own = feeds[name] ?? nothing;
      to?.array.set(hasText && to.labels ? placesOf(own, to.labels) : own);
    }
    run();
    carried.forEach(hold);
    if (!into) return copies(given);
    for (const name in into) into[name]?.set(given.get(name)?.array ?? nothing);
    return into;
  };
}

function without(views: Views, some: readonly View[]): Views {
  return new Map([...views].filter(([, view]) => !some.includes(view)));
}

function feedBack({ held, to }: Carried): void {
  to.array.set(held);
}

function hold({ from, held }: Carried): void {
  held.set(from.array);
}

/** Of texts, where each is among those that are known. */
function placesOf(texts: ArrayLike<unknown>, labels: readonly string[]): readonly number[] {
  return Array.from(texts, (text) => labels.indexOf(String(text)));
}

function copies(views: Views): Outputs {
  return Object.fromEntries(
    Array.from(views, ([name, { array, length, labels }]) => {
      const own = array.slice(0, length());
      return [name, hasText && labels ? Array.from(own, (at) => labels[Number(at)] ?? "") : own];
    }),
  );
}

/** What is given are arrays as the values are, all of them or some, and nothing else. */
function fits(given: Feeds | undefined, views: Views | undefined, all: boolean): boolean {
  let found = 0;
  for (const name in given) {
    const own = given?.[name];
    if (!own) continue;
    const view = views?.get(name);
    const kind = hasText && all && view?.labels ? Array : view?.array.constructor;
    if (own.constructor !== kind || own.length !== view?.array.length) return false;
    found += 1;
  }
  return !all || found === views?.size;
}

function refused(views: readonly (readonly [string, View])[]): Error {
  const texts = views.map(
    ([name, { array, labels }]) =>
      `"${name}", a ${hasText && labels ? "string[]" : array.constructor.name} of ${array.length}`,
  );
  return fail("INPUT", `It takes ${texts.join(", ")}.`);
}

import type { RawSample } from "./raw-sample.js";

// Runs in the data module's process: what a module yields, checked and made fit to be stored.

/** Something about the module that its author has to change. */
export class ModuleFault extends Error {
  readonly hint: string | null;
  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** What the module itself threw while it gave its samples. */
export class ThrownByModule extends Error {
  constructor(cause: unknown) {
    super("The module threw.", { cause });
  }
}

/** Every sample that a module exports, checked. @throws ModuleFault, ThrownByModule */
export async function* samplesOf(samples: unknown): AsyncGenerator<RawSample, void, undefined> {
  const iterator = await byModule(() => beginSamples(samples));
  for (let index = 0; ; index += 1) {
    const { done, value } = await byModule(() => iterator.next());
    if (done === true) return;
    if (isObject(value) && "steps" in value) yield* stepsOf(value, index);
    else yield wireSample(value, `Sample ${index}`);
  }
}

async function byModule<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ModuleFault ? error : new ThrownByModule(error);
  }
}

type Iteration = Iterator<unknown> | AsyncIterator<unknown>;

/**
 * Begins to read `samples`: an iterable, or a function that returns one.
 * @throws ModuleFault for a one-shot iterator, which could not be read a second time
 */
async function beginSamples(samples: unknown): Promise<Iteration> {
  const made = typeof samples === "function" ? await samples() : samples;
  const iterator = iteratorOf(made);
  const again = typeof samples === "function" ? samples : null;
  const oneShot =
    iterator === made && (again === null || (!isGenerator(again) && (await again()) === made));
  if (oneShot) {
    throw new ModuleFault(
      "`samples` is an iterator that can be read once only, but samples are read more than once.",
      "Export the generator function itself: `export async function* samples() { … }`.",
    );
  }
  return iterator;
}

function iteratorOf(value: unknown): Iteration {
  if (typeof value === "object" && value !== null) {
    const asynchronous: unknown = Reflect.get(value, Symbol.asyncIterator);
    if (typeof asynchronous === "function") return asynchronous.call(value);
    const synchronous: unknown = Reflect.get(value, Symbol.iterator);
    if (typeof synchronous === "function") return synchronous.call(value);
  }
  throw new ModuleFault(
    `\`samples\` is ${kindOf(value)}, not something that can be iterated.`,
    "Export an array of samples, or a generator function that yields them.",
  );
}

function isGenerator(value: object): boolean {
  return /Generator/.test(Object.prototype.toString.call(value));
}

/** The steps of a sequence, of one group: what is known of one of them is not independent of the others. */
function* stepsOf(sequence: Record<string, unknown>, index: number): Generator<RawSample> {
  const name = `Sequence ${index}`;
  const { steps } = sequence;
  if (!Array.isArray(steps) || steps.length === 0)
    throw new ModuleFault(
      `${name} has ${Array.isArray(steps) ? "no steps" : `${kindOf(steps)} as \`steps\``}.`,
      "Yield { steps: [{ feeds, label? }, …] }, from the first to the last.",
    );
  const id = sequence.id === undefined ? String(index) : textOf(sequence.id, `${name}: \`id\``);
  const { group } = sequence;
  const shared = group === undefined ? `sequence ${id}` : textOf(group, `${name}: \`group\``);
  for (const [at, step] of steps.entries())
    yield {
      ...wireSample(step, `${name}, step ${at}`),
      id: `${id}/${at}`,
      group: shared,
      sequence: id,
    };
}

/** One yielded value as a sample that can be stored. @throws ModuleFault saying which sample and what is wrong */
function wireSample(value: unknown, name: string): RawSample {
  if (!isObject(value)) {
    throw new ModuleFault(`${name} is ${kindOf(value)}, not { feeds, label?, id?, group? }.`);
  }
  const { feeds, label, id, group, ...extra } = value;
  if (!isObject(feeds)) {
    throw new ModuleFault(`${name} has no \`feeds\`.`, "Yield { feeds: { inputName: tensor } }.");
  }
  const wired = Object.entries(feeds).map(([input, feed]) => [
    input,
    wireFeed(feed, `${name}, feed "${input}"`),
  ]);
  return {
    feeds: Object.fromEntries(wired),
    ...(label !== undefined && { label }),
    ...(id !== undefined && { id: textOf(id, `${name}: \`id\``) }),
    ...(group !== undefined && { group: textOf(group, `${name}: \`group\``) }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

function wireFeed(feed: unknown, name: string): unknown {
  if (isArray(feed)) return withoutHalfFloats(feed);
  if (!isObject(feed))
    throw new ModuleFault(`${name} is ${kindOf(feed)}, not a tensor or a typed array.`);
  const { type, dims, data } = feed;
  const usable =
    isArray(data) || (Array.isArray(data) && data.every((each) => typeof each === "string"));
  if (typeof type !== "string" || !isList(dims) || !usable) {
    throw new ModuleFault(
      `${name} is not a tensor.`,
      "A tensor is { type, dims, data }, where data is a typed array (or an array of strings).",
    );
  }
  return {
    type,
    dims: Array.from(dims, Number),
    data: isArray(data) ? withoutHalfFloats(data) : data,
  };
}

/** Newer engines have a Float16Array, which older ones cannot read back: its bits they can. */
function withoutHalfFloats(array: ArrayBufferView): ArrayBufferView {
  return Object.prototype.toString.call(array) === "[object Float16Array]"
    ? new Uint16Array(array.buffer, array.byteOffset, array.byteLength / 2)
    : array;
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new ModuleFault(`${name} is ${kindOf(value)}, not text.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isArray(value: unknown): value is ArrayBufferView {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || isArray(value);
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return `an object of ${value.constructor?.name ?? "no class"}`;
  return `a ${typeof value}`;
}

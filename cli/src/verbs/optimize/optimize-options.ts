import type { BindShapesOptions, Lock, Sizes } from "@pare/compiler";
import { PareError, type TargetName } from "@pare/runtime/format";
import { splitDims } from "../../workbench/shape-options.js";
import { checkMeasureOptions } from "../../workbench/workbench.js";

/** What a search may be told. Paths are the file system's, from the current folder where they are relative. */
export interface OptimizeOptions {
  /**
   * Where it has to run: `aot`, `cpu`, `wasm`, `webgpu`. Default: all that can run on this machine; `aot` among them where
   * the model compiles.
   */
  readonly target?: readonly TargetName[];
  /** A folder of images or WAV files, .npz, .npy, .safetensors, .jsonl, or an ES module. Default: none, and no accuracy is measured. */
  readonly data?: string;
  /** For images: `imagenet`, `0..1`, `-1..1`, `yolo`, or a preprocessor_config.json. */
  readonly preprocess?: string;
  /** A built-in metric or the data module's own. Default: the module's, or what fits outputs and labels. */
  readonly metric?: string;
  /** Dims of inputs, by name: `{ images: [1, 3, 640, 640] }`; one that is text stays free under that name. */
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>;
  /**
   * Sizes of free dims, by name: `{ sequence: 128 }`. One of several, `{ width: [160, 320] }`, stays free where engines run
   * the model; for `aot` the module has an entry for each size.
   */
  readonly dims?: Readonly<Record<string, number | readonly number[]>>;
  /** Inputs that never change, by name: `{ sr: 16000 }`. */
  readonly constants?: Readonly<Record<string, number | boolean | readonly number[]>>;
  /** A preset by its name, or a .json or .yaml file. Default `auto`. */
  readonly recipe?: string;
  /** How far the metric may drop, in its own unit. Default 0.01. */
  readonly maxDrop?: number;
  /** What a variant's files may take, in bytes, uncompressed. Default: not limited. */
  readonly maxSizeBytes?: number;
  /** The longest median latency, in milliseconds. Default: not limited. */
  readonly maxLatencyMs?: number;
  /** What counts among those that hold. Default `latency`. */
  readonly prefer?: "latency" | "size";
  /** Of the whole, its bundle written, in milliseconds. Default: two minutes, or what the cheapest sound plan takes. */
  readonly timeBudgetMs?: number;
  /** Whether results are used and kept between runs. Default true. */
  readonly cache?: boolean;
  /** Whether made-up inputs stand in for data: what is held to them agrees with the float model there, and no more is known. */
  readonly synthetic?: boolean;
  /** Whether the golden check's inputs are a sample of the data, which everybody who has the bundle can read. Default: noise. */
  readonly goldenFromData?: boolean;
  /** A pare.lock.json whose decisions are replayed, timing nothing. */
  readonly frozen?: string;
  /** A pare.lock.json of an earlier state of the model: what it says is tried first. */
  readonly like?: string;
  /** Fixes the splits and all that is random. Default 0. */
  readonly seed?: number;
  /** The bundle's folder. Default: `<model>.pare` in the current folder; of a model.onnx, its folder's name. */
  readonly output?: string;
}

/** All that there are. */
export const optionNames: Readonly<Record<keyof OptimizeOptions, true>> = {
  target: true,
  data: true,
  preprocess: true,
  metric: true,
  shapes: true,
  dims: true,
  constants: true,
  recipe: true,
  maxDrop: true,
  maxSizeBytes: true,
  maxLatencyMs: true,
  prefer: true,
  timeBudgetMs: true,
  cache: true,
  synthetic: true,
  goldenFromData: true,
  frozen: true,
  like: true,
  seed: true,
  output: true,
};

export const defaultMaxDrop = 0.01;

/** What is to be done about inputs, as the pass `bind-shapes` takes it. */
export function shapesOf({
  shapes = {},
  dims = {},
  constants = {},
}: OptimizeOptions): BindShapesOptions {
  return { shapes, dims: splitDims(dims).dims, constants };
}

/** By name, the sizes of each dim that has several. */
export function sizesOf({ dims = {} }: OptimizeOptions): Sizes {
  return splitDims(dims).sizes;
}

/** As a lock holds them. */
export function lockedConstants({ constants }: BindShapesOptions): Lock["constants"] {
  return Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

/**
 * With the sizes and constants that a lock was decided for, where the command does not name them; what it says otherwise is then
 * found to differ.
 * @throws PareError LOCK where a constant is none
 */
export function withLocked(options: OptimizeOptions, lock: Lock): OptimizeOptions {
  const constants = Object.entries(lock.constants).map(([name, text]) => [name, constantOf(text)]);
  return {
    ...options,
    shapes: { ...lock.shapes, ...options.shapes },
    dims: { ...lock.dims, ...lock.sizes, ...options.dims },
    constants: { ...Object.fromEntries(constants), ...options.constants },
  };
}

function constantOf(text: string): number | boolean | readonly number[] {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "number" || typeof value === "boolean") return value;
    if (Array.isArray(value) && value.every((one) => typeof one === "number")) return value;
  } catch {
    // said below
  }
  throw new PareError("LOCK", "The lock file holds a constant that is none.", {
    where: "constants",
    hint: "Run without --frozen to write a new one.",
  });
}

/** @throws PareError ARGUMENT for another word */
export function parsePreference(prefer: string): "latency" | "size" {
  if (prefer === "latency" || prefer === "size") return prefer;
  throw new PareError("ARGUMENT", `--prefer is "${prefer}".`, {
    where: "--prefer",
    hint: "Say latency or size.",
  });
}

/** @throws PareError ARGUMENT for what is out of range, or does not go together; before anything is opened */
export function checkOptions(options: OptimizeOptions): void {
  const { maxDrop, maxSizeBytes, maxLatencyMs, timeBudgetMs, seed = 0 } = options;
  if (maxDrop !== undefined && !(maxDrop >= 0 && Number.isFinite(maxDrop)))
    throw outOfRange("maxDrop", maxDrop, "a number of at least 0");
  for (const [name, value] of Object.entries({ maxSizeBytes, maxLatencyMs, timeBudgetMs }))
    if (value !== undefined && !(value > 0 && Number.isFinite(value)))
      throw outOfRange(name, value, "a number above 0");
  for (const [name, given] of Object.entries(options.dims ?? {}))
    for (const size of [given].flat())
      if (!Number.isSafeInteger(size) || size < 0)
        throw outOfRange(`dims.${name}`, size, "a whole number of at least 0");
  parsePreference(options.prefer ?? "latency");
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw outOfRange("seed", seed, "a whole number of at least 0");
  if (maxDrop !== undefined && options.data === undefined && options.frozen === undefined) {
    throw new PareError(
      "ARGUMENT",
      "--max-drop needs --data: without data no drop can be measured.",
      { where: "--max-drop", hint: "Add --data, or leave --max-drop out." },
    );
  }
  const { data, frozen, like, synthetic, goldenFromData } = options;
  if (goldenFromData === true && data === undefined && frozen === undefined)
    throw new PareError("ARGUMENT", "--golden-from-data needs --data.", {
      where: "--golden-from-data",
      hint: "Add --data, or leave it out: then the inputs are noise.",
    });
  if (synthetic === true && data !== undefined)
    throw exclude("--synthetic", "--data", "Leave it out: data tells more than made-up inputs do.");
  if (frozen !== undefined) {
    if (synthetic === true)
      throw exclude(
        "--synthetic",
        "--frozen",
        "Leave it out: the lock says what was decided, and by what.",
      );
    if (goldenFromData === true)
      throw exclude(
        "--golden-from-data",
        "--frozen",
        "Leave it out: the lock brings its own golden check.",
      );
    if (like !== undefined)
      throw exclude(
        "--like",
        "--frozen",
        "--frozen repeats what was decided; --like decides anew, and begins with it.",
      );
  }
  checkMeasureOptions(options);
}

function exclude(one: string, other: string, hint: string): PareError {
  return new PareError("ARGUMENT", `${one} and ${other} exclude each other.`, { where: one, hint });
}

function outOfRange(name: string, value: number, wanted: string): PareError {
  return new PareError("ARGUMENT", `${name} is ${value}, but must be ${wanted}.`, { where: name });
}

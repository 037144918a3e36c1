import {
  type ColdStart,
  findFault,
  type JsonSchema,
  type LatencyComparison,
  type LatencyLimits,
  type Parity,
  type SizeBytes,
  type SplitName,
  type TargetName,
  type TryOut,
} from "@pare/runtime/format";
import type { BegunTiming } from "./latency.js";

/** A result by what it depends on, apart from engines, samples and metric: those are the same for one measure. */
export type ResultName =
  | { readonly kind: "size"; readonly artifact: string }
  | {
      readonly kind: "try-out" | "shared" | "cold-start";
      readonly artifact: string;
      readonly target: TargetName;
    }
  | {
      /** `blocks`: of one that was interrupted. */
      readonly kind: "latency" | "blocks";
      readonly artifacts: readonly string[];
      readonly target: TargetName;
      readonly limits: LatencyLimits;
      readonly seed: number;
    }
  | {
      readonly kind: "parity";
      readonly artifact: string;
      readonly target: TargetName;
      /** Another engine, or an evaluation of the same file by its name. */
      readonly reference: { readonly artifact: string; readonly target: TargetName } | string;
      readonly split: SplitName;
      readonly count: number;
    }
  | {
      readonly kind: "predictions";
      readonly artifact: string;
      readonly target: TargetName;
      readonly split: SplitName;
      /** The float model whose outputs were read beside its own; null where none were. */
      readonly against: { readonly artifact: string; readonly target: TargetName } | null;
    };

/** What was measured in earlier runs, by whoever keeps it; it may hold anything, and is checked when it is read. */
export interface EarlierResults {
  /** A JSON value; undefined where there is none. */
  get(name: ResultName): Promise<unknown>;
  /** @param value JSON */
  put(name: ResultName, value: unknown): Promise<void>;
}

export const noEarlierResults: EarlierResults = {
  async get() {
    return undefined;
  },
  async put() {},
};

/** Predictions on the samples of a split, by index, and how long one took. */
export interface KeptPredictions {
  readonly sampleMs: number;
  readonly kept: readonly (readonly [index: number, kept: unknown])[];
}

const count: JsonSchema = { type: "number", minimum: 0 };
const counts: JsonSchema = { type: "array", items: count };
const ratio: JsonSchema = {
  type: "object",
  properties: { ratio: count, interval: { type: "array", items: count, minItems: 2, maxItems: 2 } },
  required: ["ratio", "interval"],
};
const latency: JsonSchema = {
  type: "object",
  properties: { p50: count, n: count, method: { type: "string" } },
  required: ["p50", "n", "method"],
};

const schemas = {
  size: object({ raw: count, gzip: count, brotli: count }),
  "try-out": object({ loadMs: count, runMs: count }),
  shared: object({ speed: count }),
  "cold-start": object({ startupMs: count, memoryBytes: { type: ["number", "null"], minimum: 0 } }),
  latency: object({
    latencies: { type: "array", items: latency },
    between: { type: "array", items: { type: "array", items: ratio } },
  }),
  blocks: object({
    plan: object({ batch: counts, units: counts, unseen: { type: "array" } }),
    blocks: { type: "array", items: { type: "array", items: counts } },
    spentMs: count,
  }),
  parity: object({ n: count, maxError: count, flips: count }),
  predictions: object({ sampleMs: count, kept: { type: "array", items: { type: "array" } } }),
} satisfies Readonly<Record<ResultName["kind"], JsonSchema>>;

export interface ResultOf {
  readonly size: SizeBytes;
  readonly "try-out": TryOut;
  /** How many times as quick samples are on several engines. */
  readonly shared: { readonly speed: number };
  readonly "cold-start": ColdStart;
  readonly latency: LatencyComparison;
  readonly blocks: BegunTiming;
  readonly parity: Parity;
  readonly predictions: KeptPredictions;
}

/** An earlier result of the shape that it should have. */
export async function earlier<Name extends ResultName>(
  results: EarlierResults,
  name: Name,
): Promise<ResultOf[Name["kind"]] | undefined> {
  const found = await results.get(name);
  return isResult(name, found) ? found : undefined;
}

function isResult<Name extends ResultName>(
  { kind }: Name,
  value: unknown,
): value is ResultOf[Name["kind"]] {
  return value !== undefined && findFault(value, schemas[kind]) === null;
}

function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: "object", properties, required: Object.keys(properties) };
}

/** Whether JSON gives it back as it is: numbers that are not finite, big integers and tensors it does not. */
export function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      if (value === null) return true;
      if (Array.isArray(value)) return value.every((item: unknown) => isJson(item));
      return (
        Object.getPrototypeOf(value) === Object.prototype &&
        Object.values(value).every((item: unknown) => item === undefined || isJson(item))
      );
    default:
      return false;
  }
}

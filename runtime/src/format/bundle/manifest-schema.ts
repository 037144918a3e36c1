import { artifactFormats } from "../engine/artifact.js";
import { targetNames } from "../engine/backend.js";
import { deviceFeatures } from "../engine/requirements.js";
import { sessionSchema } from "../engine/session-options.js";
import { dtypeBits } from "../tensor/dtype.js";
import type { JsonSchema } from "../json-schema.js";
import { arithmeticOf, goldenMaxBytes } from "./manifest.js";

const text: JsonSchema = { type: "string" };
const number: JsonSchema = { type: "number" };
const count: JsonSchema = { type: "integer", minimum: 0 };
const sha256: JsonSchema = { type: "string", pattern: "^[0-9a-f]{64}$" };
const interval: JsonSchema = { type: "array", items: number, minItems: 2, maxItems: 2 };

function ref(name: string): JsonSchema {
  return { $ref: `#/$defs/${name}` };
}

function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

function object(
  properties: Record<string, JsonSchema>,
  optional: readonly string[] = [],
): JsonSchema {
  return {
    type: "object",
    properties,
    required: Object.keys(properties).filter((key) => !optional.includes(key)),
  };
}

function list(items: JsonSchema, minItems = 0): JsonSchema {
  return minItems === 0 ? { type: "array", items } : { type: "array", items, minItems };
}

const latency: Record<string, JsonSchema> = {
  p50: number,
  p90: orNull(number),
  p99: orNull(number),
  n: count,
  method: text,
  ratio: orNull(number),
  ratioInterval: orNull(interval),
};

/** What was measured, by name, for the `$defs` of a schema. */
export const measurementSchemas: Readonly<Record<string, JsonSchema>> = {
  target: { enum: targetNames },
  accuracy: object({
    metric: text,
    direction: { enum: ["higher", "lower"] },
    value: number,
    interval,
    n: count,
    drop: orNull(number),
    dropInterval: orNull(interval),
    flips: orNull(object({ count, n: count, interval, samples: list(text) })),
    measuredOn: ref("target"),
  }),
  latency: object(latency),
  unmeasured: object({ unmeasured: text }),
};

/** How far an output may be from the golden check's: of all outputs, and wider or closer ones by name. */
export const toleranceSchema: JsonSchema = object(
  {
    absolute: { type: "number", minimum: 0 },
    relative: { type: "number", minimum: 0 },
    outputs: { type: "object", additionalProperties: { type: "number", minimum: 0 } },
  },
  ["outputs"],
);

/** The schema of `manifest.json`, published as `@pare/runtime/manifest.schema.json`. */
export const manifestSchema: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Manifest of a Pare bundle",
  ...object(
    {
      formatVersion: { type: "integer", minimum: 1 },
      name: text,
      identity: sha256,
      createdBy: text,
      inputs: list(ref("value")),
      outputs: list(ref("value"), 1),
      state: { type: "object", additionalProperties: text },
      variants: list(ref("variant"), 1),
      golden: ref("golden"),
      source: object({ bytes: count, sha256, parameters: count, macs: orNull(count) }),
      baselines: list(
        object({
          target: ref("target"),
          accuracy: orNull(ref("accuracy")),
          latencyMs: { anyOf: [ref("latency"), ref("unmeasured")] },
        }),
      ),
    },
    ["state"],
  ),
  $defs: {
    dtype: { enum: Object.keys(dtypeBits) },
    value: object({
      name: text,
      type: ref("dtype"),
      dims: list({ type: ["integer", "string", "null"], minimum: 0 }),
    }),
    file: object({
      path: { type: "string", pattern: "^variants/[0-9a-f]{64}\\.[a-z0-9]+$" },
      bytes: count,
      sha256,
    }),
    golden: object({
      path: { type: "string", pattern: "^golden(-[0-9a-f]{64})?\\.json$" },
      bytes: { type: "integer", minimum: 0, maximum: goldenMaxBytes },
      sha256,
    }),
    variant: object({
      id: { type: "string", pattern: "^[\\w.-]+$" },
      target: ref("target"),
      precision: { enum: Object.keys(arithmeticOf) },
      evidence: { enum: ["labelled", "unlabelled", "synthetic", "none"] },
      format: { enum: artifactFormats },
      files: list(ref("file"), 1),
      requires: object({ features: list({ enum: deviceFeatures }), memoryBytes: count }, [
        "memoryBytes",
      ]),
      session: sessionSchema,
      accuracy: orNull(ref("accuracy")),
      latencyMs: { anyOf: [object({ ...latency, measuredOn: text }), ref("unmeasured")] },
      tolerance: toleranceSchema,
    }),
    ...measurementSchemas,
  },
};

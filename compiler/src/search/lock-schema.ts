import {
  arithmeticOf,
  deviceFeatures,
  type JsonSchema,
  measurementSchemas,
  targetNames,
  toleranceSchema,
} from "@pare/runtime/format";

const text: JsonSchema = { type: "string" };
const number: JsonSchema = { type: "number" };
const numberOrNull: JsonSchema = { type: ["number", "null"] };
const record = (of: JsonSchema): JsonSchema => ({ type: "object", additionalProperties: of });
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const object = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});

const withOptional = (
  optional: Readonly<Record<string, JsonSchema>>,
  required: Readonly<Record<string, JsonSchema>>,
): JsonSchema => ({ ...object(required), properties: { ...required, ...optional } });

const accuracy: JsonSchema = { anyOf: [{ $ref: "#/$defs/accuracy" }, { type: "null" }] };
const latency: JsonSchema = {
  anyOf: [{ $ref: "#/$defs/latency" }, { $ref: "#/$defs/unmeasured" }],
};

const step: JsonSchema = {
  type: "object",
  properties: { use: text, with: { type: "object" } },
  required: ["use"],
};

const sizes = record(list({ type: "integer", minimum: 1 }));
const evidence: JsonSchema = { enum: ["labelled", "unlabelled", "synthetic", "none"] };

/** The schema of `pare.lock.json`, version 2. Every name is held against what is known before it is used. */
export const lockSchema: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "What Pare decided, and what it takes to decide it again",
  ...withOptional(
    { dims: record({ type: "integer", minimum: 0 }), sizes, evidence, measuredOn: text },
    {
      lockVersion: { type: "integer", minimum: 1 },
      compiler: text,
      model: object({ sha256: text }),
      recipe: object({ name: text, sha256: text }),
      seed: { type: "integer" },
      prefer: { enum: ["latency", "size"] },
      shapes: record(list({ type: ["integer", "string"] })),
      constants: record(text),
      splits: record(text),
      statistics: record(list(number)),
      golden: {
        anyOf: [
          object({ golden: { type: "object" }, tolerances: record(toleranceSchema) }),
          { type: "null" },
        ],
      },
      targets: {
        type: "array",
        minItems: 1,
        items: withOptional(
          { baselineMemoryBytes: numberOrNull, baselineStartupMs: numberOrNull },
          {
            target: { enum: targetNames },
            engine: text,
            candidate: { type: "string", pattern: "^[\\w.-]+$" },
            precision: { enum: Object.keys(arithmeticOf) },
            groups: list(object({ steps: list(step), required: { type: "boolean" } })),
            session: { type: "object" },
            features: list({ enum: deviceFeatures }),
            files: {
              type: "array",
              minItems: 1,
              items: object({ name: text, sha256: { type: "string", pattern: "^[0-9a-f]{64}$" } }),
            },
            maxDrop: number,
            sizeBytes: object({ raw: number, gzip: number, brotli: number }),
            accuracy,
            baselineAccuracy: accuracy,
            latencyMs: latency,
            baselineLatencyMs: latency,
            memoryBytes: numberOrNull,
            startupMs: numberOrNull,
          },
        ),
      },
    },
  ),
  $defs: measurementSchemas,
};

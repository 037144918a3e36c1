/** The part of JSON Schema (2020-12) that Pare's own files are described with, and validated by. */
export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[];
  readonly enum?: readonly (string | number | null)[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /**
   * Of keys that `properties` does not name; false where there must be none. Without it they may hold anything, so that
   * newer files stay readable.
   */
  readonly additionalProperties?: JsonSchema | false;
  readonly anyOf?: readonly JsonSchema[];
  /** What it must not fit. */
  readonly not?: JsonSchema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  /** For a reader: what it is where it is not given. */
  readonly default?: unknown;
  /** For a reader: it is still taken, and has another name or form now. */
  readonly deprecated?: boolean;
  readonly title?: string;
  readonly $id?: string;
  readonly $schema?: string;
}

type JsonType = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";

export interface SchemaFault {
  /** `variants[2].files[0].sha256`; empty for the whole. */
  readonly path: string;
  /** What is wrong, to be read after the path: `must be an integer`. */
  readonly problem: string;
}

/** The first place where a value does not fit a schema; null where it fits. */
export function findFault(
  value: unknown,
  schema: JsonSchema,
  root: JsonSchema = schema,
  path = "",
): SchemaFault | null {
  if (schema.$ref !== undefined) {
    const definition = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
    return definition === undefined ? null : findFault(value, definition, root, path);
  }
  if (schema.anyOf !== undefined) {
    const faults = schema.anyOf.map((option) => findFault(value, option, root, path));
    // The first alternative is the usual one: what it misses is the most helpful to read.
    return faults.includes(null) ? null : (faults[0] ?? null);
  }
  if (schema.not !== undefined && findFault(value, schema.not, root, path) === null)
    return { path, problem: "holds what does not go together" };
  return ownFault(value, schema, path) ?? partFault(value, schema, root, path);
}

function ownFault(value: unknown, schema: JsonSchema, path: string): SchemaFault | null {
  const fault = (problem: string): SchemaFault => ({ path, problem });
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
    return fault(
      value === undefined ? "is missing" : `must be ${types.map(withArticle).join(" or ")}`,
    );
  }
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    return fault(value === undefined ? "is missing" : `must be one of ${schema.enum.join(", ")}`);
  }
  if (
    typeof value === "string" &&
    schema.pattern !== undefined &&
    !new RegExp(schema.pattern).test(value)
  ) {
    return fault(`must match ${schema.pattern}`);
  }
  if (typeof value === "number" && schema.minimum !== undefined && value < schema.minimum) {
    return fault(`must be at least ${schema.minimum}`);
  }
  if (typeof value === "number" && schema.maximum !== undefined && value > schema.maximum) {
    return fault(`must be at most ${schema.maximum}`);
  }
  if (Array.isArray(value) && value.length < (schema.minItems ?? 0)) {
    return fault(`must have at least ${schema.minItems} items`);
  }
  if (Array.isArray(value) && value.length > (schema.maxItems ?? Infinity)) {
    return fault(`must have at most ${schema.maxItems} items`);
  }
  return null;
}

function partFault(
  value: unknown,
  schema: JsonSchema,
  root: JsonSchema,
  path: string,
): SchemaFault | null {
  if (Array.isArray(value)) {
    if (schema.items === undefined) return null;
    for (const [index, item] of value.entries()) {
      const fault = findFault(item, schema.items, root, `${path}[${index}]`);
      if (fault !== null) return fault;
    }
    return null;
  }
  if (!isRecord(value)) return null;
  const at = (key: string): string => (path === "" ? key : `${path}.${key}`);
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) return { path: at(key), problem: "is missing" };
  }
  for (const key of Object.keys(value)) {
    const part =
      (schema.properties && Object.hasOwn(schema.properties, key)
        ? schema.properties[key]
        : undefined) ?? schema.additionalProperties;
    if (part === false) return { path: at(key), problem: "is not a field that there is" };
    const fault = part === undefined ? null : findFault(value[key], part, root, at(key));
    if (fault !== null) return fault;
  }
  return null;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: JsonType): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    case "string":
    case "boolean":
      return typeof value === type;
    default:
      return type satisfies never;
  }
}

function withArticle(type: JsonType): string {
  return type === "null" ? type : /^[aio]/.test(type) ? `an ${type}` : `a ${type}`;
}

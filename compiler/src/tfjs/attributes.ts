import { type Dtype, isRecord, PareError } from "@pare/runtime/format";
import type { TensorflowNode } from "./graph-model.js";

/** Types by their names and numbers in types.proto, as TensorFlow.js has them: it computes in these alone. */
const dtypes: Readonly<Record<string, Dtype>> = {
  DT_FLOAT: "float32",
  DT_DOUBLE: "float32",
  DT_HALF: "float32",
  DT_BFLOAT16: "float32",
  DT_INT8: "int32",
  DT_INT16: "int32",
  DT_INT32: "int32",
  DT_INT64: "int32",
  DT_UINT8: "int32",
  DT_UINT16: "int32",
  DT_BOOL: "bool",
  DT_STRING: "string",
  1: "float32",
  2: "float32",
  3: "int32",
  4: "int32",
  5: "int32",
  6: "int32",
  7: "string",
  9: "int32",
  10: "bool",
  14: "float32",
  17: "int32",
  19: "float32",
};

/**
 * What a node says besides its inputs: `AttrValue` of attr_value.proto in protobuf's JSON, where numbers of 64 bits are
 * texts, and texts are base64 or lists of bytes. What is not there is undefined, or what is given for it.
 */
export class NodeAttributes {
  readonly #node: TensorflowNode;

  constructor(node: TensorflowNode) {
    this.#node = node;
  }

  number(name: string, otherwise: number): number {
    return this.#of(name, (value) => numberOf(value["i"] ?? value["f"])) ?? otherwise;
  }

  flag(name: string): boolean {
    return this.#of(name, ({ b }) => (typeof b === "boolean" ? b : undefined)) ?? false;
  }

  text(name: string): string | undefined {
    return this.#of(name, ({ s }) => textOf(s));
  }

  dtype(name: string): Dtype | undefined {
    return this.#of(name, ({ type }) => {
      const key = typeof type === "number" ? String(type) : type;
      return typeof key === "string" && Object.hasOwn(dtypes, key) ? dtypes[key] : undefined;
    });
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#list(name, ["i", "f"], numberOf);
  }

  texts(name: string): readonly string[] | undefined {
    return this.#list(name, ["s"], textOf);
  }

  /** Sizes, -1 for those that are free; undefined where not even their number is known. */
  shape(name: string): readonly number[] | undefined {
    const value = this.#node.attributes[name];
    const { shape } = isRecord(value) ? value : {};
    if (!isRecord(shape) || shape["unknownRank"] === true) return undefined;
    const { dim = [] } = shape;
    if (!Array.isArray(dim)) throw this.#wrong(name);
    return dim.map((one: unknown) => {
      const size = isRecord(one) ? numberOf(one["size"] ?? 0) : undefined;
      if (size === undefined || !Number.isSafeInteger(size) || size < -1) throw this.#wrong(name);
      return size;
    });
  }

  #list<T>(
    name: string,
    kinds: readonly string[],
    read: (value: unknown) => T | undefined,
  ): readonly T[] | undefined {
    return this.#of(name, ({ list }) => {
      if (!isRecord(list)) return undefined;
      const found = kinds.map((kind) => list[kind]).find(Array.isArray) ?? [];
      return found.map((one: unknown) => read(one) ?? this.#fail(name));
    });
  }

  #of<T>(name: string, read: (value: Readonly<Record<string, unknown>>) => T | undefined) {
    const { attributes } = this.#node;
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (value === undefined) return undefined;
    return (isRecord(value) ? read(value) : undefined) ?? this.#fail(name);
  }

  #fail(name: string): never {
    throw this.#wrong(name);
  }

  #wrong(attribute: string): PareError {
    const { name, op } = this.#node;
    return new PareError(
      "MODEL_INVALID",
      `The attribute ${attribute} of ${op} ${JSON.stringify(name)} is of another kind.`,
      { where: name },
    );
  }
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value) && value.every((code) => Number.isInteger(code)))
    return new TextDecoder().decode(Uint8Array.from(value));
  if (typeof value !== "string") return undefined;
  try {
    const bytes = atob(value);
    return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

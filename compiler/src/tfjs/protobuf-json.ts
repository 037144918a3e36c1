import { type Dtype, isRecord } from "@pare/runtime/format";

// Of protobuf's JSON: numbers of 64 bits may be texts, texts are base64 or lists of bytes. Undefined is what is none.

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

export function dtypeOf(value: unknown): Dtype | undefined {
  const key = typeof value === "number" ? String(value) : value;
  return typeof key === "string" && Object.hasOwn(dtypes, key) ? dtypes[key] : undefined;
}

export function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export function textOf(value: unknown): string | undefined {
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

/**
 * Sizes of `TensorShapeProto`, -1 for those that are free; undefined where not even their number is known.
 * @param fail throws that it is no shape
 */
export function sizesOf(shape: unknown, fail: () => never): readonly number[] | undefined {
  if (!isRecord(shape) || shape["unknownRank"] === true) return undefined;
  const { dim = [] } = shape;
  if (!Array.isArray(dim)) return fail();
  return dim.map((one: unknown) => {
    const size = isRecord(one) ? numberOf(one["size"] ?? 0) : undefined;
    return size !== undefined && Number.isSafeInteger(size) && size >= -1 ? size : fail();
  });
}

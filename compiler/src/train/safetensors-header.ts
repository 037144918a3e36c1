import { type Dtype, dtypeBytes, elementCount, isRecord, PareError } from "@pare/runtime/format";

// The format: the header's length as a little-endian u64, the header as JSON, and the arrays' bytes.
// https://github.com/huggingface/safetensors#format

/** An array in a file. */
export interface SafetensorsArray {
  readonly type: Exclude<Dtype, "string">;
  readonly dims: readonly number[];
  /** Of its first byte, from where the file begins. */
  readonly at: number;
  readonly bytes: number;
}

export interface SafetensorsHeader {
  readonly arrays: ReadonlyMap<string, SafetensorsArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Of the number that says how long the header is. */
export const safetensorsLengthBytes = 8;
const longestHeader = 100_000_000;
const dtypes: Readonly<Record<string, Exclude<Dtype, "string">>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
  F8_E4M3: "float8e4m3fn",
  F8_E5M2: "float8e5m2",
};

/**
 * How many bytes of header come after the first eight.
 * @param first the file's first eight bytes, or what it has of them
 * @param fileBytes the size of the whole file
 * @throws PareError DATA_INVALID
 */
export function safetensorsHeaderLength(
  first: Uint8Array,
  fileBytes: number,
  where: string,
): number {
  if (first.byteLength < safetensorsLengthBytes)
    throw invalidSafetensors("is too short for a header", where);
  const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  if (length > longestHeader || safetensorsLengthBytes + length > fileBytes)
    throw invalidSafetensors(`says that its header has ${length} bytes`, where);
  return length;
}

/**
 * Which arrays there are and where: every one lies inside the file.
 * @param header the bytes after the first eight, as many as `safetensorsHeaderLength` says
 * @throws PareError DATA_INVALID
 */
export function parseSafetensorsHeader(
  header: Uint8Array,
  fileBytes: number,
  where: string,
): SafetensorsHeader {
  const start = safetensorsLengthBytes + header.byteLength;
  const arrays = new Map<string, SafetensorsArray>();
  let metadata: SafetensorsHeader["metadata"] = {};
  for (const [name, entry] of Object.entries(jsonIn(header, where))) {
    if (!isRecord(entry)) throw invalidSafetensors(`has a damaged entry for "${name}"`, where);
    if (name === "__metadata__") metadata = textsOf(entry);
    else arrays.set(name, arrayOf(name, entry, start, fileBytes, where));
  }
  return { arrays, metadata };
}

export function invalidSafetensors(what: string, where: string): PareError {
  return new PareError("DATA_INVALID", `The file ${what}.`, {
    where,
    hint: "Write it again, whole, as safetensors does.",
  });
}

function jsonIn(bytes: Uint8Array, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isRecord(value) && !Array.isArray(value)) return value;
  } catch {
    // What is not JSON is no header either.
  }
  throw invalidSafetensors("has a header that is not a JSON object", where);
}

function textsOf(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(entry).flatMap(([key, text]) => (typeof text === "string" ? [[key, text]] : [])),
  );
}

function arrayOf(
  name: string,
  { dtype, shape, data_offsets: offsets }: Readonly<Record<string, unknown>>,
  start: number,
  fileBytes: number,
  where: string,
): SafetensorsArray {
  const type =
    typeof dtype === "string" && Object.hasOwn(dtypes, dtype) ? dtypes[dtype] : undefined;
  if (type === undefined)
    throw invalidSafetensors(`has "${name}" of the unknown type ${String(dtype)}`, where);
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
    throw invalidSafetensors(`has a damaged entry for "${name}"`, where);
  const [begin = 0, end = 0] = offsets;
  const count = elementCount(shape);
  const fits = Number.isSafeInteger(count) && end - begin === dtypeBytes(type, count);
  if (!fits || start + end > fileBytes)
    throw invalidSafetensors(
      `says that "${name}", ${type} [${shape.join(", ")}], lies at ${begin} to ${end} of ${fileBytes - start} bytes`,
      where,
    );
  return { type, dims: shape, at: start + begin, bytes: end - begin };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
}

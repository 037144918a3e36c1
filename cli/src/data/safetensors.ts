import {
  arrayOver,
  type Dtype,
  dtypeBytes,
  elementCount,
  PareError,
  type ValueInfo,
} from "@pare/runtime/format";
import { type FileSource, openFileSource } from "../platform/file-source.js";
import { type NamedArray, samplesOfArrays } from "./named-arrays.js";
import type { RawSamples } from "./raw-sample.js";

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
const longestHeader = 100_000_000;

/** Arrays of a `.safetensors`, named as the inputs; rows are read from disk one by one. */
export async function readSafetensors(
  path: string,
  inputs: readonly ValueInfo[],
): Promise<RawSamples> {
  const file = openFileSource(path, "DATA_NOT_FOUND");
  try {
    const { count, samples } = samplesOfArrays(await arraysIn(file), inputs, path);
    return { count, samples: closing(samples, file) };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function* closing<T>(items: AsyncIterable<T>, file: FileSource): AsyncGenerator<T> {
  try {
    yield* items;
  } finally {
    file.close();
  }
}

/** @throws PareError DATA_INVALID where the header is not what the format says */
export async function arraysIn(file: FileSource): Promise<ReadonlyMap<string, NamedArray>> {
  if (file.size < 8) throw invalid(file, "is too short for a header");
  const prefix = await file.read(0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > longestHeader || 8 + length > file.size)
    throw invalid(file, `has a header of ${length} bytes`);
  const start = 8 + length;
  const arrays = new Map<string, NamedArray>();
  for (const [name, entry] of Object.entries(parseHeader(await file.read(8, length), file))) {
    if (name !== "__metadata__") arrays.set(name, arrayAt(file, start, name, entry));
  }
  return arrays;
}

function parseHeader(bytes: Uint8Array, file: FileSource): object {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
  } catch {
    // not JSON: said below
  }
  throw invalid(file, "has a header that is not a JSON object");
}

function arrayAt(file: FileSource, start: number, name: string, entry: unknown): NamedArray {
  const { dtype, shape, data_offsets: offsets } = Object(entry);
  const type =
    typeof dtype === "string" && Object.hasOwn(dtypes, dtype) ? dtypes[dtype] : undefined;
  if (type === undefined) throw invalid(file, `has "${name}" of the unknown type ${String(dtype)}`);
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
    throw invalid(file, `has a damaged entry for "${name}"`);
  const [begin = 0, end = 0] = offsets;
  const count = elementCount(shape);
  if (
    !Number.isSafeInteger(count) ||
    end - begin !== dtypeBytes(type, count) ||
    start + end > file.size
  ) {
    throw invalid(
      file,
      `says that "${name}", ${type} [${shape.join(", ")}], lies at ${begin} to ${end} of ${file.size - start} bytes`,
    );
  }
  const rowBytes = dtypeBytes(type, elementCount(shape.slice(1)));
  return {
    type,
    dims: shape,
    row: async (index) =>
      arrayOver(type, await file.read(start + begin + index * rowBytes, rowBytes)),
  };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

function invalid(file: FileSource, what: string): PareError {
  return new PareError("DATA_INVALID", `${file.path} ${what}.`, {
    where: file.path,
    hint: "Write it again with safetensors.",
  });
}

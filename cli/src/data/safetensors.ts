import {
  safetensorsHeaderLength,
  safetensorsLengthBytes,
  parseSafetensorsHeader,
  type SafetensorsArray,
} from "@pare/compiler";
import { arrayOver, dtypeBytes, elementCount, type ValueInfo } from "@pare/runtime/format";
import { type FileSource, openFileSource } from "../platform/file-source.js";
import { type NamedArray, samplesOfArrays } from "./named-arrays.js";
import type { RawSamples } from "./raw-sample.js";

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
async function arraysIn(file: FileSource): Promise<ReadonlyMap<string, NamedArray>> {
  const { size, path } = file;
  const length = safetensorsHeaderLength(
    await file.read(0, Math.min(safetensorsLengthBytes, size)),
    size,
    path,
  );
  const { arrays } = parseSafetensorsHeader(
    await file.read(safetensorsLengthBytes, length),
    size,
    path,
  );
  return new Map([...arrays].map(([name, stored]) => [name, rowsOf(file, stored)]));
}

function rowsOf(file: FileSource, { type, dims, at }: SafetensorsArray): NamedArray {
  const rowBytes = dtypeBytes(type, elementCount(dims.slice(1)));
  return {
    type,
    dims,
    row: async (index) => arrayOver(type, await file.read(at + index * rowBytes, rowBytes)),
  };
}

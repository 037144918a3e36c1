import {
  arrayOver,
  type ByteSource,
  elementCount,
  halvesToFloats,
  PareError,
} from "@pare/runtime/format";
import { residentLimit, Tensor, type TensorData } from "../ir/index.js";
import type { Stored, Weight, WeightGroup } from "./weight-manifest.js";

/**
 * Every weight by its name; large ones are read from their shards when they are needed. Weights that were stored in fewer
 * bits are what TensorFlow.js makes of them (tfjs-core/src/io/io_utils.ts, decodeWeights): floats again.
 * @throws PareError EXTERNAL_DATA for shards that are missing or too short, MODEL_NAME
 */
export async function readWeights(
  groups: readonly WeightGroup[],
  beside: ReadonlyMap<string, ByteSource>,
): Promise<ReadonlyMap<string, Tensor>> {
  const found = new Map<string, Tensor>();
  for (const { paths, weights } of groups) {
    const shards = shardsOf(paths, beside);
    let at = 0;
    for (const weight of weights) {
      const { name } = weight;
      if (found.has(name))
        throw new PareError("MODEL_NAME", `Two weights are called ${JSON.stringify(name)}.`, {
          where: name,
        });
      const { tensor, end } =
        weight.dtype === "string"
          ? await textsAt(weight, shards, at)
          : await numbersAt(weight, weight.dtype, shards, at);
      found.set(name, tensor);
      at = end;
    }
  }
  return found;
}

/** Shards as one range of bytes. */
interface Shards {
  readonly size: number;
  read(from: number, to: number, name: string): Promise<Uint8Array>;
}

function shardsOf(paths: readonly string[], beside: ReadonlyMap<string, ByteSource>): Shards {
  const sources = paths.map((path) => {
    const source = beside.get(path);
    if (source !== undefined) return source;
    throw new PareError("EXTERNAL_DATA", `There is no ${JSON.stringify(path)} beside the model.`, {
      where: path,
      hint: "The weights of a TensorFlow.js model are files beside its model.json: download them too.",
    });
  });
  const size = sources.reduce((sum, source) => sum + source.size, 0);
  return {
    size,
    async read(from, to, name) {
      if (to > size) throw tooShort(name, to, size);
      const parts: Uint8Array[] = [];
      let start = 0;
      for (const source of sources) {
        const [first, last] = [Math.max(from, start), Math.min(to, start + source.size)];
        if (first < last) parts.push(await source.read(first - start, last - first));
        start += source.size;
      }
      const [only] = parts;
      if (parts.length === 1 && only !== undefined) return only;
      const whole = new Uint8Array(to - from);
      let filled = 0;
      for (const part of parts) {
        whole.set(part, filled);
        filled += part.length;
      }
      return whole;
    },
  };
}

async function numbersAt(
  { name, dims, stored }: Weight,
  dtype: "float32" | "int32" | "bool",
  shards: Shards,
  at: number,
): Promise<{ tensor: Tensor; end: number }> {
  const count = elementCount(dims);
  const end = at + count * bytesPerElement(stored, dtype);
  if (end > shards.size) throw tooShort(name, end, shards.size);
  const load = async (): Promise<TensorData> =>
    decoded(await shards.read(at, end, name), stored, dtype);
  const tensor =
    4 * count > residentLimit
      ? Tensor.lazy(dtype, dims, load)
      : Tensor.of(dtype, dims, await load());
  return { tensor, end };
}

function bytesPerElement({ as }: Stored, dtype: "float32" | "int32" | "bool"): number {
  switch (as) {
    case "itself":
      return dtype === "bool" ? 1 : 4;
    case "uint8":
      return 1;
    case "uint16":
    case "float16":
      return 2;
    default:
      return as satisfies never;
  }
}

function decoded(
  bytes: Uint8Array,
  stored: Stored,
  dtype: "float32" | "int32" | "bool",
): TensorData {
  switch (stored.as) {
    case "itself":
      return arrayOver(dtype, bytes);
    case "float16":
      return halvesToFloats(new Uint16Array(bytes.slice().buffer));
    case "uint8":
    case "uint16": {
      const { as, scale, min } = stored;
      const levels = as === "uint8" ? bytes : new Uint16Array(bytes.slice().buffer);
      return dtype === "int32"
        ? Int32Array.from(levels, (level) => Math.round(level * scale + min))
        : Float32Array.from(levels, (level) => level * scale + min);
    }
    default:
      return stored satisfies never;
  }
}

/** Each text is preceded by its length in four bytes. */
async function textsAt(
  { name, dims }: Weight,
  shards: Shards,
  at: number,
): Promise<{ tensor: Tensor; end: number }> {
  const count = elementCount(dims);
  if (at + 4 * count > shards.size) throw tooShort(name, at + 4 * count, shards.size);
  const rest = await shards.read(at, shards.size, name);
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
  const decoder = new TextDecoder();
  const texts: string[] = [];
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    if (offset + 4 > rest.length) throw tooShort(name, at + offset + 4, shards.size);
    const begin = offset + 4;
    offset = begin + view.getUint32(offset, true);
    if (offset > rest.length) throw tooShort(name, at + offset, shards.size);
    texts.push(decoder.decode(rest.subarray(begin, offset)));
  }
  return { tensor: Tensor.of("string", dims, texts), end: at + offset };
}

function tooShort(name: string, needed: number, size: number): PareError {
  return new PareError(
    "EXTERNAL_DATA",
    `The weight ${JSON.stringify(name)} ends at byte ${needed} of its shards, which have ${size}.`,
    { where: name, hint: "A shard is missing or was not downloaded to its end." },
  );
}

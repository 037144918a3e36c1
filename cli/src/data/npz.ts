import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { messageOf, PareError, type ValueInfo } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { arrayInMemory, type NamedArray, samplesOfArrays } from "./named-arrays.js";
import { parseNpy } from "./npy.js";
import type { RawSamples } from "./raw-sample.js";

/** Deflate makes at most 1,032 bytes of one. */
const mostInflation = 1032;
/** Of a zip, what an entry of no bytes and no name takes in its directory. */
const entryBytes = 46;

/** Arrays of a `.npz` (numpy.savez, compressed or not), named as the inputs. */
export async function readNpz(path: string, inputs: readonly ValueInfo[]): Promise<RawSamples> {
  const bytes = await readWhole(path);
  const wanted = new Set([...inputs.map(({ name }) => name), "label", "id", "group"]);
  const { names, contents } = await unzip(bytes, path, wanted);
  const arrays = new Map<string, NamedArray>();
  for (const [name, content] of contents)
    arrays.set(name, arrayInMemory(parseNpy(content, `${basename(path)}, "${name}"`)));
  return samplesOfArrays(arrays, inputs, path, names);
}

/** A single array in a `.npy`: the samples of a model with one input, without labels. */
export async function readNpy(path: string, inputs: readonly ValueInfo[]): Promise<RawSamples> {
  const [only] = inputs;
  if (only === undefined || inputs.length > 1) {
    throw new PareError(
      "DATA_MISMATCH",
      `${path} holds one array, but the model has ${inputs.length} inputs.`,
      {
        where: path,
        hint: "Save all of them by name: numpy.savez(path, inputName=array, …).",
      },
    );
  }
  const array = arrayInMemory(parseNpy(await readWhole(path), path));
  return samplesOfArrays(new Map([[only.name, array]]), inputs, path);
}

async function readWhole(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw fileError(cause, path, "DATA_NOT_FOUND");
  });
}

interface Unzipped {
  /** Of all arrays. */
  readonly names: readonly string[];
  /** Of those that are wanted, by name. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/**
 * Unpacks what is wanted. Entries could share their bytes, or be named so many times that nothing else ends: each has to
 * have bytes of its own, and all of them unpack to no more than their bytes can hold.
 */
async function unzip(
  bytes: Uint8Array,
  path: string,
  wanted: ReadonlySet<string>,
): Promise<Unzipped> {
  const { unzipSync } = await import("fflate");
  const names: string[] = [];
  let [packed, unpacked] = [0, 0];
  try {
    const files = unzipSync(bytes, {
      filter({ name, size, originalSize }) {
        packed += entryBytes + size;
        if (packed > bytes.length)
          throw new PareError(
            "DATA_INVALID",
            `${path} claims that its arrays, up to "${name}", lie in ${packed} bytes of ${bytes.length}.`,
            { where: path, hint: "Write it with numpy.savez." },
          );
        if (!name.endsWith(".npy")) return false;
        names.push(nameOf(name));
        if (!wanted.has(nameOf(name))) return false;
        unpacked += originalSize;
        if (unpacked > bytes.length * mostInflation) {
          throw new PareError(
            "DATA_INVALID",
            `${path} claims that its arrays, up to "${name}", unpack to ${unpacked} bytes from ${bytes.length}.`,
            { where: path },
          );
        }
        return true;
      },
    });
    const contents = new Map(
      Object.entries(files).map(([file, content]) => [nameOf(file), content]),
    );
    return { names, contents };
  } catch (cause) {
    if (cause instanceof PareError) throw cause;
    throw new PareError("DATA_INVALID", `${path} is not a readable .npz: ${messageOf(cause)}.`, {
      where: path,
      hint: "Write it with numpy.savez.",
      cause,
    });
  }
}

function nameOf(file: string): string {
  return file.replace(/\.npy$/, "");
}

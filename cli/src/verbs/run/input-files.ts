import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import {
  describeValue,
  messageOf,
  PareError,
  type Tensor,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import { imageExtensions } from "../../data/image-folder.js";
import { imageLayout, imageTensor } from "../../data/image-tensor.js";
import { jsonTensor } from "../../data/json-tensor.js";
import { parseNpy } from "../../data/npy.js";
import { loadPreprocess } from "../../data/preprocess.js";
import { fileError } from "../../platform/file-error.js";
import { byName, type Pairs } from "../../terminal/option-values.js";

/**
 * `--input name=file` as feeds.
 * @throws PareError ARGUMENT for a missing or unknown input, DATA_* for a file that does not fit
 */
export async function readInputs(
  inputs: readonly ValueInfo[],
  files: Pairs,
  preprocess: string,
): Promise<Tensors> {
  const given = byName(files, "--input");
  const unknown = [...given.keys()].find((name) => !inputs.some((info) => info.name === name));
  const missing = inputs.find(({ name }) => !given.has(name));
  if (unknown !== undefined || missing !== undefined) {
    const message =
      unknown !== undefined
        ? `The model has no input "${unknown}".`
        : `Input "${missing?.name}" is not given.`;
    throw new PareError("ARGUMENT", message, {
      where: "--input",
      hint: `Give each input a file: ${inputs.map((info) => `--input ${info.name}=… (${describeValue(info)})`).join(" ")}`,
    });
  }
  const feeds: [name: string, tensor: Tensor][] = [];
  for (const info of inputs)
    feeds.push([info.name, await readInput(info, given.get(info.name) ?? "", preprocess)]);
  return Object.fromEntries(feeds);
}

async function readInput(info: ValueInfo, file: string, preprocess: string): Promise<Tensor> {
  const extension = extname(file).toLowerCase();
  if (imageExtensions.has(extension)) {
    const how = await loadPreprocess(preprocess);
    return imageTensor(file, imageLayout(info, how), how);
  }
  switch (extension) {
    case ".npy":
      return withBatch(parseNpy(await bytesOf(file), file), info);
    case ".json":
      return jsonTensor(parseJson(await bytesOf(file), file), info, file);
    case ".wav":
      throw new PareError(
        "DATA_INVALID",
        `${file} is a WAV file, which this version does not read yet.`,
        { where: file, hint: "Save its samples as .npy." },
      );
    default:
      throw new PareError("DATA_INVALID", `${file} is of no kind that can be fed.`, {
        where: file,
        hint: "Inputs are .npy, .json, or images.",
      });
  }
}

/** A missing batch axis of one is put in front. */
function withBatch(tensor: Tensor, { dims }: ValueInfo): Tensor {
  const [batch] = dims;
  const lacks =
    dims.length === tensor.dims.length + 1 &&
    batch !== undefined &&
    (typeof batch !== "number" || batch === 1);
  return lacks ? { ...tensor, dims: [1, ...tensor.dims] } : tensor;
}

function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new PareError("DATA_INVALID", `${file} is not JSON: ${messageOf(cause)}.`, {
      where: file,
      cause,
    });
  }
}

async function bytesOf(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: unknown) => {
    throw fileError(cause, file, "DATA_NOT_FOUND");
  });
}

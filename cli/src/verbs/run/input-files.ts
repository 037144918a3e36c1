import { access, readFile } from "node:fs/promises";
import { dirname, extname } from "node:path";
import {
  describeValue,
  messageOf,
  PareError,
  type Tensor,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import { choosePreprocess } from "../../data/choose-preprocess.js";
import { images } from "../../data/image-folder.js";
import { imageLayout, imageTensor } from "../../data/image-tensor.js";
import { jsonTensor } from "../../data/json-tensor.js";
import { readSound, sounds } from "../../data/sound-folder.js";
import { soundLayout, soundTensor } from "../../data/sound-tensor.js";
import { parseNpy } from "../../data/npy.js";
import { refuse } from "../../terminal/refuse.js";
import { fileError } from "../../platform/file-error.js";
import { shownPath } from "../../terminal/shown-path.js";
import { byName, type Pairs } from "../../terminal/option-values.js";

/**
 * `--input name=file` as feeds.
 * @param preprocess of images; chosen as for a folder of them where not given
 * @param note is told what was guessed
 * @throws PareError ARGUMENT for a missing or unknown input, DATA_* for a file that does not fit
 */
export async function readInputs(
  inputs: readonly ValueInfo[],
  files: Pairs,
  preprocess: string | undefined,
  note: (text: string) => void,
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
  const [empty] = files.find(([, file]) => file === "") ?? [];
  if (empty !== undefined)
    refuse(`${empty}= names no file.`, "--input", `Write --input ${empty}=…`);
  if (preprocess !== undefined && !files.some(([, file]) => isImage(extensionOf(file))))
    throw new PareError("ARGUMENT", "--preprocess is for images, and no input is one.", {
      where: "--preprocess",
      hint: "Leave it out: .npy, .json and WAV files are fed as they are.",
    });
  const feeds: [name: string, tensor: Tensor][] = [];
  const caveats = new Set<string>();
  for (const info of inputs) {
    const { tensor, caveat } = await readInput(info, given.get(info.name) ?? "", preprocess);
    feeds.push([info.name, tensor]);
    if (caveat !== null) caveats.add(caveat);
  }
  caveats.forEach(note);
  return Object.fromEntries(feeds);
}

async function readInput(
  info: ValueInfo,
  file: string,
  given: string | undefined,
): Promise<{ readonly tensor: Tensor; readonly caveat: string | null }> {
  const extension = extensionOf(file);
  await access(file).catch((cause: unknown) => {
    throw fileError(cause, file, "DATA_NOT_FOUND");
  });
  if (sounds.extensions.has(extension)) {
    const layout = soundLayout(info);
    const sound = await readSound(file);
    const { length } = sound.samples;
    const isCut = layout.length !== null && layout.length < length;
    const caveat = `${info.name} is the first ${layout.length} of ${length} samples of ${shownPath(file)}.`;
    return { tensor: soundTensor(sound, layout), caveat: isCut ? caveat : null };
  }
  if (!isImage(extension))
    return { tensor: await readNumbers(info, file, extension), caveat: null };
  const { preprocess, caveat } = await choosePreprocess(dirname(file), given, info);
  const tensor = await imageTensor(file, imageLayout(info, preprocess), preprocess);
  return { tensor, caveat };
}

function extensionOf(file: string): string {
  return extname(file).toLowerCase();
}

function isImage(extension: string): boolean {
  return images.extensions.has(extension);
}

async function readNumbers(info: ValueInfo, file: string, extension: string): Promise<Tensor> {
  switch (extension) {
    case ".npy":
      return withBatch(parseNpy(await bytesOf(file), file), info);
    case ".json":
      return jsonTensor(parseJson(await bytesOf(file), file), info, file);
    default:
      throw new PareError("DATA_INVALID", `${file} is of no kind that can be fed.`, {
        where: file,
        hint: "Inputs are .npy, .json, images, or WAV files.",
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

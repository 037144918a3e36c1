import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PareError, type ValueInfo } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { type FileKind, type FolderFile, labelledFiles } from "./labelled-files.js";
import type { RawSample, RawSamples } from "./raw-sample.js";
import { type SoundLayout, soundLayout, soundTensor } from "./sound-tensor.js";
import { parseWav, type Sound } from "./wav.js";

export const sounds: FileKind = { plural: "WAV files", extensions: new Set([".wav", ".wave"]) };

/**
 * A folder of WAV files, all of one rate. Subfolders are labels, numbered in sorted order.
 * @throws PareError DATA_INVALID, DATA_MISMATCH when the model does not take one sound
 */
export async function readSoundFolder(
  folder: string,
  inputs: readonly ValueInfo[],
): Promise<RawSamples> {
  const [info] = inputs;
  if (info === undefined || inputs.length > 1)
    throw new PareError(
      "DATA_MISMATCH",
      `A folder of WAV files feeds one input, but the model has ${inputs.length}: ${inputs.map(({ name }) => name).join(", ")}.`,
      {
        where: folder,
        hint: "Make what is the same for all of them a constant (--const sr=16000), or write a data module: pare data <model>.",
      },
    );
  const layout = soundLayout(info);
  const files = await labelledFiles(folder, sounds);
  const fit = { cut: 0, padded: 0 };
  return {
    count: files.length,
    samples: samplesOf(folder, files, layout, fit),
    caveat: () => fitText(fit, files.length, layout),
  };
}

/** How many sounds are not as long as the model takes them. */
interface Fit {
  cut: number;
  padded: number;
}

function fitText({ cut, padded }: Fit, count: number, { length }: SoundLayout): string | null {
  if (cut + padded === 0) return null;
  return `The model takes ${length} samples of a sound: of ${count} files, ${cut} longer ones were cut, and ${padded} shorter ones end in zeros.`;
}

async function* samplesOf(
  folder: string,
  files: readonly FolderFile[],
  layout: SoundLayout,
  fit: Fit,
): AsyncGenerator<RawSample> {
  let first: { readonly id: string; readonly rate: number } | null = null;
  for (const { id, label } of files) {
    const sound = await readSound(join(folder, id));
    first ??= { id, rate: sound.rate };
    if (sound.rate !== first.rate)
      throw new PareError(
        "DATA_INVALID",
        `${first.id} has ${first.rate} samples a second, and ${id} has ${sound.rate}.`,
        {
          where: join(folder, id),
          hint: "Give all of them the rate that the model was trained on.",
        },
      );
    const length = layout.length ?? sound.samples.length;
    if (sound.samples.length > length) fit.cut += 1;
    if (sound.samples.length < length) fit.padded += 1;
    yield {
      id,
      feeds: { [layout.info.name]: soundTensor(sound, layout) },
      ...(label !== null && { label }),
    };
  }
}

/** @throws PareError DATA_NOT_FOUND, DATA_INVALID */
export async function readSound(path: string): Promise<Sound> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw fileError(cause, path, "DATA_NOT_FOUND");
  });
  return parseWav(bytes, path);
}

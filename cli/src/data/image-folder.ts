import { join } from "node:path";
import { PareError, type ValueInfo } from "@pare/runtime/format";
import { type ImageLayout, imageLayout, imageTensor } from "./image-tensor.js";
import { type FileKind, type FolderFile, labelledFiles } from "./labelled-files.js";
import type { Preprocess } from "./preprocess.js";
import type { RawSample, RawSamples } from "./raw-sample.js";

export const images: FileKind = {
  plural: "images",
  extensions: new Set([".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".tif", ".tiff"]),
};

/**
 * A folder of images. Subfolders are labels, numbered in sorted order; images beside one another have none. Links are
 * followed. A subfolder without images is refused: only the user knows whether it is a label.
 * @throws PareError DATA_INVALID, DATA_MISMATCH when the model does not take one image
 */
export async function readImageFolder(
  folder: string,
  inputs: readonly ValueInfo[],
  preprocess: Preprocess,
): Promise<RawSamples> {
  const [info] = inputs;
  if (info === undefined || inputs.length > 1) {
    throw new PareError(
      "DATA_MISMATCH",
      `A folder of images feeds one input, but the model has ${inputs.length}: ${inputs.map(({ name }) => name).join(", ")}.`,
      {
        where: folder,
        hint: "Write a data module: pare data <model>.",
      },
    );
  }
  const layout = imageLayout(info, preprocess);
  const files = await labelledFiles(folder, images);
  return { count: files.length, samples: samplesOf(folder, files, layout, preprocess) };
}

async function* samplesOf(
  folder: string,
  files: readonly FolderFile[],
  layout: ImageLayout,
  preprocess: Preprocess,
): AsyncGenerator<RawSample> {
  for (const { id, label } of files) {
    const tensor = await imageTensor(join(folder, id), layout, preprocess);
    yield { id, feeds: { [layout.info.name]: tensor }, ...(label !== null && { label }) };
  }
}

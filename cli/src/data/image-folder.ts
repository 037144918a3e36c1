import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { PareError, type ValueInfo } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { type ImageLayout, imageLayout, imageTensor } from "./image-tensor.js";
import type { Preprocess } from "./preprocess.js";
import type { RawSample, RawSamples } from "./raw-sample.js";

export const imageExtensions: ReadonlySet<string> = new Set([
  ".jpg",
  ".jpeg",
  ".png",
  ".webp",
  ".gif",
  ".avif",
  ".tif",
  ".tiff",
]);

interface ImageFile {
  /** Relative to the folder: the sample's id. */
  readonly id: string;
  readonly label: number | null;
}

/**
 * A folder of images. Subfolders are labels, numbered in sorted order; images beside one another have none.
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
  const files = await imageFiles(folder);
  return { count: files.length, samples: images(folder, files, layout, preprocess) };
}

async function* images(
  folder: string,
  files: readonly ImageFile[],
  layout: ImageLayout,
  preprocess: Preprocess,
): AsyncGenerator<RawSample> {
  for (const { id, label } of files) {
    const tensor = await imageTensor(join(folder, id), layout, preprocess);
    yield { id, feeds: { [layout.info.name]: tensor }, ...(label !== null && { label }) };
  }
}

async function imageFiles(folder: string): Promise<readonly ImageFile[]> {
  const top = await list(folder);
  const classes = top.folders.filter((name) => !name.startsWith("."));
  const flat = top.files.filter(isImage).map((id): ImageFile => ({ id, label: null }));
  const labelled: ImageFile[] = [];
  const others = [...top.files];
  for (const [label, name] of classes.entries()) {
    const { files } = await list(join(folder, name));
    others.push(...files);
    labelled.push(...files.filter(isImage).map((file) => ({ id: `${name}/${file}`, label })));
  }
  if (flat.length > 0 && labelled.length > 0) {
    throw new PareError(
      "DATA_INVALID",
      `${folder} holds ${flat.length} images beside subfolders with ${labelled.length}: are these labels or not?`,
      {
        where: folder,
        hint: "Put all images into subfolders, one per label, or none.",
      },
    );
  }
  if (flat.length + labelled.length === 0) {
    const sounds = others.some((name) => extname(name).toLowerCase() === ".wav");
    throw new PareError(
      "DATA_INVALID",
      sounds
        ? `${folder} holds WAV files, which this version does not read yet.`
        : `${folder} holds no images.`,
      {
        where: folder,
        hint: sounds
          ? "Give the samples as .npz, or write a data module: pare data <model>."
          : `Images end in ${[...imageExtensions].join(", ")}; other data goes into .npz, .safetensors, .jsonl or a data module.`,
      },
    );
  }
  return flat.length > 0 ? flat : labelled;
}

function isImage(name: string): boolean {
  return !name.startsWith(".") && imageExtensions.has(extname(name).toLowerCase());
}

async function list(
  folder: string,
): Promise<{ files: readonly string[]; folders: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(cause, folder, "DATA_NOT_FOUND");
  });
  // Sorted by code points, so that labels do not depend on the machine's language.
  const names = (kept: typeof entries): string[] =>
    kept.map(({ name }) => name).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    files: names(entries.filter((entry) => !entry.isDirectory())),
    folders: names(entries.filter((entry) => entry.isDirectory())),
  };
}

import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
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
  const classes: { readonly name: string; readonly files: readonly string[] }[] = [];
  for (const name of top.folders)
    classes.push({ name, files: (await list(join(folder, name))).files });
  const flat = top.files.filter(isImage).map((id): ImageFile => ({ id, label: null }));
  const labelled = classes.flatMap(({ name, files }, label) =>
    files.filter(isImage).map((file): ImageFile => ({ id: `${name}/${file}`, label })),
  );
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
    const sounds = [top, ...classes].some(({ files }) =>
      files.some((name) => extname(name).toLowerCase() === ".wav"),
    );
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
  if (flat.length > 0) return flat;
  refuseEmpty(
    folder,
    classes.filter(({ files }) => !files.some(isImage)).map(({ name }) => name),
  );
  return labelled;
}

/** To number one that is no label, as `__MACOSX` is none, shifts those after it; to leave out one that is a label, too. */
function refuseEmpty(folder: string, empty: readonly string[]): void {
  const [first] = empty;
  if (first === undefined) return;
  const named = empty.slice(0, 3).map((name) => `"${name}"`);
  const more = empty.length > named.length ? ` and ${empty.length - named.length} more` : "";
  throw new PareError(
    "DATA_INVALID",
    `${folder} holds images in subfolders, but none in ${named.join(", ")}${more}: are these labels or not?`,
    {
      where: join(folder, first),
      hint: "Put images into each, or move it elsewhere; where a label is to have none, write a data module: pare data <model>.",
    },
  );
}

function isImage(name: string): boolean {
  return imageExtensions.has(extname(name).toLowerCase());
}

/** What is in a folder and not hidden; links count as what they lead to. */
async function list(
  folder: string,
): Promise<{ files: readonly string[]; folders: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(cause, folder, "DATA_NOT_FOUND");
  });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith("."))
      .map(async (entry) => {
        const target = entry.isSymbolicLink() ? await follow(join(folder, entry.name)) : entry;
        return { name: entry.name, isFolder: target.isDirectory() };
      }),
  );
  // Sorted by code points, so that labels do not depend on the machine's language.
  const names = (kept: typeof found): string[] =>
    kept.map(({ name }) => name).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    files: names(found.filter(({ isFolder }) => !isFolder)),
    folders: names(found.filter(({ isFolder }) => isFolder)),
  };
}

async function follow(link: string): Promise<Stats> {
  return stat(link).catch((cause: unknown) => {
    throw fileError(cause, link, "DATA_NOT_FOUND");
  });
}

import { readFile } from "node:fs/promises";
import { messageOf, PareError } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";

/** How an image becomes a model's input. */
export interface Preprocess {
  readonly name: string;
  /**
   * `crop`: the shorter edge to `size × edgeRatio`, then the middle; `stretch-crop`: both edges to that, then the middle;
   * `letterbox`: all of it, padded; `stretch`: all of it.
   */
  readonly fit: "crop" | "letterbox" | "stretch" | "stretch-crop";
  readonly edgeRatio: number;
  readonly kernel: "nearest" | "linear" | "cubic" | "lanczos3";
  /** A value of 0 to 255 becomes (value × scale − mean) / std, per channel. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Fills what a letterbox leaves, 0 to 255. */
  readonly pad: number;
  /** Where the model's own height and width are free. */
  readonly size: { readonly height: number; readonly width: number } | null;
}

const plain: Preprocess = {
  name: "0..1",
  fit: "stretch",
  edgeRatio: 1,
  kernel: "linear",
  scale: 1 / 255,
  mean: [0],
  std: [1],
  pad: 0,
  size: null,
};

export const presets: Readonly<Record<"imagenet" | "0..1" | "-1..1" | "yolo", Preprocess>> = {
  imagenet: {
    ...plain,
    name: "imagenet",
    fit: "crop",
    edgeRatio: 256 / 224,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    size: { height: 224, width: 224 },
  },
  "0..1": plain,
  "-1..1": { ...plain, name: "-1..1", mean: [0.5], std: [0.5] },
  yolo: { ...plain, name: "yolo", fit: "letterbox", pad: 114, size: { height: 640, width: 640 } },
};

/**
 * A preset by name, or a `preprocessor_config.json` as transformers writes it.
 * @throws PareError ARGUMENT, DATA_INVALID
 */
export async function loadPreprocess(nameOrFile: string): Promise<Preprocess> {
  const preset = Object.entries(presets).find(([name]) => name === nameOrFile)?.[1];
  if (preset !== undefined) return preset;
  if (!nameOrFile.endsWith(".json")) {
    throw new PareError("ARGUMENT", `There is no preset "${nameOrFile}".`, {
      where: "--preprocess",
      hint: `Use ${Object.keys(presets).join(", ")}, or the path of a preprocessor_config.json.`,
    });
  }
  const bytes = await readFile(nameOrFile).catch((cause: unknown) => {
    throw fileError(cause, nameOrFile, "ARGUMENT");
  });
  try {
    return parsePreprocessorConfig(JSON.parse(new TextDecoder().decode(bytes)), nameOrFile);
  } catch (cause) {
    if (cause instanceof PareError) throw cause;
    throw new PareError("DATA_INVALID", `${nameOrFile} is not JSON: ${messageOf(cause)}.`, {
      where: nameOrFile,
      cause,
    });
  }
}

const kernels = ["nearest", "lanczos3", "linear", "cubic"] as const;

/** The fields of an image processor that say how pixels become numbers; what is left out has transformers' default. */
export function parsePreprocessorConfig(config: unknown, where: string): Preprocess {
  const fields = Object(config);
  if (
    Array.isArray(config) ||
    (fields.image_mean === undefined &&
      fields.size === undefined &&
      fields.do_rescale === undefined)
  ) {
    throw new PareError("DATA_INVALID", `${where} does not describe an image processor.`, {
      where,
      hint: "It should have fields such as image_mean, image_std and size.",
    });
  }
  const share = numberOr(fields.crop_pct, null);
  if (share !== null && !(share > 0 && share <= 1))
    throw new PareError("DATA_INVALID", `${where} has a crop_pct of ${share}.`, {
      where,
      hint: "It is the share of the image's edge that is kept: above 0, and at most 1.",
    });
  const normalized = fields.do_normalize !== false;
  return {
    name: where,
    ...fittingOf(fields),
    kernel: kernels[numberOr(fields.resample, 2) ?? 2] ?? "linear",
    scale: fields.do_rescale === false ? 1 : (numberOr(fields.rescale_factor, 1 / 255) ?? 1 / 255),
    mean: normalized ? numbersOr(fields.image_mean, [0]) : [0],
    std: normalized ? numbersOr(fields.image_std, [1]) : [1],
    pad: 0,
  };
}

/** ConvNeXT's processor, which says by `crop_pct` alone that it crops, stretches all of the image from this edge on. */
const uncroppedEdge = 384;

function fittingOf(
  fields: Readonly<Record<string, unknown>>,
): Pick<Preprocess, "fit" | "edgeRatio" | "size"> {
  const shortest = numberOr(Object(fields["size"]).shortest_edge, null);
  const edge = shortest ?? numberOr(fields["size"], null);
  const resized = sizeOf(fields["size"]);
  const share = numberOr(fields["crop_pct"], null);
  const isConvNext = share !== null && fields["do_center_crop"] !== true;
  if (isConvNext && edge !== null && edge >= uncroppedEdge)
    return { fit: "stretch", edgeRatio: 1, size: square(edge) };
  const cropped = isConvNext ? square(edge) : cropOf(fields);
  const shorter = cropped && Math.min(cropped.height, cropped.width);
  const uncropped = edge ?? (resized && Math.min(resized.height, resized.width));
  const resizedEdge = uncropped && Math.trunc(uncropped / (share ?? 1));
  const isWhole = share === null && (resized !== null || (shortest === null && isDeit(fields)));
  const fit = cropped === null ? "stretch" : isWhole ? "stretch-crop" : "crop";
  return {
    fit: cropped === null && shortest !== null && resized === null ? "crop" : fit,
    edgeRatio: shorter !== null && resizedEdge !== null ? resizedEdge / shorter : 1,
    size: cropped ?? resized ?? square(edge),
  };
}

/** Where a processor's file says one number, what crops takes it for the shorter edge, but DeiT's for both. */
function isDeit(fields: Readonly<Record<string, unknown>>): boolean {
  const type = fields["image_processor_type"] ?? fields["feature_extractor_type"];
  return typeof type === "string" && type.startsWith("DeiT");
}

function cropOf(fields: Readonly<Record<string, unknown>>): Preprocess["size"] {
  if (fields["do_center_crop"] !== true) return null;
  return sizeOf(fields["crop_size"]) ?? square(numberOr(fields["crop_size"], null));
}

function sizeOf(value: unknown): Preprocess["size"] {
  const { height, width } = Object(value);
  return typeof height === "number" && typeof width === "number" ? { height, width } : null;
}

function square(edge: number | null): Preprocess["size"] {
  return edge === null ? null : { height: edge, width: edge };
}

function numberOr(value: unknown, fallback: number | null): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}

function numbersOr(value: unknown, fallback: readonly number[]): readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "number")
    ? value
    : fallback;
}

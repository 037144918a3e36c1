import { PareError } from "@pare/runtime/format";
import type { Preprocess } from "./preprocess.js";

type Fields = Readonly<Record<string, unknown>>;

const kernels = ["nearest", "lanczos3", "linear", "cubic"] as const;

/** Steps that are done, or change no pixel. */
const known = new Set(["resize", "center_crop", "rescale", "normalize", "convert_rgb", "flip_channel_order", "reduce_labels", "convert_annotations"].map((step) => `do_${step}`)); // prettier-ignore
/** What else changes pixels where it is on. */
const others = new Set(["keep_aspect_ratio", "crop_to_patches", "offset", "size_divisor"]);

/**
 * The fields of an image processor, as transformers writes them, that say how pixels become numbers; what is left out has
 * transformers' default.
 * @throws PareError DATA_INVALID, also for what changes pixels and is not done here
 */
export function parsePreprocessorConfig(config: unknown, where: string): Preprocess {
  const fields: Fields = Object(config);
  if (
    Array.isArray(config) ||
    (fields["image_mean"] === undefined &&
      fields["size"] === undefined &&
      fields["do_rescale"] === undefined)
  ) {
    throw new PareError("DATA_INVALID", `${where} does not describe an image processor.`, {
      where,
      hint: "It should have fields such as image_mean, image_std and size.",
    });
  }
  const share = numberOr(fields["crop_pct"], null);
  if (share !== null && !(share > 0 && share <= 1))
    throw new PareError("DATA_INVALID", `${where} has a crop_pct of ${share}.`, {
      where,
      hint: "It is the share of the image's edge that is kept: above 0, and at most 1.",
    });
  const kernel = kernels[numberOr(fields["resample"], 2) ?? 2];
  const undone = kernel === undefined ? "resample" : undoneOf(fields);
  if (kernel === undefined || undone !== undefined)
    throw new PareError(
      "DATA_INVALID",
      `${where} has ${undone}: ${JSON.stringify(fields[undone ?? ""])}, which is not done here.`,
      { where, hint: "Write a data module that makes the inputs: pare data <model>." },
    );
  const swaps = fields["do_flip_channel_order"] ?? isOf(fields, "MobileViT");
  return {
    name: where,
    ...fittingOf(fields),
    kernel,
    ...scalingOf(fields),
    order: swaps === true ? "bgr" : "rgb",
    pad: 0,
  };
}

/** What is on, changes pixels and is not done. */
function undoneOf(fields: Fields): string | undefined {
  const { size } = fields;
  const isSized = sizeOf(size) !== null || Object(size).shortest_edge !== undefined;
  const isBounded = typeof size === "object" && size !== null && !Array.isArray(size) && !isSized;
  if (isBounded && fields["do_resize"] !== false && Object.keys(size).length > 0) return "size";
  return Object.entries(fields).find(
    ([name, value]) =>
      (value === true || Number(value) > 1) &&
      (others.has(name) || (name.startsWith("do_") && !known.has(name))),
  )?.[0];
}

/** A value becomes (value × scale − offset − mean) / std, and where EfficientNet's has its top, that over std again. */
function scalingOf(fields: Fields): Pick<Preprocess, "scale" | "mean" | "std"> {
  const isRescaled = fields["do_rescale"] !== false;
  // MobileViT's never does, though newer files of it have a mean.
  const isNormalized = fields["do_normalize"] !== false && !isOf(fields, "MobileViT");
  const offset = isRescaled && fields["rescale_offset"] === true ? 1 : 0;
  const deviations = numbersOr(fields["image_std"], [1]);
  const once = isNormalized ? deviations : [1];
  const hasTop = fields["include_top"] ?? isOf(fields, "EfficientNet");
  return {
    scale: isRescaled ? (numberOr(fields["rescale_factor"], 1 / 255) ?? 1 / 255) : 1,
    mean: (isNormalized ? numbersOr(fields["image_mean"], [0]) : [0]).map((mean) => mean + offset),
    std:
      hasTop === true
        ? deviations.map((again, channel) => again * (once[channel % once.length] ?? 1))
        : once,
  };
}

/** ConvNeXT's processor, which says by `crop_pct` alone that it crops, stretches all of the image from this edge on. */
const uncroppedEdge = 384;
const convNextShare = 224 / 256;

function fittingOf(fields: Fields): Pick<Preprocess, "fit" | "edgeRatio" | "size"> {
  if (fields["do_resize"] === false) {
    const size = cropOf(fields);
    return { fit: size === null ? "none" : "middle", edgeRatio: 1, size };
  }
  const shortest = numberOr(Object(fields["size"]).shortest_edge, null);
  const edge = shortest ?? numberOr(fields["size"], null);
  const resized = sizeOf(fields["size"]);
  const share = numberOr(fields["crop_pct"], isOf(fields, "ConvNext") ? convNextShare : null);
  const isConvNext = share !== null && fields["do_center_crop"] !== true;
  if (isConvNext && edge !== null && edge >= uncroppedEdge)
    return { fit: "stretch", edgeRatio: 1, size: square(edge) };
  const cropped = isConvNext ? square(edge) : cropOf(fields);
  const shorter = cropped && Math.min(cropped.height, cropped.width);
  const uncropped = edge ?? (resized && Math.min(resized.height, resized.width));
  const resizedEdge = uncropped && Math.trunc(uncropped / (share ?? 1));
  const isWhole = share === null && (resized !== null || (shortest === null && squares(fields)));
  const fit = cropped === null ? "stretch" : isWhole ? "stretch-crop" : "crop";
  return {
    fit: cropped === null && shortest !== null && resized === null ? "crop" : fit,
    edgeRatio: shorter !== null && resizedEdge !== null ? resizedEdge / shorter : 1,
    size: cropped ?? resized ?? square(edge),
  };
}

/** Where a processor's file says one number, what crops takes it for the shorter edge, but these for both. */
function squares(fields: Fields): boolean {
  return ["DeiT", "Beit", "EfficientNet", "Flava"].some((name) => isOf(fields, name));
}

/** Of a family of processors, by the name of its class. */
function isOf(fields: Fields, family: string): boolean {
  const type = fields["image_processor_type"] ?? fields["feature_extractor_type"];
  return typeof type === "string" && type.startsWith(family);
}

function cropOf(fields: Fields): Preprocess["size"] {
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
  const list: unknown = typeof value === "number" ? [value] : value;
  return Array.isArray(list) && list.length > 0 && list.every((each) => typeof each === "number")
    ? list
    : fallback;
}

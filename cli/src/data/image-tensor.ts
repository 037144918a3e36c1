import {
  describeValue,
  floatsToHalves,
  PareError,
  type Tensor,
  type ValueInfo,
} from "@pare/runtime/format";
import { type PixelLayout, readPixels } from "./image-pixels.js";
import type { Preprocess } from "./preprocess.js";

/** As many as 8,192 by 8,192: what is enlarged takes memory that no file brought. */
const mostPixels = 2 ** 26;

/** How a model's input holds an image. */
export interface ImageLayout extends PixelLayout {
  readonly info: ValueInfo;
  readonly channelsFirst: boolean;
  readonly batched: boolean;
}

/**
 * An input of three or four axes with 1, 3 or 4 channels, first (NCHW) or last (NHWC).
 * @throws PareError DATA_MISMATCH when the input holds no image; ARGUMENT when its size is free and no preset says it, or
 * it is none that an image may have
 */
export function imageLayout(info: ValueInfo, preprocess: Preprocess): ImageLayout {
  const batched = info.dims.length === 4;
  const dims = batched ? info.dims.slice(1) : info.dims;
  const typed = ["float32", "float64", "float16", "uint8"].includes(info.type);
  const channelsLast = !isChannels(dims[0]) && isChannels(dims[2]);
  const channels = channelsLast ? dims[2] : typeof dims[0] === "number" ? dims[0] : 3;
  const [height, width] = channelsLast ? [dims[0], dims[1]] : [dims[1], dims[2]];
  // A row is no picture, but sound.
  const isRow = !batched && [height, width].includes(1);
  if (dims.length !== 3 || !typed || isRow || !isChannels(channels)) {
    throw new PareError(
      "DATA_MISMATCH",
      `Input "${info.name}" is ${describeValue(info)}, which holds no image.`,
      {
        where: info.name,
        hint: "Images need one input of floats or uint8 as [N, C, H, W] or [N, H, W, C]; for other models write a data module: pare data <model>.",
      },
    );
  }
  const size = {
    height: typeof height === "number" ? height : preprocess.size?.height,
    width: typeof width === "number" ? width : preprocess.size?.width,
  };
  if (size.height === undefined || size.width === undefined) {
    throw new PareError(
      "ARGUMENT",
      `Input "${info.name}" is ${describeValue(info)}: its height and width are free.`,
      {
        where: info.name,
        hint: `Say which size is meant: --shape ${info.name}=${batched ? "1x" : ""}${channelsLast ? `224x224x${channels}` : `${channels}x224x224`}.`,
      },
    );
  }
  if (![size.height, size.width].every(isEdge) || size.height * size.width > mostPixels)
    throw new PareError(
      "ARGUMENT",
      `Input "${info.name}" is ${describeValue(info)}, and images of ${size.width} × ${size.height} cannot be made for it.`,
      {
        where: info.name,
        hint: `Sizes are whole numbers above 0, and an image has at most ${mostPixels} pixels: say with --shape or in preprocessor_config.json which size is meant.`,
      },
    );
  return {
    info,
    channelsFirst: !channelsLast,
    batched,
    channels,
    height: size.height,
    width: size.width,
  };
}

export function isChannels(dim: unknown): dim is 1 | 3 | 4 {
  return dim === 1 || dim === 3 || dim === 4;
}

function isEdge(size: number): boolean {
  return Number.isInteger(size) && size > 0;
}

/** An image file as the input's tensor: RGB, sRGB, turned as its EXIF says. @throws PareError DATA_INVALID */
export async function imageTensor(
  path: string,
  layout: ImageLayout,
  preprocess: Preprocess,
): Promise<Tensor> {
  const pixels = await readPixels(path, layout, preprocess);
  const { channels, height, width, channelsFirst, batched, info } = layout;
  const dims = [
    ...(batched ? [1] : []),
    ...(channelsFirst ? [channels, height, width] : [height, width, channels]),
  ];
  const area = height * width;
  const swaps = preprocess.order === "bgr" && channels > 1;
  if (info.type === "uint8" && !channelsFirst && !swaps)
    return { type: "uint8", dims, data: pixels };
  const values =
    info.type === "uint8" ? new Uint8Array(pixels.length) : new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const mean = preprocess.mean[channel % preprocess.mean.length] ?? 0;
    const std = preprocess.std[channel % preprocess.std.length] ?? 1;
    const colour = swaps && channel < 3 ? 2 - channel : channel;
    for (let at = 0; at < area; at++) {
      const pixel = pixels[at * channels + colour] ?? 0;
      const to = channelsFirst ? channel * area + at : at * channels + channel;
      values[to] = info.type === "uint8" ? pixel : (pixel * preprocess.scale - mean) / std;
    }
  }
  if (info.type === "float16")
    return { type: "float16", dims, data: floatsToHalves(Array.from(values)) };
  if (info.type === "float64") return { type: "float64", dims, data: Float64Array.from(values) };
  return { type: info.type, dims, data: values };
}

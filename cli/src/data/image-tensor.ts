import {
  describeValue,
  floatsToHalves,
  messageOf,
  PareError,
  type Tensor,
  type ValueInfo,
} from "@pare/runtime/format";
import type { Preprocess } from "./preprocess.js";

/** How a model's input holds an image. */
export interface ImageLayout {
  readonly info: ValueInfo;
  readonly channelsFirst: boolean;
  readonly batched: boolean;
  readonly channels: 1 | 3 | 4;
  readonly height: number;
  readonly width: number;
}

/**
 * An input of three or four axes with 1, 3 or 4 channels, first (NCHW) or last (NHWC).
 * @throws PareError DATA_MISMATCH when the input holds no image; ARGUMENT when its size is free and no preset says it
 */
export function imageLayout(info: ValueInfo, preprocess: Preprocess): ImageLayout {
  const batched = info.dims.length === 4;
  const dims = batched ? info.dims.slice(1) : info.dims;
  const typed = ["float32", "float64", "float16", "uint8"].includes(info.type);
  const channelsLast = !isChannels(dims[0]) && isChannels(dims[2]);
  const channels = channelsLast ? dims[2] : typeof dims[0] === "number" ? dims[0] : 3;
  const [height, width] = channelsLast ? [dims[0], dims[1]] : [dims[1], dims[2]];
  if (dims.length !== 3 || !typed || !isChannels(channels)) {
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
  return {
    info,
    channelsFirst: !channelsLast,
    batched,
    channels,
    height: size.height,
    width: size.width,
  };
}

function isChannels(dim: unknown): dim is 1 | 3 | 4 {
  return dim === 1 || dim === 3 || dim === 4;
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
  if (info.type === "uint8" && !channelsFirst) return { type: "uint8", dims, data: pixels };
  const values =
    info.type === "uint8" ? new Uint8Array(pixels.length) : new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const mean = preprocess.mean[channel % preprocess.mean.length] ?? 0;
    const std = preprocess.std[channel % preprocess.std.length] ?? 1;
    for (let at = 0; at < area; at++) {
      const pixel = pixels[at * channels + channel] ?? 0;
      const to = channelsFirst ? channel * area + at : at * channels + channel;
      values[to] = info.type === "uint8" ? pixel : (pixel * preprocess.scale - mean) / std;
    }
  }
  if (info.type === "float16")
    return { type: "float16", dims, data: floatsToHalves(Array.from(values)) };
  if (info.type === "float64") return { type: "float64", dims, data: Float64Array.from(values) };
  return { type: info.type, dims, data: values };
}

async function readPixels(
  path: string,
  layout: ImageLayout,
  preprocess: Preprocess,
): Promise<Uint8Array> {
  const { default: sharp } = await importSharp();
  const { channels, height, width } = layout;
  try {
    const image = await opened(sharp, path, channels);
    const { kernel, pad, fit, edgeRatio } = preprocess;
    if (fit === "crop" || fit === "stretch-crop") {
      const [tall, wide] = [Math.round(height * edgeRatio), Math.round(width * edgeRatio)];
      const whole = fit === "crop" ? "cover" : "fill";
      image.resize({ width: wide, height: tall, fit: whole, kernel });
      image.extract({ left: (wide - width) >> 1, top: (tall - height) >> 1, width, height });
    } else {
      const background = { r: pad, g: pad, b: pad };
      image.resize({
        width,
        height,
        fit: fit === "letterbox" ? "contain" : "fill",
        kernel,
        background,
      });
    }
    const opaque = channels === 4 ? image.ensureAlpha() : image.removeAlpha();
    const { data, info } = await opaque
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const colours = Math.max(channels, 3);
    if (info.channels !== colours || data.length !== colours * height * width) {
      throw new Error(`it came out as ${info.width} × ${info.height} × ${info.channels}`);
    }
    return channels === 1 ? greyOf(data) : data;
  } catch (cause) {
    throw new PareError("DATA_INVALID", `The image ${path} cannot be read: ${messageOf(cause)}.`, {
      where: path,
      hint: "Remove it, or save it again as PNG or JPEG.",
      cause,
    });
  }
}

type Sharp = (typeof import("sharp"))["default"];

/**
 * A picture to be resized, without alpha where the model takes none: sharp would weigh colours by it where it resizes, and only
 * there. What is transparent has the colours that it has, as PIL's convert("RGB") has it.
 */
async function opened(sharp: Sharp, path: string, channels: number): Promise<ReturnType<Sharp>> {
  const image = sharp(path, { failOn: "error" }).autoOrient();
  if (channels === 4 || !(await image.metadata()).hasAlpha) return image;
  const opaque = image.removeAlpha().toColourspace("srgb").raw({ depth: "uchar" });
  const { data, info } = await opaque.toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: info });
}

/** Of red, green and blue, of 65536 in all: ITU-R BT.601, as PIL rounds it. */
const weights = [19595, 38470, 7471] as const;

/** As what models are trained with makes grey, of the bytes themselves; sharp's own grey is as bright as the colour. */
function greyOf(colours: Uint8Array): Uint8Array {
  const grey = new Uint8Array(colours.length / 3);
  for (let at = 0; at < grey.length; at++) {
    const weighed = (one: 0 | 1 | 2): number => (colours[3 * at + one] ?? 0) * weights[one];
    grey[at] = (weighed(0) + weighed(1) + weighed(2) + 0x8000) >> 16;
  }
  return grey;
}

async function importSharp(): Promise<typeof import("sharp")> {
  return import("sharp").catch((cause: unknown) => {
    throw new PareError(
      "ENGINE_MISSING",
      `Images cannot be read, because sharp cannot be loaded: ${messageOf(cause)}.`,
      {
        where: "sharp",
        hint: "Install it (npm install sharp), or give the data as .npz.",
        cause,
      },
    );
  });
}

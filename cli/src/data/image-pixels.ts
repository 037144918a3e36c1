import { messageOf, PareError } from "@pare/runtime/format";
import type { Preprocess } from "./preprocess.js";

/** How many pixels a model takes, and of how many channels each. */
export interface PixelLayout {
  readonly channels: 1 | 3 | 4;
  readonly height: number;
  readonly width: number;
}

/**
 * An image file's pixels in the model's size, one after the other: turned as its EXIF says, and the colours sRGB.
 * @throws PareError DATA_INVALID
 */
export async function readPixels(
  path: string,
  layout: PixelLayout,
  preprocess: Preprocess,
): Promise<Uint8Array> {
  const { default: sharp } = await importSharp();
  const { channels, height, width } = layout;
  try {
    const image = await opened(sharp, path, channels);
    const { kernel, pad, fit, edgeRatio } = preprocess;
    if (fit === "middle" || fit === "none") await cut(image, layout, fit);
    else if (fit === "crop" || fit === "stretch-crop") {
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

/** To the layout's size, without another size of the picture. */
async function cut(
  image: ReturnType<Sharp>,
  { channels, height, width }: PixelLayout,
  fit: "middle" | "none",
): Promise<void> {
  const { autoOrient } = await image.metadata();
  const [tall, wide] = [autoOrient.height, autoOrient.width];
  if (fit === "none" && (tall !== height || wide !== width))
    throw new Error(
      `it is ${wide} × ${tall}, the model takes ${width} × ${height}, and do_resize is false`,
    );
  const [high, broad] = [Math.min(tall, height), Math.min(wide, width)];
  const [above, before] = [(height - high) >> 1, (width - broad) >> 1];
  image
    .extract({ left: (wide - broad) >> 1, top: (tall - high) >> 1, width: broad, height: high })
    .extend({
      top: above,
      bottom: height - high - above,
      left: before,
      right: width - broad - before,
      background: { r: 0, g: 0, b: 0, alpha: channels === 4 ? 0 : 1 },
    });
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

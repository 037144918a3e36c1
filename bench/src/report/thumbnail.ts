import { numbersOf, type Tensor, type Tensors } from "@pare/runtime/format";

import { encodePng } from "./png.js";

const longestSide = 96;

/** A small PNG, as a data URL, of the first input that looks like an image ([1, 1 or 3, H, W] or [1, H, W, 1 or 3]); else null. */
export function thumbnailOf(feeds: Tensors): string | null {
  for (const tensor of Object.values(feeds)) {
    const image = imageOf(tensor);
    if (image) return image;
  }
  return null;
}

function imageOf(tensor: Tensor): string | null {
  const [batch, a = 0, b = 0, c = 0] = tensor.dims;
  if (tensor.dims.length !== 4 || batch !== 1) return null;
  const first = (a === 1 || a === 3) && b > 4 && c > 4;
  const last = (c === 1 || c === 3) && a > 4 && b > 4;
  const values = first || last ? numbersOf(tensor) : null;
  if (!values) return null;
  const [channels, height, width] = first ? [a, b, c] : [c, a, b];
  const at = first
    ? (y: number, x: number, channel: number) => (channel * height + y) * width + x
    : (y: number, x: number, channel: number) => (y * width + x) * channels + channel;
  return draw(values, at, channels === 1 ? 1 : 3, height, width);
}

/** Nearest pixels, stretched from the sample's own least to greatest value: what normalizing did is unknown here. */
function draw(
  values: ArrayLike<number>,
  at: (y: number, x: number, channel: number) => number,
  channels: 1 | 3,
  height: number,
  width: number,
): string {
  let low = Infinity;
  let high = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const shrink = Math.min(1, longestSide / Math.max(height, width));
  const [outHeight, outWidth] = [
    Math.max(1, Math.round(height * shrink)),
    Math.max(1, Math.round(width * shrink)),
  ];
  const pixels = new Uint8Array(outHeight * outWidth * channels);
  let next = 0;
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let channel = 0; channel < channels; channel++) {
        const value = values[at(Math.floor(y / shrink), Math.floor(x / shrink), channel)] ?? low;
        pixels[next++] = high > low ? Math.round((255 * (value - low)) / (high - low)) : 0;
      }
    }
  }
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, outWidth, outHeight, channels)).toString("base64")}`;
}

import { PareError } from "@pare/runtime/format";

/** A recording, its channels as one: their mean. */
export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** −1…1; of integers, over the largest magnitude that their bits have. */
  readonly samples: Float32Array<ArrayBuffer>;
}

/** How a file holds its samples. */
interface Format {
  readonly kind: "integer" | "float";
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

const [pcm, float, extensible] = [1, 3, 0xfffe];
const mostChannels = 64;

/**
 * A WAV file: PCM of 8 (unsigned), 16, 24 or 32 bits, or floats of 32 or 64. What writers left open, as a stream's length,
 * ends with the file. Source: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991), and
 * WAVEFORMATEXTENSIBLE.
 * @throws PareError DATA_INVALID for what is no such file
 */
export function parseWav(bytes: Uint8Array, where: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (textAt(bytes, 0) !== "RIFF" || textAt(bytes, 8) !== "WAVE")
    throw refused(where, "is no WAV file");
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = textAt(bytes, at);
    const begin = at + 8;
    const size = Math.min(view.getUint32(at + 4, true), bytes.length - begin);
    if (name === "fmt ") format = formatAt(view, begin, size, where);
    if (name === "data") {
      if (format === null) throw refused(where, "does not say how it holds its samples");
      const samples = meanOf(view, begin, size, format);
      if (samples.length === 0) break;
      return { rate: format.rate, samples };
    }
    // Chunks begin at even places.
    at = begin + size + (size % 2);
  }
  throw refused(where, "holds no samples");
}

function formatAt(view: DataView, at: number, size: number, where: string): Format {
  if (size < 16) throw refused(where, "is cut off");
  const tag = view.getUint16(at, true);
  const own = tag === extensible && size >= 26 ? view.getUint16(at + 24, true) : tag;
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const frame = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  const isInteger = own === pcm && [8, 16, 24, 32].includes(bits);
  if (!isInteger && !(own === float && [32, 64].includes(bits)))
    throw refused(
      where,
      `is compressed, or of a kind that is not read (format ${own}, ${bits} bits)`,
    );
  if (channels < 1 || channels > mostChannels || rate === 0)
    throw refused(where, `has ${channels} channels of ${rate} samples a second`);
  if (frame !== (channels * bits) / 8)
    throw refused(where, `has ${frame} bytes for ${channels} samples of ${bits} bits`);
  return { kind: isInteger ? "integer" : "float", channels, rate, bits };
}

function meanOf(
  view: DataView,
  begin: number,
  size: number,
  { kind, channels, bits }: Format,
): Float32Array<ArrayBuffer> {
  const width = bits / 8;
  const read = kind === "float" ? floatReader(view, width) : integerReader(view, width);
  const samples = new Float32Array(Math.floor(size / (width * channels)));
  for (let index = 0; index < samples.length; index += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1)
      sum += read(begin + (index * channels + channel) * width);
    samples[index] = sum / channels;
  }
  return samples;
}

type Read = (at: number) => number;

function floatReader(view: DataView, width: number): Read {
  return width === 4 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
}

function integerReader(view: DataView, width: number): Read {
  switch (width) {
    case 1:
      return (at) => (view.getUint8(at) - 128) / 2 ** 7;
    case 2:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 3:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function refused(where: string, what: string): PareError {
  return new PareError("DATA_INVALID", `${where} ${what}.`, {
    where,
    hint: "Give WAV files of PCM (8, 16, 24 or 32 bits) or floats; what else holds sound is read by a data module: pare data <model>.",
  });
}

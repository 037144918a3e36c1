export type WavKind = readonly [kind: "integer" | "float", bits: 8 | 16 | 24 | 32 | 64];

interface WavOptions {
  readonly kind?: WavKind;
  readonly channels?: number;
  readonly rate?: number;
  readonly isExtensible?: boolean;
  /** Bytes of a chunk of something else in front of the samples. */
  readonly other?: number;
}

/** A WAV file of samples from −1 to 1, channels in turns; a little slow. */
export function wavFile(
  values: readonly number[],
  {
    kind: [kind, bits] = ["integer", 16],
    channels = 1,
    rate = 16000,
    isExtensible = false,
    other = 0,
  }: WavOptions = {},
): Uint8Array<ArrayBuffer> {
  const width = bits / 8;
  const tag = kind === "float" ? 3 : 1;
  const format = new DataView(new ArrayBuffer(isExtensible ? 40 : 16));
  format.setUint16(0, isExtensible ? 0xfffe : tag, true);
  format.setUint16(2, channels, true);
  format.setUint32(4, rate, true);
  format.setUint32(8, rate * channels * width, true);
  format.setUint16(12, channels * width, true);
  format.setUint16(14, bits, true);
  if (isExtensible) format.setUint16(24, tag, true);
  const data = new DataView(new ArrayBuffer(values.length * width));
  for (const [at, value] of values.entries()) {
    if (kind === "float" && bits === 32) data.setFloat32(at * width, value, true);
    else if (kind === "float") data.setFloat64(at * width, value, true);
    else {
      const whole = BigInt(Math.round(value * 2 ** (bits - 1))) + (bits === 8 ? 128n : 0n);
      for (let byte = 0; byte < width; byte += 1)
        data.setUint8(at * width + byte, Number(BigInt.asUintN(8, whole >> BigInt(8 * byte))));
    }
  }
  const chunks = [
    ["fmt ", new Uint8Array(format.buffer)],
    ...(other > 0 ? [["LIST", new Uint8Array(other)] as const] : []),
    ["data", new Uint8Array(data.buffer)],
  ] as const;
  const parts = chunks.flatMap(([name, bytes]) => [
    ...text(name),
    ...new Uint8Array(Uint32Array.of(bytes.length).buffer),
    ...bytes,
    ...(bytes.length % 2 === 1 ? [0] : []),
  ]);
  const size = new Uint8Array(Uint32Array.of(parts.length + 4).buffer);
  return Uint8Array.from([...text("RIFF"), ...size, ...text("WAVE"), ...parts]);
}

function text(word: string): readonly number[] {
  return [...new TextEncoder().encode(word)];
}

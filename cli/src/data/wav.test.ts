import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wavFile, type WavKind } from "./wav.test.support.js";
import { parseWav } from "./wav.js";

const kinds: readonly WavKind[] = [
  ["integer", 8],
  ["integer", 16],
  ["integer", 24],
  ["integer", 32],
  ["float", 32],
  ["float", 64],
];

describe("a WAV file", () => {
  it("is its samples, to what its bits hold, the channels averaged", () => {
    const sound = fc.record({
      kind: fc.constantFrom(...kinds),
      channels: fc.integer({ min: 1, max: 3 }),
      isExtensible: fc.boolean(),
      values: fc.array(fc.double({ min: -1, max: 0.98, noNaN: true }), {
        minLength: 3,
        maxLength: 60,
      }),
    });
    fc.assert(
      fc.property(sound, ({ kind, channels, isExtensible, values }) => {
        const count = Math.floor(values.length / channels);
        const file = wavFile(values.slice(0, count * channels), { kind, channels, isExtensible });
        const { rate, samples } = parseWav(file, "a.wav");
        expect(rate).toBe(16000);
        expect(samples.length).toBe(count);
        const step = kind[0] === "float" ? 1e-7 : 2 ** (1 - kind[1]) + 1e-7;
        for (const [at, sample] of samples.entries()) {
          const own = values.slice(at * channels, (at + 1) * channels);
          const mean = own.reduce((sum, value) => sum + value, 0) / channels;
          expect(Math.abs(sample - mean)).toBeLessThanOrEqual(step);
        }
      }),
    );
  });

  it("ends with the file where its length was left open, and may have other chunks before its samples", () => {
    const file = wavFile([0.5, -0.5], { kind: ["integer", 16], other: 3 });
    const at = file.length - 8;
    new DataView(file.buffer).setUint32(at, 0xffffffff, true);
    expect([...parseWav(file, "a.wav").samples]).toEqual([0.5, -0.5]);
  });

  it("is refused where it is damaged, or holds something else, whatever its bytes say", () => {
    const file = wavFile([0.5, -0.5, 0.25], { kind: ["integer", 16] });
    expect(() => parseWav(file.subarray(0, 30), "a.wav")).toThrow(/a\.wav is cut off/);
    const other = Uint8Array.from(file);
    other[20] = 2; // ADPCM
    expect(() => parseWav(other, "a.wav")).toThrow(/format 2, 16 bits/);
    const frames = Uint8Array.from(file);
    frames[32] = 4; // bytes of a frame, where two are a sample
    expect(() => parseWav(frames, "a.wav")).toThrow(/has 4 bytes for 1 samples of 16 bits/);
    expect(() => parseWav(wavFile([]), "a.wav")).toThrow(/holds no samples/);
    expect(() => parseWav(Uint8Array.of(1, 2), "a.wav")).toThrow(/no WAV file/);
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.nat(file.length), (at, byte, length) => {
        const changed = Uint8Array.from(file).subarray(0, length);
        if (at < length) changed[at] = byte;
        try {
          expect(parseWav(changed, "a.wav").samples.length).toBeLessThanOrEqual(file.length);
        } catch (error) {
          expect(error).toMatchObject({ code: "DATA_INVALID" });
        }
      }),
    );
  });
});

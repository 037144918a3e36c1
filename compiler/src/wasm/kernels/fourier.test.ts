import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { fill } from "./fill.js";
import { fourier, type FourierOptions, turnsOf, workBytes } from "./fourier.js";
import { stagesOf } from "./fourier-stage.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { differenceOf, operands, seed, size } from "./kernel-case.test.support.js";

/** The kernel; what it leaves where it works is no result. */
const withoutWork: Kernel<FourierOptions> = {
  ...fourier,
  emit(options, engine) {
    const f = fourier.emit(options, engine);
    const at = f.parameter(3);
    f.times(workBytes(options) / floatBytes, () => {
      f.storeFloat(at, 0, { type: "f32", write: (code) => { code.byte(0x43); code.float32(0); } }); // prettier-ignore
      f.advance(at, floatBytes);
    });
    return f;
  },
  reference(options, memory, at) {
    fourier.reference(options, memory, at);
    const run = workBytes(options) / floatBytes;
    fill.reference({ element: "f32", axes: [], run, value: 0 }, memory, at.slice(3));
  },
};

it("transforms as its reference does: lengths, cuts and pads, both ways, layouts", () => {
  const problem = fc.record({
    length: fc.oneof(size(1, 64), fc.constantFrom(97, 100, 120, 121, 126)),
    samples: size(1, 126),
    around: size(1, 2),
    signals: size(1, 9),
    complex: fc.boolean(),
    windowed: fc.boolean(),
    inverse: fc.boolean(),
    onesided: fc.boolean(),
    /** Parts lie next to one another, or each in a plane of its own. */
    planes: fc.boolean(),
    overlapping: fc.boolean(),
    mirrored: fc.boolean(),
    real: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ length, around, signals, complex, planes, ...p }) => {
      const mirrored = p.mirrored && complex;
      const side = Math.floor(length / 2) + 1;
      const samples = mirrored ? side : Math.min(length, p.samples);
      const bins = p.onesided ? Math.floor(length / 2) + 1 : length;
      const each = complex ? 8 : 4;
      const hop = p.overlapping ? each * 3 : each * samples;
      const plane = around * signals * bins * 4;
      const [bin, part] = planes ? [4, plane] : [8, 4];
      const options: FourierOptions = {
        axes: [{ count: around, steps: [4, signals * bins * bin] }],
        signals: { count: signals, steps: [hop, bins * bin] },
        length,
        samples,
        sampleStep: each,
        ...(complex && { imaginaryStep: 4 }),
        ...(mirrored && { mirrored }),
        ...(p.windowed && { windowStep: 4 }),
        bins,
        binStep: bin,
        ...(!p.real && { partStep: part }),
        inverse: p.inverse,
      };
      fc.pre(2 * plane < 8000 && signals * hop + each * samples < 8000);
      const at = operands(5);
      const prepare = (integers: Int32Array): void =>
        new Float32Array(integers.buffer).set(turnsOf(length, p.inverse), (at[2] ?? 0) / 4);
      const places = p.windowed ? at : at.slice(0, 4);
      expect(differenceOf(withoutWork, options, places, p.seed, prepare)).toBeUndefined();
    }),
    { numRuns: cases(400) },
  );
});

it("takes a length apart into stages whose product it is, and powers of two into fours", () => {
  const isPrime = (radix: number): boolean => {
    for (let factor = 2; factor * factor <= radix; factor += 1)
      if (radix % factor === 0) return false;
    return true;
  };
  for (let points = 1; points < 3000; points += 1) {
    let done = 1;
    for (const { radix, span, rest } of stagesOf(points)) {
      const isWhole = span === done && rest === points / (done * radix);
      if (!isWhole || (radix !== 4 && !isPrime(radix)))
        throw new Error(`of ${points}: ${radix} at ${span}, ${rest}`);
      done *= radix;
    }
    if (done !== points) throw new Error(`${points} became ${done}`);
  }
  expect(stagesOf(1024).map(({ radix }) => radix)).toEqual([4, 4, 4, 4, 4]);
});

it("turns by sines and cosines that mirror one another to the bit", () => {
  for (const length of [1, 2, 3, 7, 12, 360, 1024]) {
    const turns = turnsOf(length, false);
    const back = turnsOf(length, true);
    for (let at = 0; at < length; at += 1) {
      const [cos = 0, sin = 0] = turns.subarray(2 * at);
      expect(Math.abs(cos - Math.cos((2 * Math.PI * at) / length))).toBeLessThan(1e-7);
      expect(Math.abs(sin + Math.sin((2 * Math.PI * at) / length))).toBeLessThan(1e-7);
      const other = 2 * ((length - at) % length);
      // 0 and −0 are alike.
      expect(turns[other] === cos).toBe(true);
      expect(turns[other + 1] === -sin || at === 0).toBe(true);
      expect(back[2 * at + 1] === -sin).toBe(true);
    }
  }
  expect([...turnsOf(4, false)].map((x) => x + 0)).toEqual([1, 0, 0, -1, -1, 0, 0, 1]);
});

import {
  type Address,
  type Expression,
  f32x4,
  floats,
  i32,
  i32Add,
  i32Multiply,
  load,
  loadLane,
  loadSplat,
  type Local,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { choose, less } from "../encode/scalar.js";
import { turnAt } from "../../ops/families/signal.js";
import { emitStage, pointBytes, stagesOf, turnBytes } from "./fourier-stage.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Discrete Fourier transforms of signals. Steps are in bytes. */
export interface FourierOptions {
  /** Around those that are computed together: steps of input, output. */
  readonly axes: readonly Axis[];
  /** Signals that are computed together, four at a time: steps of input, output. */
  readonly signals: Axis;
  /** Of the transform. */
  readonly length: number;
  /** How many of these are there, `length` at most: the others are 0. */
  readonly samples: number;
  readonly sampleStep: number;
  /** From the real to the imaginary part of a sample; absent where signals are real. */
  readonly imaginaryStep?: number;
  /** The samples are one side of a spectrum, all of it: the others mirror them, as those of a real signal do. */
  readonly mirrored?: boolean;
  /** From one factor to the next, of those by which samples are multiplied; absent where there are none. */
  readonly windowStep?: number;
  /** The first so many frequencies are wanted. */
  readonly bins: number;
  readonly binStep: number;
  /** From the real to the imaginary part of a frequency; absent where the real one alone is wanted. */
  readonly partStep?: number;
  readonly inverse: boolean;
}

/** A real signal of even length is half as many complex numbers: even samples, with the odd ones as imaginary parts. */
function isHalved({ length, imaginaryStep }: FourierOptions): boolean {
  return imaginaryStep === undefined && length % 2 === 0;
}

function pointsOf(options: FourierOptions): number {
  return options.length / (isHalved(options) ? 2 : 1);
}

/** Of the memory that it works in: the points twice, and one more behind each. */
export function workBytes(options: FourierOptions): number {
  return 2 * (pointsOf(options) + 1) * pointBytes;
}

/** What it multiplies by: e^(∓2πi·at/length), cosine and sine, in double precision and rounded once. */
export function turnsOf(length: number, inverse: boolean): Float32Array {
  const turns = new Float32Array(2 * length);
  for (let at = 0; at < length; at += 1) {
    const [cos, sin] = turnAt(at, length);
    turns.set([cos, inverse ? sin : -sin], 2 * at);
  }
  return turns;
}

/**
 * Four signals lie in the lanes of vectors, so that each step is the same for all of them. Their samples are gathered, times
 * the window; stages of small transforms follow, which put what they give in order (Stockham), a factor of the length each;
 * of halves the two spectra are told apart; what is wanted is put where it belongs. The last four are counted from the end,
 * and some of them may have been computed before.
 *
 * Loops: axes › fours of signals › the parts above. Parameters: input, output, turns, work and, where there is one, window.
 */
export const fourier: Kernel<FourierOptions> = {
  name: "fourier",
  emit(options) {
    const { axes, signals, inverse } = options;
    const f = new FunctionBuilder(options.windowStep === undefined ? 4 : 5);
    const [input, output, turns, work] = [0, 1, 2, 3].map((at) => f.parameter(at));
    if (!input || !output || !turns || !work) return f;
    const points = pointsOf(options);
    const isEven = isHalved(options);
    const lanes = Math.min(laneCount, signals.count);
    const other = f.local("i32");
    f.set(other, i32Add(work, i32((points + 1) * pointBytes)));
    const [first, from, to] = [f.local("i32"), f.local("i32"), f.local("i32")];
    nest(f, axes, [input, output], () => {
      f.set(first, i32(0));
      f.times(Math.ceil(signals.count / laneCount), () => {
        const last = i32(signals.count - lanes);
        const start = f.local("i32");
        f.set(start, choose(less(first, last), first, last));
        f.set(from, i32Add(input, i32Multiply(start, i32(signals.steps[0] ?? 0))));
        f.set(to, i32Add(output, i32Multiply(start, i32(signals.steps[1] ?? 0))));
        collect(f, options, from, work, lanes);
        let [source, target] = [work, other];
        const unit = isEven ? 2 * turnBytes : turnBytes;
        for (const stage of stagesOf(points)) {
          emitStage(f, stage, { source, target, turns, points, unit, inverse });
          [source, target] = [target, source];
        }
        spread(f, options, source, to, turns, lanes);
        f.advance(first, laneCount);
      });
    });
    return f;
  },

  reference(options, memory, at) {
    const { axes, signals, length, samples, sampleStep, bins, binStep, partStep } = options;
    const { imaginaryStep, windowStep, inverse } = options;
    const { floats: numbers } = memory;
    const window = at[4] ?? 0;
    const sampleAt = (start: number, index: number): number => {
      const x = numbers[(start + index * sampleStep) / floatBytes] ?? 0;
      const by = windowStep === undefined ? 1 : numbers[(window + index * windowStep) / floatBytes];
      return Math.fround(x * (by ?? 0));
    };
    const turns = Array.from({ length }, (_, index) => turnAt(index, length));
    walk([...axes, signals], at.slice(0, 2), ([input = 0, output = 0]) => {
      const all = Array.from({ length: samples }, (_, index) => [
        sampleAt(input, index),
        imaginaryStep === undefined ? 0 : sampleAt(input + imaginaryStep, index),
      ]);
      if (options.mirrored === true)
        for (let index = samples; index < length; index += 1) {
          const [re = 0, im = 0] = all[length - index] ?? [];
          all.push([re, -im]);
        }
      for (let bin = 0; bin < bins; bin += 1) {
        let [real, imaginary] = [0, 0];
        for (const [index, [re = 0, im = 0]] of all.entries()) {
          const [cos = 1, sine = 0] = turns[(bin * index) % length] ?? [];
          const sin = inverse ? sine : -sine;
          real += re * cos - im * sin;
          imaginary += re * sin + im * cos;
        }
        const place = (output + bin * binStep) / floatBytes;
        numbers[place] = inverse ? real / length : real;
        if (partStep !== undefined)
          numbers[place + partStep / floatBytes] = inverse ? imaginary / length : imaginary;
      }
    });
  },
};

/** Puts the signals' samples, times the window, into memory as complex numbers; what is not there is 0. */
function collect(
  f: FunctionBuilder,
  options: FourierOptions,
  from: Local<"i32">,
  work: Local<"i32">,
  lanes: number,
): void {
  const { samples, sampleStep, imaginaryStep, windowStep = 0 } = options;
  const each = isHalved(options) ? 2 : 1;
  const points = pointsOf(options);
  const [x, to, by] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const value = f.local("v128");
  f.set(x, from);
  f.set(to, work);
  if (options.windowStep !== undefined) f.set(by, f.parameter(4));
  /** A sample of each signal, `at` of them behind the one that is next. */
  const put = (part: 0 | 1, at: number, bytes: number): void => {
    const address = (lane: number): Address =>
      i32Add(x, i32(bytes + lane * (options.signals.steps[0] ?? 0)));
    f.set(value, loadSplat(address(0)));
    for (let lane = 1; lane < lanes; lane += 1) f.set(value, loadLane(value, lane, address(lane)));
    const factor = loadSplat(i32Add(by, i32(at * windowStep)));
    f.store(
      to,
      part * vectorBytes,
      options.windowStep === undefined ? value : f32x4.multiply(value, factor),
    );
  };
  const zero = (part: 0 | 1): void => f.store(to, part * vectorBytes, floats(0));
  nest(f, [{ count: Math.floor(samples / each), steps: [each * sampleStep, pointBytes, each * windowStep] }], [x, to, by], () => {
    put(0, 0, 0);
    if (each === 2) put(1, 1, sampleStep);
    else if (imaginaryStep === undefined) zero(1);
    else put(1, 0, imaginaryStep);
  }); // prettier-ignore
  if (samples % each === 1) {
    put(0, 0, 0);
    zero(1);
    f.advance(to, pointBytes);
  }
  const others = points - Math.ceil(samples / each);
  const mirrors = options.mirrored === true ? others : 0;
  f.times(others - mirrors, () => {
    zero(0);
    zero(1);
    f.advance(to, pointBytes);
  });
  f.set(x, i32Add(work, i32(mirrors * pointBytes)));
  nest(f, [{ count: mirrors, steps: [-pointBytes, pointBytes] }], [x, to], () => {
    f.store(to, 0, load(x));
    f.store(to, vectorBytes, f32x4.negate(load(x, vectorBytes)));
  });
}

/** Puts the frequencies that are wanted where they belong. */
function spread(
  f: FunctionBuilder,
  options: FourierOptions,
  source: Local<"i32">,
  to: Local<"i32">,
  turns: Local<"i32">,
  lanes: number,
): void {
  const { length, bins, binStep, partStep, inverse, signals } = options;
  const points = pointsOf(options);
  const [re, im] = [f.local("v128"), f.local("v128")];
  const [at, result] = [f.local("i32"), f.local("i32")];
  const scaled = (x: Vector): Vector => (inverse ? f32x4.multiply(x, floats(1 / length)) : x);
  const put = (): void => {
    f.set(re, scaled(re));
    f.set(im, scaled(im));
    for (let lane = 0; lane < lanes; lane += 1) {
      const address = i32Add(result, i32(lane * (signals.steps[1] ?? 0)));
      f.storePart(address, 0, re, floatBytes, lane);
      if (partStep !== undefined)
        f.storePart(i32Add(address, i32(partStep)), 0, im, floatBytes, lane);
    }
  };
  f.set(result, to);
  f.set(at, source);
  if (!isHalved(options)) {
    nest(f, [{ count: bins, steps: [pointBytes, binStep] }], [at, result], () => {
      f.set(re, load(at));
      f.set(im, load(at, vectorBytes));
      put();
    });
    return;
  }
  // Behind the last one comes the first again.
  const end = (part: 0 | 1): Expression<"i32"> =>
    i32Add(source, i32(points * pointBytes + part * vectorBytes));
  f.store(end(0), 0, load(source));
  f.store(end(1), 0, load(source, vectorBytes));
  const [mirror, turn] = [f.local("i32"), f.local("i32")];
  /** Frequencies from one on; behind half of the length they mirror those before. */
  const told = (start: number, count: number, isMirrored: boolean): void => {
    f.set(at, i32Add(source, i32(start * pointBytes)));
    f.set(mirror, i32Add(source, i32((points - start) * pointBytes)));
    f.set(turn, i32Add(turns, i32(start * turnBytes)));
    f.set(result, i32Add(to, i32((isMirrored ? length - start : start) * binStep)));
    const steps = [pointBytes, -pointBytes, turnBytes, isMirrored ? -binStep : binStep];
    nest(f, [{ count, steps }], [at, mirror, turn, result], () => {
      tellApart(f, { at, mirror, turn, re, im });
      if (isMirrored) f.set(im, f32x4.negate(im));
      put();
    });
  };
  told(0, Math.min(bins, points + 1), false);
  if (bins > points + 1) told(length - bins + 1, bins - points - 1, true);
}

interface Told {
  readonly at: Local<"i32">;
  readonly mirror: Local<"i32">;
  readonly turn: Local<"i32">;
  readonly re: Local<"v128">;
  readonly im: Local<"v128">;
}

/**
 * Of the points z = e + i·o, where e is the spectrum of the even samples and o that of the odd ones, e(k) = (z(k) + z̄(−k))/2
 * and o(k) = (z(k) − z̄(−k))/2i: the whole is e(k) + o(k)·turn(k).
 */
function tellApart(f: FunctionBuilder, { at, mirror, turn, re, im }: Told): void {
  const { add, subtract, multiply } = f32x4;
  const [oddRe, oddIm] = [f.scratch("odd re"), f.scratch("odd im")];
  const [cos, sin] = [f.scratch("cos"), f.scratch("sin")];
  const half = floats(0.5);
  const [own, ownIm] = [load(at), load(at, vectorBytes)];
  const [other, otherIm] = [load(mirror), load(mirror, vectorBytes)];
  f.set(oddRe, multiply(add(ownIm, otherIm), half));
  f.set(oddIm, multiply(subtract(other, own), half));
  f.set(re, multiply(add(own, other), half));
  f.set(im, multiply(subtract(ownIm, otherIm), half));
  f.set(cos, loadSplat(turn));
  f.set(sin, loadSplat(turn, floatBytes));
  f.set(re, add(re, subtract(multiply(oddRe, cos), multiply(oddIm, sin))));
  f.set(im, add(im, add(multiply(oddRe, sin), multiply(oddIm, cos))));
}

import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { dtypeOfCode } from "../../ir/index.js";
import { integers, isFloat, pack, unpackNumbers, workingArray } from "../elements/arrays.js";
import { normalAxis, stridesOf } from "../families/indexing.js";
import { binsOf, isMelWithin, melPoints, turnAt } from "../families/signal.js";
import type { Some } from "../schema/cells.js";
import type { signalSchemas } from "../schema/signal.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";

/** a₀ − a₁ cos(2πi/N) + a₂ cos(4πi/N), where N is one less if the window is to be symmetric. */
function cosineSum(a0: number, a1: number, a2: number): Evaluation {
  return (context) => {
    const [size] = integersOf(context, 0);
    const period = context.attributes.int("periodic", 1) === 0 ? size - 1 : size;
    return [
      madeOf(context, [size], (at) => {
        const [once] = turnAt(at, Math.max(1, period));
        const [twice] = turnAt(2 * at, Math.max(1, period));
        return a0 - a1 * once + a2 * twice;
      }),
    ];
  };
}

export const signalReferences: Some<typeof signalSchemas, Evaluation> = {
  HannWindow: cosineSum(0.5, 0.5, 0),
  HammingWindow: cosineSum(25 / 46, 21 / 46, 0),
  BlackmanWindow: cosineSum(0.42, 0.5, 0.08),
  /**
   * Triangles at equal distances by the mel scale: each rises to 1 from the point before its own to its own, and falls to
   * the next; points are frequencies of the transform.
   */
  MelWeightMatrix(context) {
    const [mels = 0, length = 0, rate = 0] = [0, 1, 2].map(
      (input) => integersOf(context, input)[0],
    );
    const [low = 0, high = 0] = [3, 4].map((input) => unpackNumbers(context.input(input))[0]);
    const sizes = { mels, length, rate, low, high };
    if (!isMelWithin(sizes)) throw malformed("edges outside its frequencies");
    const points = melPoints(sizes);
    const bins = binsOf(length, true);
    const weights = new Float64Array(bins * mels);
    for (let mel = 0; mel < mels; mel += 1) {
      const [start = 0, centre = 0, end = 0] = points.slice(mel, mel + 3);
      for (let bin = start; bin < centre; bin += 1)
        weights[bin * mels + mel] = (bin - start) / (centre - start);
      weights[centre * mels + mel] = 1;
      for (let bin = centre + 1; bin < end; bin += 1)
        weights[bin * mels + mel] = (end - bin) / (end - centre);
    }
    return [madeOf(context, [bins, mels], (at) => weights[at] ?? 0)];
  },
  DFT(context) {
    const x = context.input(0);
    const rank = x.dims.length;
    const axis = normalAxis(context.inputs[2] ? integersOf(context, 2)[0] : -2, rank);
    if (axis < 0 || axis >= rank - 1) throw malformed("an axis that holds no samples");
    const size = x.dims[axis] ?? 0;
    const onesided = context.attributes.int("onesided", 0) !== 0;
    const inverse = context.attributes.int("inverse", 0) !== 0;
    // Of one side of a spectrum the other mirrors it, and the signal is real.
    const isReal = onesided && inverse;
    const given = context.inputs[1] ? integersOf(context, 1)[0] : undefined;
    const length = given ?? (isReal ? 2 * (size - 1) : size);
    if (length < 1) throw malformed("a length below 1");
    // Of what is cut or padded engines think differently.
    if (isReal && size !== binsOf(length, true))
      throw new PareError("UNSUPPORTED_OP", "It is not one side of a spectrum of that length.");
    const [bins, parts] = [binsOf(length, onesided && !inverse), isReal ? 1 : 2];
    const dims = x.dims.map((own, at) => (at === axis ? bins : at === rank - 1 ? parts : own));
    const to = workingArray(x.type, elementCount(dims));
    const [from, steps, strides] = [unpackNumbers(x), stridesOf(x.dims), stridesOf(dims)];
    const others = dims.map((own, at) => (at === axis || at === rank - 1 ? 1 : own));
    for (let signal = 0; signal < elementCount(others); signal += 1) {
      const [start, target] = [steps, strides].map((by) => placeOf(signal, others, by));
      const partAt = (at: number, part: number): number =>
        at < size && part < (x.dims[rank - 1] ?? 1)
          ? (from[(start ?? 0) + at * (steps[axis] ?? 0) + part] ?? 0)
          : 0;
      const sampleAt = (at: number, part: number): number =>
        isReal && 2 * at > length
          ? partAt(length - at, part) * (part === 0 ? 1 : -1)
          : partAt(at, part);
      transform(sampleAt, length, bins, inverse, (bin, part, value) => {
        if (part < parts) to[(target ?? 0) + bin * (strides[axis] ?? 0) + part] = value;
      });
    }
    return [pack(x.type, dims, to)];
  },
  STFT(context) {
    const x = context.input(0);
    const [batch = 0, size = 0, parts = 1] = x.dims;
    const [step] = integersOf(context, 1);
    const window = context.inputs[2] ? unpackNumbers(context.inputs[2]) : undefined;
    const length = window?.length ?? integersOf(context, 3)[0];
    if (step < 1 || length > size) throw malformed("a frame that does not fit");
    const frames = Math.floor((size - length) / step) + 1;
    const bins = binsOf(length, context.attributes.int("onesided", 1) !== 0);
    const dims = [batch, frames, bins, 2];
    const to = workingArray(x.type, elementCount(dims));
    const from = unpackNumbers(x);
    for (let frame = 0; frame < batch * frames; frame += 1) {
      const start = Math.floor(frame / frames) * size + (frame % frames) * step;
      const sampleAt = (at: number, part: number): number =>
        part < parts ? (from[(start + at) * parts + part] ?? 0) * (window?.[at] ?? 1) : 0;
      transform(sampleAt, length, bins, false, (bin, part, value) => {
        to[(frame * bins + bin) * 2 + part] = value;
      });
    }
    return [pack(x.type, dims, to)];
  },
};

/** Σ x·e^(∓2πi·bin·at/length) by its definition, divided by the length where it is the inverse. */
function transform(
  sampleAt: (at: number, part: number) => number,
  length: number,
  bins: number,
  inverse: boolean,
  write: (bin: number, part: number, value: number) => void,
): void {
  const turns = Array.from({ length }, (_, at) => turnAt(at, length));
  const scale = inverse ? 1 / length : 1;
  for (let bin = 0; bin < bins; bin += 1) {
    let [real, imaginary] = [0, 0];
    for (let at = 0; at < length; at += 1) {
      const [cos = 1, sine = 0] = turns[(bin * at) % length] ?? [];
      const [re, im, sin] = [sampleAt(at, 0), sampleAt(at, 1), inverse ? sine : -sine];
      real += re * cos - im * sin;
      imaginary += re * sin + im * cos;
    }
    write(bin, 0, real * scale);
    write(bin, 1, imaginary * scale);
  }
}

/** Where the element lies whose place among the dims, row-major, is given. */
function placeOf(index: number, dims: readonly number[], strides: readonly number[]): number {
  let [rest, place] = [index, 0];
  for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
    place += (rest % (dims[axis] ?? 1)) * (strides[axis] ?? 0);
    rest = Math.floor(rest / (dims[axis] ?? 1));
  }
  return place;
}

/** The integers of an input, of which the first is at least asked for. @throws PareError MODEL_SHAPE where there is none */
function integersOf({ input }: EvaluateContext, at: number): readonly [number, ...number[]] {
  const [first, ...rest] = integers(input(at));
  if (first === undefined) throw malformed("an empty input");
  return [first, ...rest];
}

/** What is made of nothing but sizes, in the dtype that is asked for. @throws PareError MODEL_SHAPE, UNSUPPORTED_OP */
function madeOf(
  { attributes }: EvaluateContext,
  dims: readonly number[],
  numberAt: (at: number) => number,
): Dense {
  const type = dtypeOfCode(attributes.int("output_datatype", 1));
  // As integers, what is 1 but for rounding would be 0 on some engines.
  if (type === undefined || !isFloat(type))
    throw new PareError("UNSUPPORTED_OP", "It is computed in floating point alone.");
  if (dims.some((size) => size < 0)) throw malformed("a negative size");
  const to = workingArray(type, elementCount(dims));
  for (let at = 0; at < to.length; at += 1) to[at] = numberAt(at);
  return pack(type, dims, to);
}

function malformed(what: string): PareError {
  return new PareError("MODEL_SHAPE", `It has ${what}.`);
}

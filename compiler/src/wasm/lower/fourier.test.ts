import { cpu } from "@pare/runtime/ort-node";
import type { Tensors } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph, tensorType, type ValueId } from "../../ir/index.js";
import { evaluateGraph } from "../../ops/index.js";
import { run } from "../../passes/quantization/engine-case.test.support.js";
import { normalizeGraph } from "../../passes/normalize.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { cases } from "../cases.test.support.js";
import { planOf, refusalsOf } from "../compile.js";
import { enginesHere } from "../kernels/kernel-case.test.support.js";
import { compare, feedsFor, relativeError, runModule } from "../run-model.test.support.js";

/**
 * Both modules, with memory poisoned between steps, and the references, against onnxruntime, which goes through longer
 * transforms of floats where a length is no power of two, and is not exact; and modules against the sum itself, closely.
 */
async function expectAgreement(graph: Graph): Promise<void> {
  expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-4);
  expect(await errorOf(graph)).toBeLessThan(2e-6);
}

/** How far a module is from the sum itself, in double precision. */
async function errorOf(graph: Graph): Promise<number> {
  const plan = await planOf(graph);
  const feeds: Tensors = feedsFor(plan);
  const exact = await evaluateGraph(graph, feeds);
  return Math.max(
    ...enginesHere.map((engine) => relativeError(exact, runModule(plan, feeds, engine, true))),
  );
}

const size = (min: number, max: number) => fc.integer({ min, max });

interface Transform {
  readonly dims: readonly number[];
  readonly axis?: number | undefined;
  readonly length?: number | undefined;
  readonly onesided?: boolean;
  readonly inverse?: boolean;
}

function dft({ dims, axis, length, onesided = false, inverse = false }: Transform): Graph {
  return graphOf({ x: ["float32", ...dims] }, (input, b) => {
    const given = [
      input("x"),
      length === undefined ? null : b.ints([length], []),
      axis === undefined ? null : b.ints([axis], []),
    ];
    while (given.at(-1) === null) given.pop();
    return {
      y: b.add("DFT", given, {
        onesided: attribute.int(onesided ? 1 : 0),
        inverse: attribute.int(inverse ? 1 : 0),
      }),
    };
  });
}

interface Frames {
  readonly batch: number;
  readonly size: number;
  /** Numbers of a sample; undefined: the signal has no axis of them. */
  readonly parts: 1 | 2 | undefined;
  readonly step: number;
  readonly length: number;
  readonly onesided: boolean;
  readonly window: "none" | "constant" | "computed" | "one" | "made";
  /** Whether the length of frames is said where there is a window. */
  readonly said: boolean;
}

function windowOf(kind: Frames["window"], length: number, x: ValueId, b: Builder): ValueId | null {
  switch (kind) {
    case "constant":
      return b.weights(length);
    case "computed": {
      const ends = [b.ints([0]), b.ints([length]), b.ints([1])] as const;
      const flat = b.add("Reshape", [x, b.ints([-1])]);
      return b.add("Abs", [b.add("Slice", [flat, ends[0], ends[1], b.ints([0]), ends[2]])]);
    }
    case "one":
      return b.add("ConstantOfShape", [b.ints([length])]);
    case "made":
      return b.add("HannWindow", [b.ints([length], [])]);
    default:
      return null;
  }
}

function stft({ batch, size: samples, parts, step, length, window, ...p }: Frames): Graph {
  const dims = [batch, samples, ...(parts === undefined ? [] : [parts])];
  return graphOf({ x: ["float32", ...dims] }, (input, b) => {
    const factors = windowOf(window, length, input("x"), b);
    const own = factors === null || p.said ? b.ints([length], []) : null;
    const given = [input("x"), b.ints([step], []), factors, own];
    while (given.at(-1) === null) given.pop();
    return { y: b.add("STFT", given, { onesided: attribute.int(p.onesided ? 1 : 0) }) };
  });
}

it("transforms along an axis as onnxruntime does: cuts and pads, one side, both ways", async () => {
  const problem = fc.record({
    around: fc.array(size(1, 5), { maxLength: 2 }),
    samples: fc.oneof(size(1, 40), fc.constantFrom(64, 128, 100, 97)),
    place: size(0, 2),
    parts: fc.constantFrom(1, 2),
    length: fc.option(fc.oneof(size(1, 48), fc.constantFrom(64, 128)), { nil: undefined }),
    onesided: fc.boolean(),
    inverse: fc.boolean(),
    negative: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ around, samples, place, parts, length, ...p }) => {
      const at = Math.min(place, around.length);
      const onesided = p.onesided && (parts === 2) === p.inverse;
      const isSide = onesided && p.inverse;
      const side = isSide && length !== undefined ? Math.floor(length / 2) + 1 : samples;
      // One side of one number has no length of its own.
      fc.pre(!(isSide && samples === 1 && length === undefined));
      const dims = [...around.slice(0, at), side, ...around.slice(at), parts];
      const axis = p.negative ? at - dims.length : at;
      await expectAgreement(dft({ dims, axis, length, onesided, inverse: p.inverse }));
    }),
    { numRuns: cases(120) },
  );
});

it("takes the last axis but one where none is given", async () => {
  await expectAgreement(dft({ dims: [2, 3, 5, 2] }));
  await expectAgreement(dft({ dims: [6, 1] }));
});

it("transforms frames as onnxruntime does: steps, windows, sides, real and complex signals", async () => {
  const problem: fc.Arbitrary<Frames> = fc.record({
    batch: size(1, 3),
    size: size(20, 90),
    parts: fc.constantFrom(undefined, 1 as const, 2 as const),
    step: size(1, 9),
    length: fc.oneof(size(1, 20), fc.constantFrom(16)),
    onesided: fc.boolean(),
    window: fc.constantFrom("none", "constant", "computed", "one", "made"),
    said: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (frames) => {
      const graph = stft(frames);
      // onnxruntime 1.30 reads the window of a complex signal as complex numbers, beyond its end.
      if (frames.parts === 2 && frames.window !== "none")
        expect(await errorOf(graph)).toBeLessThan(2e-6);
      else await expectAgreement(graph);
    }),
    { numRuns: cases(120) },
  );
});

it.each([1024, 441, 1018])("is as exact as float32 allows over %i samples", async (length) => {
  for (const parts of [1, 2])
    for (const inverse of [false, true]) {
      const graph = dft({ dims: [1, length, parts], inverse });
      expect(await errorOf(graph)).toBeLessThan(2e-6);
    }
  const frames = { batch: 1, size: 3 * length, parts: undefined, step: length >> 2, length };
  const graph = stft({ ...frames, onesided: true, window: "made", said: true });
  expect(await errorOf(graph)).toBeLessThan(2e-6);
});

it("tells a quiet frame beside a loud one exactly: frames are computed together, and stay apart", async () => {
  const graph = graphOf({ x: ["float32", 1, 32] }, (input, b) => {
    const loud = b.floats(
      Array.from({ length: 32 }, (_, at) => (at < 16 ? 1e8 : 1e-8)),
      [1, 32],
    );
    const signal = b.add("Mul", [input("x"), loud]);
    const y = b.add("STFT", [signal, b.ints([16], []), null, b.ints([16], [])]);
    const ends = [b.ints([1]), b.ints([2]), b.ints([1])];
    return { y: b.add("Mul", [b.add("Slice", [y, ...ends]), b.floats([1e8])]) };
  });
  expect(await errorOf(graph)).toBeLessThan(1e-6);
});

it("gives mel spectra as onnxruntime does: window, frames, powers, weights", async () => {
  const graph = graphOf({ x: ["float32", 1, 1600] }, (input, b) => {
    const window = b.add("HammingWindow", [b.ints([400], [])]);
    const spectrum = b.add("STFT", [input("x"), b.ints([160], []), window]);
    const powers = b.add("ReduceSumSquare", [spectrum, b.ints([-1])], {
      keepdims: attribute.int(0),
    });
    const numbers = [20, 400, 16000].map((number) => b.ints([number], []));
    const mel = b.add("MelWeightMatrix", [...numbers, b.floats([20]), b.floats([7600])]);
    return { y: b.add("Log", [b.add("Add", [b.add("MatMul", [powers, mel]), b.floats([1e-3])])]) };
  });
  await expectAgreement(graph);
});

async function reasons(graph: Graph): Promise<readonly string[]> {
  return (await refusalsOf(graph)).map(({ why }) => why);
}

it.each<[string, () => Graph]>([
  ["a tensor has no elements", () => dft({ dims: [1, 8, 1], length: 0 })],
  ["a transform of 0 samples is none", () => dft({ dims: [1, 8, 1], length: 0, onesided: true })],
  ["6 samples are not one side of a spectrum of 8", () => dft({ dims: [1, 6, 2], length: 8, onesided: true, inverse: true })], // prettier-ignore
  ["transforms of more than 262144 samples are not compiled", () => dft({ dims: [1, 8, 1], length: 2 ** 18 + 2 })], // prettier-ignore
  ["65537 samples have a prime factor above 16384: pad them to a length with small factors", () => dft({ dims: [1, 8, 1], length: 65537 })], // prettier-ignore
  ["its axis 2 holds no samples", () => dft({ dims: [1, 8, 2], axis: 2 })],
  ["its last axis holds 3 parts of a number: there is one of a real number, and two of a complex one", () => dft({ dims: [1, 8, 3] })], // prettier-ignore
  ["one side is given of real numbers, and its inverse of complex ones", () => dft({ dims: [1, 8, 2], onesided: true })], // prettier-ignore
  ["one side is given of real numbers, and its inverse of complex ones", () => dft({ dims: [1, 8, 1], onesided: true, inverse: true })], // prettier-ignore
])("refuses: %s", async (why, graph) => {
  expect(await reasons(graph())).toContain(why);
});

it("refuses lengths that a run computes, and steps that do not move on", async () => {
  const computed = graphOf({ x: ["float32", 1, 8, 1], n: ["int64"] }, (input, b) => ({
    y: b.add("DFT", [input("x"), input("n")]),
  }));
  expect(await reasons(computed)).not.toEqual([]);
  const axis = graphOf({ x: ["float32", 1, 8, 1], n: ["int64"] }, (input, b) => ({
    y: b.add("DFT", [input("x"), null, input("n")]),
  }));
  expect(await reasons(axis)).not.toEqual([]);
});

it.each([
  [0, 4, "a step of 0 does not move on"],
  [-1, 4, "a step of -1 does not move on"],
  [1, 20, "its frames are longer than the signal"],
])("refuses a step of %i with frames of %i, whatever a file says of the result", async (step, length, why) => {
  const graph = graphOf({ x: ["float32", 1, 8] }, (input, b) => {
    const y = b.add("STFT", [input("x"), b.ints([step], []), null, b.ints([length], [])]);
    b.editor.setType(y, tensorType("float32", [1, 3, Math.floor(length / 2) + 1, 2]));
    return { y };
  });
  expect(await reasons(graph)).toContain(why);
}); // prettier-ignore

it("opsets before 20 say the axis otherwise, and mean the second", async () => {
  const graph = graphOf(
    { x: ["float32", 2, 3, 4, 1] },
    (input, b) => ({ y: b.add("DFT", [input("x")], { onesided: attribute.int(1) }) }),
    17,
  );
  const [y] = graph.main.outputs;
  expect(y === undefined ? y : graph.value(y).type).toMatchObject({ shape: [2, 2, 4, 2] });
  const feeds: Tensors = { x: { type: "float32", dims: [2, 3, 4, 1], data: Float32Array.from({ length: 24 }, (_, at) => at % 7) } }; // prettier-ignore
  const expected = await run(graph, feeds, cpu());
  normalizeGraph(graph);
  const plan = await planOf(graph);
  for (const engine of enginesHere)
    expect(relativeError(expected, runModule(plan, feeds, engine))).toBeLessThan(1e-5);
});

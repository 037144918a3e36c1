import * as fc from "fast-check";
import type { Tensor as Dense } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute, type Attributes } from "../../ir/index.js";
import { opsOf } from "../../rules/rule-case.test.support.js";
import { runRules } from "../../rules/run-rules.js";
import { sumVectors } from "../../rules/linear-vectors.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { byEngine, byModule, classical, difference, floats, strings } from "./classical-case.test.support.js"; // prettier-ignore

const features = 3;
const domainKernels = ["LINEAR", "POLY", "RBF", "SIGMOID"] as const;
const number = fc.integer({ min: -16, max: 16 }).map((x) => x / 8);
const numbers = (count: number) => fc.array(number, { minLength: count, maxLength: count });

/** A kernel, and numbers that lie far from 0 or do not. */
const kernel = fc.record({
  kernel: fc.constantFrom(...domainKernels),
  gamma: fc.constantFrom(0.125, 0.5),
  offset: fc.constantFrom(0, 0.5),
  degree: fc.constantFrom(1, 2, 3, 5),
  away: fc.constantFrom(0, 0, 64),
});
type Kernel = typeof kernel extends fc.Arbitrary<infer T> ? T : never;

function comparing(own: Kernel, vectors: readonly number[]): Attributes {
  return {
    kernel_type: attribute.string(own.kernel),
    kernel_params: attribute.floats([own.gamma, own.offset, own.degree]),
    support_vectors: attribute.floats(vectors.map((x) => x + awayOf(own))),
  };
}

/** Products of numbers that are far from 0 are large, and so is what rounding does to them. */
function awayOf({ kernel: name, away }: Kernel): number {
  return name === "RBF" ? away : 0;
}

const samplesOf = (own: Kernel, values: readonly number[]) =>
  floats(
    [values.length / features, features],
    values.map((x) => x + awayOf(own)),
  );

const classifier = kernel.chain((own) =>
  fc.integer({ min: 2, max: 4 }).chain((classes) =>
    fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: classes - 1, maxLength: classes - 1 })
      // onnxruntime asks where the last class begins even where it has none.
      .map((counts) => [...counts, 1])
      .chain((counts) => {
        const count = counts.reduce((sum, one) => sum + one, 0);
        const pairs = (classes * (classes - 1)) / 2;
        return fc.record({
          own: fc.constant(own),
          counts: fc.constant(counts),
          vectors: numbers(count * features),
          coefficients: numbers((classes - 1) * count),
          rho: numbers(pairs),
          slopes: fc.option(numbers(pairs)),
          shifts: numbers(pairs),
          samples: numbers(4 * features),
        });
      }),
  ),
);
type Classifier = typeof classifier extends fc.Arbitrary<infer T> ? T : never;

function classifying(p: Classifier): ReturnType<typeof classical> {
  const { length: classes } = p.counts;
  const own = {
    ...comparing(p.own, p.vectors),
    vectors_per_class: attribute.ints(p.counts),
    coefficients: attribute.floats(p.coefficients),
    rho: attribute.floats(p.rho),
    classlabels_strings: strings(["a", "b", "c", "d"].slice(0, classes)),
    ...(p.slopes === null
      ? {}
      : { prob_a: attribute.floats(p.slopes), prob_b: attribute.floats(p.shifts) }),
  };
  return classical("SVMClassifier", { x: ["float32", 4, features] }, own, ["label", "scores"]);
}

const sizes = (tensor: Dense | undefined): readonly number[] =>
  [...(tensor?.data ?? [])].map((x) => Math.abs(Number(x)));

/** Where a score is nearly 0, rounding decides. */
const isDecided = (scores: Dense | undefined): boolean => sizes(scores).every((x) => x > 1e-4);

async function expectAlike(p: Classifier, isSummed: boolean): Promise<void> {
  const feeds = { x: samplesOf(p.own, p.samples) };
  const graph = classifying(p);
  const pairs = await byEngine(classifying({ ...p, slopes: null }), feeds);
  const expected = await byEngine(graph, feeds);
  if (isSummed) {
    await runRules(graph, [sumVectors], {});
    expect(opsOf(graph)).toEqual(["SVMClassifier"]);
  } else expect((await supportOf(graph, aot)).obstacles).toEqual([]);
  const actual = isSummed ? await byEngine(graph, feeds) : await byModule(graph, feeds);
  const scale = Math.max(1, ...sizes(expected["scores"]));
  const named = (all: typeof actual, name: string) => ({ y: all[name] ?? floats([0], []) });
  expect(difference(named(expected, "scores"), named(actual, "scores")) / scale).toBeLessThan(2e-5);
  if (isDecided(pairs["scores"])) expect(actual["label"]?.data).toEqual(expected["label"]?.data);
}

it("tells classes by support vectors as the engine does, with scores of pairs or probabilities", async () => {
  await fc.assert(
    fc.asyncProperty(classifier, (p) => expectAlike(p, false)),
    { numRuns: cases(40) },
  );
});

it("sums the vectors of a linear kernel, one for each pair", async () => {
  const linear = classifier.map((p) => ({ ...p, own: { ...p.own, kernel: "LINEAR" as const } }));
  await fc.assert(
    fc.asyncProperty(linear, (p) => expectAlike(p, true)),
    { numRuns: cases(25) },
  );
});

const regressor = fc.record({
  own: kernel,
  count: fc.integer({ min: 0, max: 3 }),
  coefficients: numbers(3),
  vectors: numbers(3 * features),
  rho: number,
  oneClass: fc.boolean(),
  samples: numbers(4 * features),
});

it("scores by support vectors, or by coefficients alone, as the engine does", async () => {
  await fc.assert(
    fc.asyncProperty(regressor, async ({ own, count, coefficients, vectors, rho, ...p }) => {
      const plain: Kernel = count === 0 ? { ...own, away: 0 } : own;
      const graph = (oneClass: boolean) =>
        classical(
          "SVMRegressor",
          { x: ["float32", 4, features] },
          {
            ...comparing(plain, vectors.slice(0, count * features)),
            coefficients: attribute.floats(coefficients.slice(0, count === 0 ? features : count)),
            rho: attribute.floats([rho]),
            n_supports: attribute.int(count),
            one_class: attribute.int(oneClass ? 1 : 0),
          },
        );
      const feeds = { x: samplesOf(plain, p.samples) };
      const scores = await byEngine(graph(false), feeds);
      const scale = Math.max(1, ...sizes(scores["y"]));
      if (p.oneClass && !isDecided(scores["y"])) return;
      const expected = await byEngine(graph(p.oneClass), feeds);
      expect((await supportOf(graph(p.oneClass), aot)).obstacles).toEqual([]);
      expect(difference(expected, await byModule(graph(p.oneClass), feeds)) / scale).toBeLessThan(2e-5); // prettier-ignore
      const rewritten = graph(p.oneClass);
      await runRules(rewritten, [sumVectors], {});
      expect(difference(expected, await byEngine(rewritten, feeds)) / scale).toBeLessThan(2e-5);
    }),
    { numRuns: cases(40) },
  );
});

const plain: Classifier = {
  own: { kernel: "LINEAR", gamma: 0.5, offset: 0, degree: 1, away: 0 },
  counts: [2, 1, 1],
  vectors: Array.from({ length: 4 * features }, (_, at) => at / 4),
  coefficients: Array.from({ length: 8 }, (_, at) => at - 3),
  rho: [0, 1, 2],
  slopes: [-1, -2, -1],
  shifts: [0, 1, 0],
  samples: [],
};

it.each<[string, Partial<Classifier>, string]>([
  [
    "coefficients that are too few",
    { coefficients: [1] },
    "its coefficients are not as many as its vectors and classes",
  ],
  [
    "vectors that are too short",
    { vectors: [1, 2, 3, 4] },
    "its vectors are not as long as a sample",
  ],
  [
    "vectors of no whole length",
    { vectors: [1, 2, 3] },
    "its vectors are not as long as they should be",
  ],
  ["no vectors", { counts: [0, 0, 0] }, "it has no support vectors"],
  [
    "fewer probabilities than scores",
    { slopes: [1], shifts: [1] },
    "its probabilities are not as many as its scores",
  ],
])("says of %s that it is not compiled", async (_, change, why) => {
  // prettier-ignore
  const graph = classifying({ ...plain, ...change });
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ reason }) => reason)).toContain(why);
});

it("leaves as few vectors as there are pairs, and other kernels, as they are", async () => {
  const few = classifying({ ...plain, counts: [1, 1, 1], vectors: plain.vectors.slice(0, 9), coefficients: [1, 2, 3, 4, 5, 6] }); // prettier-ignore
  const other = classifying({ ...plain, own: { ...plain.own, kernel: "SIGMOID" } });
  for (const graph of [few, other]) {
    const [before] = graph.order();
    await runRules(graph, [sumVectors], {});
    expect(graph.order()[0]?.attributes).toEqual(before?.attributes);
  }
});

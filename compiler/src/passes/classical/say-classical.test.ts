import * as fc from "fast-check";
import type { Tensor as Dense } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute, type Attributes, edit, Tensor } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { byEngine, byModule, classical, difference, floats, strings } from "./classical-case.test.support.js"; // prettier-ignore

const features = 5;
const number = fc.oneof(
  fc.integer({ min: -16, max: 16 }).map((x) => x / 4),
  fc.constantFrom(0, 0, 1.5),
);
const numbers = (count: number) => fc.array(number, { minLength: count, maxLength: count });
const samples = numbers(2 * features).map((values) => floats([2, features], values));

async function expectEqual(
  op: string,
  attributes: Attributes,
  x: Dense,
  outputs?: readonly string[],
): Promise<void> {
  // prettier-ignore
  const graph = classical(op, { x: [x.type, ...x.dims] }, attributes, outputs);
  expect((await supportOf(graph, aot)).obstacles).toEqual([]);
  const expected = await byEngine(graph, { x });
  expect(difference(expected, await byModule(graph, { x })), op).toBeLessThan(1e-5);
}

it("gives the features of a single sample without an axis before them", async () => {
  const x = floats([features], [0, -1.5, 1.5, 2, 0.25]);
  await expectEqual("Scaler", { offset: attribute.floats([1]), scale: attribute.floats([2]) }, x);
  await expectEqual("Normalizer", { norm: attribute.string("L2") }, x);
  await expectEqual("Binarizer", { threshold: attribute.float(0.5) }, x);
  const replaced = { replaced_value_float: attribute.float(1.5) };
  await expectEqual("Imputer", { ...replaced, imputed_value_floats: attribute.floats([7]) }, x);
});

it("prepares features as the engine does", async () => {
  const problem = fc.record({
    samples,
    both: fc.constantFrom(1, features).chain((n) => fc.tuple(numbers(n), numbers(n))),
    norm: fc.constantFrom("MAX", "L1", "L2"),
    isInteger: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ samples: x, both: [offset, other], norm, isInteger }) => {
      const longs = BigInt64Array.from([...x.data], (value) => BigInt(Math.round(Number(value))));
      const integers: Dense = { type: "int64", dims: x.dims, data: longs };
      const scaled = isInteger ? integers : x;
      const scale = { offset: attribute.floats(offset), scale: attribute.floats(other) };
      await expectEqual("Scaler", scale, scaled);
      await expectEqual("Normalizer", { norm: attribute.string(norm) }, scaled);
      await expectEqual("Binarizer", { threshold: attribute.float(offset[0] ?? 0) }, x);
      const replaced = { replaced_value_float: attribute.float(1.5) };
      const imputed = { imputed_value_floats: attribute.floats(offset) };
      await expectEqual("Imputer", { ...replaced, ...imputed }, x);
      const holed = floats(
        x.dims,
        [...x.data].map((value) => (value === 0 ? NaN : Number(value))),
      );
      const absent = { replaced_value_float: attribute.float(NaN), ...imputed };
      await expectEqual("Imputer", absent, holed);
    }),
    { numRuns: cases(18) },
  );
});

it("multiplies features as the engine does, and tells classes by that", async () => {
  const problem = fc.record({
    samples,
    weights: numbers(3 * features),
    biases: numbers(3),
    targets: fc.integer({ min: 1, max: 3 }),
    transform: fc.constantFrom("NONE", "LOGISTIC", "SOFTMAX"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ samples: x, weights, biases, targets, transform }) => {
      const own = {
        coefficients: attribute.floats(weights.slice(0, targets * features)),
        intercepts: attribute.floats(biases.slice(0, targets)),
      };
      const shown = targets === 1 ? "NONE" : transform;
      const regression = {
        targets: attribute.int(targets),
        post_transform: attribute.string(shown),
      };
      await expectEqual("LinearRegressor", { ...own, ...regression }, x);
      const labels = targets === 1 ? [4, 2] : [4, 2, 9].slice(0, targets);
      const classes = {
        classlabels_ints: attribute.ints(labels),
        post_transform: attribute.string(targets === 1 ? "LOGISTIC" : transform),
      };
      await expectEqual("LinearClassifier", { ...own, ...classes }, x, ["label", "scores"]);
    }),
    { numRuns: cases(45) },
  );
});

it("gives the names of classes", async () => {
  const graph = classical(
    "LinearClassifier",
    { x: ["float32", 2, 2] },
    {
      coefficients: attribute.floats([1, -2, 3, 4]),
      intercepts: attribute.floats([0, 1]),
      classlabels_strings: strings(["no", "yes"]),
    },
    ["label", "scores"],
  );
  const x = floats([2, 2], [1, 2, 3, -4]);
  const { label } = await byModule(graph, { x });
  expect(label).toEqual({ type: "string", dims: [2], data: ["yes", "no"] });
  const expected = await byEngine(graph, { x });
  expect([...(expected["label"]?.data ?? [])]).toEqual(["yes", "no"]);
});

it.each([undefined, 9, 12])("compiles a classifier of a model of opset %s", async (opset) => {
  const graph = classical(
    "LinearClassifier",
    { x: ["float32", 2, 2] },
    {
      coefficients: attribute.floats([1, -2, 3, 4, 0.5, 1]),
      intercepts: attribute.floats([0, 1, -1]),
      classlabels_ints: attribute.ints([4, 2, 9]),
      post_transform: attribute.string("SOFTMAX"),
    },
    ["label", "scores"],
  );
  edit(graph, "test", (editor) => editor.setOpset("", opset));
  expect((await supportOf(graph, aot)).obstacles).toEqual([]);
  const feeds = { x: floats([2, 2], [1, 2, -3, 4]) };
  const expected = await byEngine(graph, feeds);
  expect(difference(expected, await byModule(graph, feeds))).toBeLessThan(1e-6);
});

it("tells categories of more than 53 bits apart", async () => {
  const [one, next] = [2n ** 60n, 2n ** 60n + 1n];
  const x: Dense = { type: "int64", dims: [2], data: BigInt64Array.of(next, one) };
  await expectEqual("OneHotEncoder", { cats_int64s: { type: "ints", value: [one, next] } }, x);
});

it("joins features and takes some out as the engine does", async () => {
  const inputs = { a: ["int64", 2, 3], b: ["int64", 2, 2] } as const;
  const sizes = { inputdimensions: attribute.ints([3, 2]) };
  const joined = classical("FeatureVectorizer", inputs, sizes);
  const feeds = {
    a: { type: "int64" as const, dims: [2, 3], data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n) },
    b: { type: "int64" as const, dims: [2, 2], data: BigInt64Array.of(7n, 8n, -9n, 10n) },
  };
  expect(difference(await byEngine(joined, feeds), await byModule(joined, feeds))).toBe(0);
  const taken = graphOf({ a: ["int64", 2, 3] }, (input, { editor }) => {
    editor.setOpset("ai.onnx.ml", 3);
    const places = editor.constant("places", Tensor.int64([2, 0], [2]));
    return { y: editor.add1("ArrayFeatureExtractor", [input("a"), places], {}, { domain: "ai.onnx.ml" }) }; // prettier-ignore
  });
  const { a } = feeds;
  expect(difference(await byEngine(taken, { a }), await byModule(taken, { a }))).toBe(0);
});

it.each([
  ["no labels", {}, "it has no labels"],
  ["another transform", { classlabels_ints: attribute.ints([0, 1]), post_transform: attribute.string("PROBIT") }, "PROBIT"], // prettier-ignore
  ["too few coefficients", { classlabels_ints: attribute.ints([0, 1]), coefficients: attribute.floats([1]) }, "coefficients are not as many"], // prettier-ignore
])("says why a classifier is not compiled: %s", async (_, attributes, reason) => {
  const graph = classical(
    "LinearClassifier",
    { x: ["float32", 1, 2] },
    {
      coefficients: attribute.floats([1, 2, 3, 4]),
      intercepts: attribute.floats([0, 1]),
      ...attributes,
    },
    ["label", "scores"],
  );
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map((each) => each.reason).join("; ")).toContain(reason);
});

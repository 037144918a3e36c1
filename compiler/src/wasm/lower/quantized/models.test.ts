import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import {
  agreement,
  calibrationOn,
  quantized,
  run,
} from "../../../passes/quantization/engine-case.test.support.js";
import { quantizeDynamic } from "../../../passes/quantize-dynamic.js";
import { quantizeStatic } from "../../../passes/quantize-static.js";
import { simplifyGraph } from "../../../passes/simplify.js";
import { exactEngine } from "../../../targets/exact-engine.test.support.js";
import { planOf } from "../../compile.js";
import { enginesHere, withoutBaselineCompiler } from "../../kernels/kernel-case.test.support.js";
import { differenceToReferences, isExact } from "./exactness.test.support.js";
import {
  feedsFor,
  openModel,
  relativeError,
  runByReference,
  runModule,
} from "../../run-model.test.support.js";

withoutBaselineCompiler();

const models = new URL("../../../../../fixtures/models/", import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(`${name}.onnx`, models));

const sevenBits = {
  activationBits: 7,
  reduceRange: false,
  between: "integers",
  ranges: "mse",
};

/** The model, what its inputs are bound to, how many steps compute on floats, and how close to the float model it is, in dB. */
const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, number, number])[] = [
  ["mnist-cnn", { shapes: { x: [1, 1, 28, 28] } }, 0, 20],
  ["latency/kws-dscnn", {}, 1, 30],
  ["latency/cifar-resnet8", {}, 1, 25],
];

it.each(cases)(
  "runs %s as integers, to the bit as the references do",
  async (name, bindings, floats, decibels) => {
    const float = await openModel(path(name), bindings);
    const graph = await quantized(quantizeStatic, float, sevenBits, calibrationOn(float));
    await simplifyGraph(graph, {});
    const plan = await planOf(graph);
    const computing = plan.steps.filter(({ kernel }) => !isExact(kernel));
    expect(computing).toHaveLength(floats);
    const feeds = feedsFor(plan);
    for (const engine of enginesHere)
      expect(differenceToReferences(plan, feeds, engine)).toBeUndefined();
    const result = runByReference(plan, feeds);
    for (const engine of enginesHere)
      expect(relativeError(result, runModule(plan, feeds, engine, true))).toBeLessThan(1e-6);
    // Of the same integers onnxruntime makes floats; nothing is rounded differently.
    const [engine, original] = [await run(graph, feeds), await run(float, feeds)];
    expect(agreement(engine, result)).toBeGreaterThan(120);
    expect(agreement(original, result)).toBeGreaterThan(decibels);
  },
);

it("runs an encoder whose ranges only a run knows, with weights of bytes", async () => {
  const float = await openModel(path("latency/enc-64x128"));
  const graph = await quantized(quantizeDynamic, float, { reduceRange: false });
  await simplifyGraph(graph, {});
  const [plan, before] = [await planOf(graph), await planOf(float)];
  const bytesOf = ({ constants }: typeof plan): number =>
    constants.reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(bytesOf(plan)).toBeLessThan(0.3 * bytesOf(before));
  const kernels = plan.steps.map(({ kernel }) => kernel);
  const products = [...graph.allNodes()].filter(({ op }) => op === "MatMulInteger");
  expect(products.length).toBeGreaterThan(0);
  expect(kernels.filter((kernel) => kernel === "matrix-i8")).toHaveLength(products.length);
  // Sums become floats where they are made.
  expect(kernels).not.toContain("centre-i8");
  expect(kernels).not.toContain("convert");
  const feeds = feedsFor(plan);
  const expected = await run(graph, feeds, await exactEngine());
  for (const engine of enginesHere) {
    expect(differenceToReferences(plan, feeds, engine)).toBeUndefined();
    // A byte that is rounded the other way, as what is before it was summed in another order, is heard of.
    expect(agreement(expected, runModule(plan, feeds, engine, true))).toBeGreaterThan(50);
  }
  expect(agreement(await run(float, feeds), expected)).toBeGreaterThan(25);
});

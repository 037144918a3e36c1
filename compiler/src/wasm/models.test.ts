import { brotliCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { compileToWasm } from "./compile.js";
import { compare, models, openModel } from "./run-model.test.support.js";

/**
 * The model, what its inputs are bound to, and how many kilobytes of code it takes at most as it is sent, after brotli:
 * kernels, calls and facts.
 */
const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, number])[] = [
  ["latency/mnist", {}, 2.15],
  ["mnist-cnn", { shapes: { x: [1, 1, 28, 28] } }, 1.9],
  ["latency/kws-dscnn", {}, 2],
  ["latency/cifar-resnet8", {}, 3.5],
  ["latency/vww-mbv1-025-96", {}, 3.4],
  ["latency/enc-64x128", {}, 2.2],
  ["ocr-direction", { shapes: { x: [1, 3, 48, 192] } }, 5],
  [
    "silero-vad-v5",
    { shapes: { input: [1, 576], state: [2, 1, 128] }, constants: { sr: 16000 } },
    2,
  ],
];

it.each(cases)(
  "compiles %s, which agrees with onnxruntime; no step leaves its operands, and free memory is poisoned",
  async (name, bindings, kilobytes) => {
    const graph = await openModel(models(name), bindings);
    expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(1e-5);
    const { simd, relaxed, weights, memory } = await compileToWasm(graph, { weights: "beside" });
    expect(weights?.length).toBe(memory.constantBytes);
    for (const module of [simd, relaxed ?? simd])
      expect(brotliCompressSync(module).length).toBeLessThan(kilobytes * 1024);
    expect(memory.arenaBytes).toBeLessThan(memory.unsharedBytes);
  },
);

it("compiles models that nobody here made, whose memory is much less than their tensors together", async () => {
  const graph = await openModel(models("blazeface-front"));
  expect(await compare(graph, { poisoned: true })).toBeLessThan(1e-5);
  const { memory } = await compileToWasm(graph);
  expect(memory.arenaBytes).toBeLessThan(0.3 * memory.unsharedBytes);
});

import { expect, it } from "vitest";
import { FunctionBuilder } from "./encode/function-builder.js";
import { ModuleBuilder } from "./encode/module-builder.js";
import { engines } from "./engine.js";
import { depthwiseI8 } from "./kernels/depthwise-i8.js";
import type { Kernel } from "./kernels/kernel.js";
import { largestI8 } from "./kernels/largest-i8.js";
import { matrix } from "./kernels/matrix.js";
import { matrixI8 } from "./kernels/matrix-i8.js";
import type { Step } from "./plan/plan.js";
import { StepFunctions } from "./step-functions.js";

const [plain, relaxed] = engines;

function stepOf<Options>(kernel: Kernel<Options>, options: Options): Step {
  return {
    kernel: kernel.name,
    key: JSON.stringify(options),
    emit: (engine) => kernel.emit(options, engine),
    reference: () => {},
    at: [],
  };
}

/** How many functions steps call. */
function functionsOf(steps: readonly Step[], engine: typeof plain): number {
  const module = new ModuleBuilder();
  const functions = new StepFunctions(module, engine);
  const run = new FunctionBuilder(0);
  for (const step of steps) functions.call(run, step, { addressOf: () => 0 });
  return module.add(run);
}

const bytes = (zeroPoint: number) =>
  ({ kind: "bytes", zeroPoint, low: 0, high: 127, wide: false }) as const;

/** A product of an image's pixels with a matrix, both of these sizes. */
function product(pixels: number, depth: number, outputs: number): Step {
  return stepOf(matrixI8, {
    batch: [],
    rows: { count: 1, steps: [0, 0, 0] },
    columns: { count: pixels, steps: [depth, outputs, outputs] },
    taps: [],
    run: depth,
    outputs,
    activations: "7-bit",
    other: { factor: 1 / depth, zeroPoint: depth % 100 },
    result: bytes(outputs % 100),
    padded: true,
  });
}

function channelwise(size: number, channels: number, wide = 3): Step {
  const row = (size + 2) * channels;
  return stepOf(depthwiseI8, {
    batch: [],
    rows: { count: size, steps: [row, size * channels] },
    columns: { count: size, steps: [channels, channels] },
    channels,
    taps: [
      { count: 3, steps: [row] },
      { count: wide, steps: [channels] },
    ],
    activations: "7-bit",
    result: bytes(channels % 100),
    padded: true,
  });
}

function floatProduct(pixels: number, depth: number, outputs: number): Step {
  return stepOf(matrix, {
    batch: [],
    rows: { count: 1, steps: [0, 0] },
    columns: { count: pixels, steps: [depth * 4, outputs * 4] },
    taps: [],
    run: { count: depth, step: 4 },
    outputs,
    panel: 2,
    bias: true,
    epilogue: [],
    padded: true,
  });
}

it("shares functions among layers that differ in their sizes: those of fused products of floats in the plain module alone", () => {
  const products = [product(16, 48, 56), product(64, 56, 64), product(32, 64, 88)];
  const channels = [channelwise(12, 48), channelwise(24, 56), channelwise(48, 88)];
  const floats = [floatProduct(16, 48, 56), floatProduct(64, 56, 64), floatProduct(32, 64, 48)];
  for (const steps of [products, channels, floats]) expect(functionsOf(steps, plain)).toBe(1);
  for (const steps of [products, channels]) expect(functionsOf(steps, relaxed)).toBe(1);
  expect(functionsOf(floats, relaxed)).toBe(3);
  expect(functionsOf([...products, ...channels, ...floats], plain)).toBe(3);
});

it("shares one among products of a vector with a matrix that differ in depth and in outputs", () => {
  for (const engine of [plain, relaxed]) {
    expect(functionsOf([product(1, 8, 88), product(1, 200, 56), product(1, 12, 8)], engine)).toBe(
      1,
    );
    // Seven outputs' second panel is a vector less than full; five are stored as eight.
    expect(functionsOf([product(1, 8, 88), product(1, 12, 21)], engine)).toBe(1);
    expect(functionsOf([product(1, 8, 88), product(1, 12, 20)], engine)).toBe(2);
  }
});

it("shares none where what is written differs", () => {
  expect(functionsOf([channelwise(12, 48), channelwise(12, 48, 5)], plain)).toBe(2);
  expect(functionsOf([product(16, 48, 56), product(16, 48, 60)], plain)).toBe(2);
});

it("puts the functions of a kernel together", () => {
  const functions = new StepFunctions(new ModuleBuilder(), relaxed);
  const largest = stepOf(largestI8, { axes: [], taps: [{ count: 2, steps: [16] }], run: 16 });
  const steps = [floatProduct(7, 8, 8), largest, floatProduct(9, 16, 8)];
  functions.add(steps);
  const run = new FunctionBuilder(0);
  for (const step of steps) functions.call(run, step, { addressOf: () => 0 });
  // No locals; calls; the end.
  expect([...run.encoded()]).toEqual([0, 0x10, 0, 0x10, 2, 0x10, 1, 0x0b]);
});

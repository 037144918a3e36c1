import { describe, expect, it } from "vitest";
import { attribute, type Attributes } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import {
  type Case,
  checked,
  checkGradients,
  floatsOf,
  load,
  tolerance,
  withGradients,
} from "../../train/gradient-check.test.support.js";
import { one } from "./case.test.support.js";

const { int, ints } = attribute;
type Pool = readonly [name: string, x: readonly number[], attributes: Attributes];

const largest: readonly Pool[] = [
  ["2×2", [2, 3, 6, 6], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  ["2×2 with a rest", [2, 3, 7, 5], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  ["2×3 side by side", [1, 2, 4, 6], { kernel_shape: ints([2, 3]), strides: ints([2, 3]) }],
  [
    "3×3 stride 2",
    [2, 3, 7, 7],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  ["2×2 stride 3", [1, 2, 8, 8], { kernel_shape: ints([2, 2]), strides: ints([3, 3]) }],
  [
    "3×3 dilation 2",
    [1, 2, 7, 7],
    { kernel_shape: ints([3, 3]), dilations: ints([2, 2]), pads: ints([2, 2, 2, 2]) },
  ],
  [
    "ceil_mode",
    [1, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) },
  ],
  ["of one axis", [2, 3, 8], { kernel_shape: ints([2]), strides: ints([2]) }],
  ["of one axis, overlapping", [2, 3, 8], { kernel_shape: ints([3]), strides: ints([2]) }],
  ["of three axes", [1, 2, 4, 4, 4], { kernel_shape: ints([2, 2, 2]), strides: ints([2, 2, 2]) }],
];
const average: readonly Pool[] = [
  ["2×2", [2, 3, 6, 6], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  [
    "3×3 stride 2 with pads",
    [2, 3, 7, 7],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  ],
  [
    "count_include_pad",
    [2, 3, 8, 8],
    {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      count_include_pad: int(1),
    },
  ],
  [
    "ceil_mode",
    [1, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) },
  ],
  [
    "ceil_mode with count_include_pad",
    [1, 2, 6, 6],
    {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      pads: ints([1, 1, 0, 0]),
      ceil_mode: int(1),
      count_include_pad: int(1),
    },
  ],
  ["stride 1", [1, 2, 5, 5], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) }],
  ["of one axis", [2, 3, 8], { kernel_shape: ints([2]), strides: ints([2]) }],
];

const maxPools: readonly Case[] = largest.map(([name, x, attributes]) => ({
  name: `MaxPool ${name}`,
  shapes: [x],
  build: one("MaxPool", attributes),
  values: "distinct",
}));

checkGradients("gradients of pools", [
  ...maxPools,
  ...average.map(([name, x, attributes]): Case => ({
    name: `AveragePool ${name}`,
    shapes: [x],
    build: one("AveragePool", attributes),
  })),
  ...[1, 2, 3].flatMap((p) =>
    average.slice(0, 2).map(([name, x, attributes]): Case => ({
      name: `LpPool of ${p}, ${name}`,
      shapes: [x],
      build: one("LpPool", { ...attributes, p: int(p) }),
      values: p === 2 ? "normal" : "kinked",
    })),
  ),
  { name: "GlobalAveragePool", shapes: [[2, 3, 4, 5]], build: one("GlobalAveragePool") },
  {
    name: "GlobalMaxPool",
    shapes: [[2, 3, 4, 5]],
    build: one("GlobalMaxPool"),
    values: "distinct",
  },
]);

describe("MaxPool for WebGPU, without indices", () => {
  it("gives the same gradients", async () => {
    const results = await checked(maxPools, "cpu", "webgpu");
    const wrong = maxPools.filter((_, at) => !((results[at]?.error ?? 1) < tolerance));
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});

describe("where elements are equal, zeros after a Relu say,", () => {
  /** The first of the largest in the window's order, as PyTorch's loop finds it. */
  function expected(
    [, , height = 1, width = 1]: readonly number[],
    [kernel = 1, stride = 1, pad = 0]: readonly number[],
    x: Float32Array,
    dY: Float32Array,
  ): Float32Array {
    const dX = new Float32Array(x.length);
    const places = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
    const [rows, columns] = [places(height), places(width)];
    for (const [at, given] of dY.entries()) {
      const plane = Math.floor(at / (rows * columns)) * height * width;
      const [row, column] = [Math.floor(at / columns) % rows, at % columns];
      let found = -1;
      for (let i = 0; i < kernel * kernel; i += 1) {
        const y = row * stride - pad + Math.floor(i / kernel);
        const z = column * stride - pad + (i % kernel);
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        const here = plane + y * width + z;
        if (found < 0 || (x[here] ?? 0) > (x[found] ?? 0)) found = here;
      }
      dX[found] = (dX[found] ?? 0) + given;
    }
    return dX;
  }

  it.each([
    ["cpu", "cpu", 2, 2, 0],
    ["wasm", "wasm", 2, 2, 0],
    ["cpu", "webgpu", 2, 2, 0],
    ["cpu", "cpu", 3, 2, 1],
    ["wasm", "wasm", 3, 2, 1],
    ["cpu", "webgpu", 3, 2, 1],
  ] as const)(
    "the first gets all: on %s for %s, %i × %i, pads %i",
    async (backend, engine, kernel, stride, pad) => {
      const dims = [2, 2, 6, 6];
      const pool = graphOf({ x: ["float32", ...dims] }, (input, { add }) => ({
        y: add("MaxPool", [input("x")], {
          kernel_shape: ints([kernel, kernel]),
          strides: ints([stride, stride]),
          pads: ints([pad, pad, pad, pad]),
        }),
      }));
      withGradients(pool, engine);
      const session = await load(pool, backend);
      // Whole numbers from 0 to 2: most windows have their largest several times.
      const data = Float32Array.from({ length: 144 }, (_, i) => (i * 7 + Math.floor(i / 5)) % 3);
      const places = Math.floor((6 + 2 * pad - kernel) / stride) + 1;
      const dY = Float32Array.from({ length: 4 * places * places }, (_, i) => i + 1);
      const results = await session.run({
        x: { type: "float32", dims, data },
        "weights of y": { type: "float32", dims: [2, 2, places, places], data: dY },
      });
      await session.dispose();
      expect([...floatsOf(results["x.gradient"])]).toEqual([
        ...expected(dims, [kernel, stride, pad], data, dY),
      ]);
    },
  );
});

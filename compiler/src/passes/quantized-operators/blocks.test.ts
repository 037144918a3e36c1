import { aot as modules } from "@pare/runtime/aot";
import { artifactBytes, type Tensors } from "@pare/runtime/format";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { noise } from "../../wasm/run-model.test.support.js";
import { agreement, feedsOf, run } from "../quantization/engine-case.test.support.js";
import { own } from "./quantized-case.test.support.js";

const { int } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });

interface Blocks {
  readonly bits: number;
  readonly block: number;
  readonly depth: number;
  readonly columns: number;
  readonly rows: number;
  readonly zeros: boolean;
  readonly bias: boolean;
}

/** As many random bytes. */
function bytesOf(count: number, seed: number): Uint8Array {
  return Uint8Array.from(noise(count, seed), (x) => Math.floor((x + 1) * 127.9));
}

function product(p: Blocks, more: Readonly<Record<string, bigint>> = {}): Graph {
  const { bits, block, depth, columns, rows } = p;
  const blocks = Math.ceil(depth / block);
  return graphOf({ x: ["float32", 2, rows, depth] }, (input, b) => {
    const packed = (name: string, dims: readonly number[], seed: number) => {
      const count = dims.reduce((all, each) => all * each, 1);
      return b.editor.constant(name, Tensor.of("uint8", dims, bytesOf(count, seed)));
    };
    const scales = noise(columns * blocks, 3).map((x) => Math.fround(0.02 + 0.01 * x));
    const zeros = packed("zeros", [columns, Math.ceil((blocks * bits) / 8)], 5);
    const operands = [
      input("x"),
      packed("weights", [columns, blocks, (block * bits) / 8], 1),
      b.floats([...scales], [columns * blocks]),
      p.zeros ? zeros : null,
      null,
      p.bias ? b.weights(columns) : null,
    ];
    while (operands.at(-1) === null) operands.pop();
    const attributes = {
      K: int(depth),
      N: int(columns),
      bits: int(bits),
      block_size: int(block),
      ...Object.fromEntries(
        Object.entries(more).map(([name, value]) => [name, int(Number(value))]),
      ),
    };
    return { y: own(b, "MatMulNBits", operands, attributes) };
  });
}

async function resultsOf(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const session = await modules().load(await aot.emit(graph, {}));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

it("compiles products with weights of few bits in blocks, as onnxruntime computes them", async () => {
  const problem = fc.record({
    bits: fc.constantFrom(4, 8),
    block: fc.constantFrom(16, 32),
    depth: size(1, 100),
    columns: size(1, 20),
    rows: size(1, 3),
    zeros: fc.boolean(),
    bias: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (p) => {
      const graph = product(p);
      const feeds = feedsOf(graph, 7);
      expect(agreement(await run(graph, feeds), await resultsOf(graph, feeds))).toBeGreaterThan(90);
    }),
    { numRuns: cases(40) },
  );
});

interface Table {
  readonly dtype: "uint8" | "int4" | "uint4";
  readonly bits: number;
  readonly block: number;
  readonly rows: number;
  readonly columns: number;
  readonly zeros: boolean;
}

/** Rows of a table, taken by places that are counted from either end. */
function rowsOf({ dtype, bits, block, rows, columns, zeros }: Table, scaled = rows): Graph {
  const packed = dtype === "uint8" ? bits : 8;
  const width = (count: number): number => Math.ceil((count * packed) / 8);
  const blocks = Math.ceil(columns / block);
  return graphOf({ places: ["int64", 2, 3] }, (input, b) => {
    const integers = (name: string, count: number, seed: number) => {
      const dims = [rows, width(count)];
      const bytes = dtype === "uint8" ? rows * width(count) : Math.ceil((rows * count) / 2);
      return b.editor.constant(name, Tensor.of(dtype, dims, bytesOf(bytes, seed)));
    };
    const scales = noise(scaled * blocks, 3).map((x) => Math.fround(0.02 + 0.01 * x));
    const operands = [
      integers("table", columns, 1),
      input("places"),
      b.floats([...scales], [scaled, blocks]),
      ...(zeros ? [integers("zeros", blocks, 5)] : []),
    ];
    return {
      y: own(b, "GatherBlockQuantized", operands, { bits: int(bits), block_size: int(block) }),
    };
  });
}

it("compiles rows of tables in such blocks, as onnxruntime takes them", async () => {
  const problem = fc.record({
    of: fc.constantFrom(
      { dtype: "uint8", bits: 4 } as const,
      { dtype: "uint8", bits: 8 } as const,
      { dtype: "int4", bits: 4 } as const,
      { dtype: "uint4", bits: 4 } as const,
    ),
    block: fc.constantFrom(16, 32),
    rows: size(1, 9),
    columns: size(1, 40).map((half) => 2 * half),
    zeros: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ of, seed, ...p }) => {
      const graph = rowsOf({ ...of, ...p });
      const places = noise(6, seed).map((x) => Math.floor(x * p.rows));
      const data = BigInt64Array.from(places, BigInt);
      const feeds: Tensors = { places: { type: "int64", dims: [2, 3], data } };
      const [theirs, ours] = [await run(graph, feeds), await resultsOf(graph, feeds)];
      expect(ours["y"]?.dims).toEqual(theirs["y"]?.dims);
      expect(ours["y"]?.data).toEqual(theirs["y"]?.data);
    }),
    { numRuns: cases(40) },
  );
});

it("keeps their integers in the module", async () => {
  const p = { bits: 4, block: 32, depth: 512, columns: 256, rows: 1, zeros: true, bias: false };
  const bytes = artifactBytes(await aot.emit(product(p), {}));
  expect(bytes).toBeGreaterThan(512 * 256);
  expect(bytes).toBeLessThan(1.2 * 512 * 256);
});

it("says why others are not compiled", async () => {
  const p = { bits: 4, block: 32, depth: 64, columns: 8, rows: 1, zeros: false, bias: false };
  for (const [more, why] of [
    [{ weight_prepacked: 1n }, "packed for one kind of machine"],
    [{ bits: 5n }, "no blocks of 2, 4 or 8 bits"],
    [{ K: 1000n }, "no bytes of its sizes"],
  ] as const) {
    const { obstacles } = await supportOf(product(p, more), aot);
    expect(obstacles.map(({ reason }) => reason).join()).toContain(why);
  }
  const table = { dtype: "uint8", bits: 4, block: 32, rows: 8, columns: 64, zeros: true } as const;
  for (const [of, scaled] of [
    [table, 4],
    [{ ...table, zeros: false }, 4],
    [{ ...table, dtype: "int4" as const }, 4],
  ] as const) {
    // prettier-ignore
    const { obstacles } = await supportOf(rowsOf(of, scaled), aot);
    expect(obstacles.length).toBeGreaterThan(0);
  }
});

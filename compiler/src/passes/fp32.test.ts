import { halvesToFloats, type Tensors } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { attribute, type Graph, Tensor } from "../ir/index.js";
import { type Builder, graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { fp16 } from "./fp16.js";
import { fp16Weights } from "./fp16-weights.js";
import { fp32 } from "./fp32.js";
import { branching, looping, network, scanning } from "./float16/float-networks.test.support.js";
import { agreement, feedsOf, quantized, run } from "./quantization/engine-case.test.support.js";
import { quantizeStatic } from "./quantize-static.js";

const dtypesIn = (graph: Graph): ReadonlySet<string> =>
  new Set(
    [...graph.allValues()].flatMap(({ type }) =>
      type.kind === "tensor" && type.dtype !== undefined ? [type.dtype] : [],
    ),
  );

/** Branches that are taken, rounds and sizes that there are. */
const feedsFor = (graph: Graph): Tensors =>
  Object.fromEntries(
    Object.entries(feedsOf(graph)).map(([name, feed]) => {
      if (feed.type === "bool") return [name, { ...feed, data: Uint8Array.of(1) }];
      return [name, feed.type === "int64" ? { ...feed, data: BigInt64Array.of(3n) } : feed];
    }),
  );

it.each<[string, () => Graph]>([
  ["a network", network],
  ["branches", () => branching()],
  ["a loop", looping],
  ["a scan", scanning],
])("computes %s in float32 again, on the weights as they were rounded", async (_, build) => {
  const half = await quantized(fp16, build(), {}, null);
  expect(dtypesIn(half)).toContain("float16");
  const whole = await quantized(fp32, half);
  expect(dtypesIn(whole)).not.toContain("float16");
  expect(opsOf(whole).filter((op) => op === "Cast").length).toBeLessThanOrEqual(
    opsOf(build()).filter((op) => op === "Cast").length,
  );
  const feeds = feedsFor(half);
  expect(agreement(await run(half, feeds), await run(whole, feeds))).toBeGreaterThan(50);
});

const halves = (b: Builder, dims: readonly number[], values: readonly number[]) =>
  b.editor.constant("h", Tensor.of("float16", dims, Uint16Array.from(values)));

/** As half-precision exports are: weights, inputs and outputs. */
const halfNetwork = (): Graph =>
  graphOf({ x: ["float16", 1, 2, 3, 3], n: ["int64", 1] }, (input, b) => {
    const weights = halves(b, [2, 2, 1, 1], [0x3c00, 0xb800, 0x3400, 0x4000]);
    const map = b.add("Relu", [b.add("Conv", [input("x"), weights])]);
    const filled = b.add("ConstantOfShape", [input("n")], {
      value: attribute.tensor(Tensor.of("float16", [1], Uint16Array.of(0x3800))),
    });
    const mean = b.add("ReduceMean", [filled], { keepdims: attribute.int(0) });
    const count = b.add("Cast", [input("n")], { to: attribute.int(10) });
    return { y: b.add("Add", [b.add("Mul", [map, mean]), count]), same: b.add("Neg", [map]) };
  });

it("leaves inputs and outputs what they are", async () => {
  const given = halfNetwork();
  const whole = await quantized(fp32, given);
  const ports = [...whole.main.inputs, ...whole.main.outputs].map((id) => whole.value(id));
  expect(ports.map(({ name, type }) => [name, type.kind === "tensor" && type.dtype])).toEqual([
    ["x", "float16"],
    ["n", "int64"],
    ["y", "float16"],
    ["same", "float16"],
  ]);
  const bits = Uint16Array.from({ length: 18 }, (_, at) => 0x3000 + 97 * at + (at % 2) * 0x8000);
  const feeds: Tensors = {
    x: { type: "float16", dims: [1, 2, 3, 3], data: bits },
    n: { type: "int64", dims: [1], data: BigInt64Array.of(3n) },
  };
  const [before, after] = [await run(given, feeds), await run(whole, feeds)];
  const inFloats = (outputs: Tensors): Tensors =>
    Object.fromEntries(
      Object.entries(outputs).map(([name, { dims, data }]) => [
        name,
        {
          type: "float32",
          dims,
          data: halvesToFloats(data instanceof Uint16Array ? data : new Uint16Array()),
        },
      ]),
    );
  expect(agreement(inFloats(before), inFloats(after))).toBeGreaterThan(50);
  const convolved = [...whole.allNodes()].find(({ op }) => op === "Conv");
  expect(whole.constant(convolved?.inputs[1])?.data).toEqual(Float32Array.of(1, -0.5, 0.25, 2));
});

it("reads weights that are still in the file when they are needed, not before", async () => {
  let reads = 0;
  const graph = graphOf({ x: ["float16", 1, 4] }, (input, b) => {
    const load = () => {
      reads += 1;
      return Promise.resolve(new Uint16Array(16).fill(0x3c00));
    };
    const weights = b.editor.constant("w", Tensor.lazy("float16", [4, 4], load));
    return { y: b.add("Sigmoid", [b.add("MatMul", [input("x"), weights])]) };
  });
  const whole = await quantized(fp32, graph);
  const product = [...whole.allNodes()].find(({ op }) => op === "MatMul");
  const before = reads;
  expect(await whole.constant(product?.inputs[1])?.readFloat32()).toEqual(
    new Float32Array(16).fill(1),
  );
  expect(reads).toBe(before + 1);
});

it("leaves a model whose halves an operator has of which nothing is known", async () => {
  const graph = graphOf({ x: ["float16", 2, 3, 3] }, (input, b) => ({
    y: b.add("Det", [b.add("Relu", [input("x")])]),
  }));
  const left = await quantized(fp32, graph);
  expect(opsOf(left)).toEqual(["Relu", "Det"]);
  expect(left.journal.find(({ rule }) => rule === "in-float32")?.reason).toMatch(/not known/);
});

it.each<[string, () => Promise<Graph>]>([
  ["computes in float16", () => quantized(fp16, layers())],
  ["stores its weights in float16", () => quantized(fp16Weights, layers(), { minBytes: 1 })],
])("is what a model is before its weights become integers that %s", async (_, make) => {
  const graph = await quantized(quantizeStatic, await make());
  const weighted = [...graph.allNodes()].filter(({ op }) => op === "DequantizeLinear");
  expect(weighted.length).toBeGreaterThan(2);
  expect(dtypesIn(graph)).toContain("int8");
});

const doubles = (b: Builder, dims: readonly number[], values: readonly number[]) =>
  b.editor.constant("d", Tensor.of("float64", dims, Float64Array.from(values)));

it("computes in float32 what is float64, and gives what the model gave", async () => {
  const given = graphOf({ x: ["float64", 1, 9, 2], n: ["int64", 1] }, (input, b) => {
    const weights = doubles(b, [2, 2], [1 / 3, -0.5, 0.25, 2]);
    const map = b.add("Relu", [b.add("MatMul", [input("x"), weights])]);
    const filled = b.add("ConstantOfShape", [input("n")], {
      value: attribute.tensor(Tensor.of("float64", [1], Float64Array.of(0.1))),
    });
    const mean = b.add("ReduceMean", [filled], { keepdims: attribute.int(0) });
    const count = b.add("Cast", [input("n")], { to: attribute.int(11) });
    return { y: b.add("Add", [b.add("Mul", [map, mean]), count]), same: b.add("Neg", [map]) };
  });
  const whole = await quantized(fp32, given);
  const inside = [...whole.allNodes()].filter(({ op }) => op !== "Cast");
  for (const node of inside)
    for (const id of node.outputs)
      expect(id !== null && whole.value(id).type).toMatchObject({ dtype: "float32" });
  const feeds: Tensors = {
    x: { type: "float64", dims: [1, 9, 2], data: Float64Array.from({ length: 18 }, (_, at) => Math.sin(at)) }, // prettier-ignore
    n: { type: "int64", dims: [1], data: BigInt64Array.of(3n) },
  };
  const [before, after] = [await run(given, feeds), await run(whole, feeds)];
  expect(Object.values(after).map(({ type }) => type)).toEqual(["float64", "float64"]);
  for (const [name, { data }] of Object.entries(before))
    for (const [at, expected] of [...data].entries())
      expect(Number(after[name]?.data[at])).toBeCloseTo(Number(expected), 5);
});

it("stores what no float32 is as large as its largest number, as masks have it", async () => {
  const given = graphOf({ x: ["float64", 3] }, (input, b) => ({
    y: b.add("Softmax", [b.add("Add", [input("x"), doubles(b, [3], Array(3).fill(-1e308))])]),
  }));
  const whole = await quantized(fp32, given);
  const feeds: Tensors = { x: { type: "float64", dims: [3], data: Float64Array.of(1, 1, 1) } };
  const { y } = await run(whole, feeds);
  expect([...(y?.data ?? [])].map((share) => Number(share).toFixed(4))).toEqual(
    Array(3).fill("0.3333"),
  );
});

const layers = (): Graph =>
  graphOf({ x: ["float32", 1, 3, 6, 6] }, (input, b) => ({
    y: b.add("Conv", [
      b.add("Relu", [b.add("Conv", [input("x"), b.weights(8, 3, 3, 3)])]),
      b.weights(4, 8, 1, 1),
    ]),
  }));

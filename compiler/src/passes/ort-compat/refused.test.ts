import { describe, expect, it } from "vitest";
import { type Graph, printGraph, Tensor, type ValueId } from "../../ir/index.js";
import type { PassContext } from "../../pipeline/pass.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { quantizeDynamicOrt } from "../quantize-dynamic-ort.js";
import { quantizeStaticOrt } from "../quantize-static-ort.js";

const passes = {
  dynamic: quantizeDynamicOrt.create(quantizeDynamicOrt.parse({})),
  static: quantizeStaticOrt.create(quantizeStaticOrt.parse({})),
};

type Mode = keyof typeof passes;

/** Every range is that of small numbers. */
const seen: PassContext = {
  activations: {
    observe: async (_graph, wanted) => ({
      ranges: new Map(wanted.map(({ value }) => [value, { min: -1, max: 1, sqnr: null }])),
      channelMeans: new Map(),
    }),
  },
};

function product(opset: number, weights: (b: Builder) => ValueId): Graph {
  const one = (input: (name: string) => ValueId, b: Builder) => ({
    y: b.add("MatMul", [input("x"), weights(b)]),
  });
  return graphOf({ x: ["float32", 2, 4] }, one, opset);
}

const half = Tensor.of("float16", [4, 4], new Uint16Array(16));

const plain = (opset = 17): Graph => product(opset, (b) => b.weights(4, 4));

describe("what the Python quantizer makes nothing of that works", () => {
  const refusals: readonly (readonly [string, readonly Mode[], () => Graph, RegExp])[] = [
    ["an old opset", ["dynamic", "static"], () => plain(10), /this one is in opset 10/],
    [
      "float16",
      ["dynamic", "static"],
      () => product(17, ({ editor }) => editor.constant("half", half)),
      /does not write .* of float16/,
    ],
    [
      "weights that are infinite",
      ["dynamic", "static"],
      () => product(17, (b) => b.floats([1, -Infinity, ...Array<number>(14).fill(0.5)], [4, 4])),
      /has numbers that are not finite/,
    ],
    [
      "a quantized model",
      ["static"],
      () =>
        graphOf(
          { x: ["float32", 2, 4] },
          (input, b) => {
            const scale = b.floats([0.1], []);
            const steps = b.add("QuantizeLinear", [input("x"), scale]);
            return { y: b.add("DequantizeLinear", [steps, scale]) };
          },
          17,
        ),
      /wants a float model; this one has QuantizeLinear/,
    ],
  ];

  it.each(refusals)("is refused by name, and left as it was: %s", async (_, modes, made, why) => {
    for (const mode of modes) {
      const graph = made();
      const before = await printGraph(graph);
      await expect(passes[mode].run(graph, seen)).rejects.toMatchObject({
        code: "UNSUPPORTED_OP",
        message: expect.stringMatching(why),
        hint: expect.stringMatching(/\w/),
      });
      expect(await printGraph(graph)).toBe(before);
    }
  });

  it("needs data where activations are measured", async () => {
    await expect(passes.static.run(plain(), {})).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
      hint: expect.stringContaining("--data"),
    });
  });

  it("has constants at the end of what float32 counts: masks are", async () => {
    const most = -3.4028234663852886e38;
    const graph = graphOf(
      { x: ["float32", 2, 4] },
      (input, b) => ({
        y: b.add("MatMul", [b.add("Mul", [input("x"), b.floats([most])]), b.weights(4, 4)]),
      }),
      17,
    );
    await passes.static.run(graph, seen);
    const scales = [...graph.main.initializers].map((id) => graph.constant(id)?.numbers()?.[0]);
    expect(scales).toContain(Math.fround(-most / 255));
  });

  it("has weights at the end of what float32 counts", async () => {
    const most = 3.4028234663852886e38;
    const weights = [most, -most, ...Array<number>(14).fill(0.5)];
    const graph = product(17, (b) => b.floats(weights, [4, 4]));
    await passes.dynamic.run(graph, {});
    const scales = [...graph.main.initializers].map((id) => graph.constant(id)?.numbers()?.[0]);
    // As the tool, asked: (2^128 − 2^104) / 127, in double precision before it is rounded.
    expect(scales).toContain(Math.fround((2 * most) / 254));
  });
});

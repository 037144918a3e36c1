import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { byteSource, onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import { attribute, type Graph, printGraph, type ValueId } from "../ir/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { applyGroup } from "../pipeline/apply-step.js";
import { runPasses, type Verification } from "../pipeline/run-passes.test.support.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import {
  betweens,
  type Drawn,
  layerKinds,
  networkOf,
} from "./equalization/random-network.test.support.js";
import { equalize } from "./equalize.js";
import { passes } from "./index.js";
import { agreement, calibrationOn, feedsOf, run } from "./quantization/engine-case.test.support.js";
import { simplify } from "./simplify.js";

const networks: fc.Arbitrary<Drawn> = fc.record({
  layers: fc.array(
    fc.record({
      kind: fc.constantFrom(...layerKinds),
      behind: fc.constantFrom(...betweens),
      bias: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  head: fc.constantFrom("Flatten, Gemm", "Reshape, MatMul, Add", "GlobalAveragePool, Gemm"),
  transB: fc.boolean(),
  seed: fc.nat(1e9),
  exponent: fc.nat(6),
});

async function verified(graph: Graph, executor = cpu()): Promise<Graph> {
  const equalized = graph.fork();
  const verification: Verification = {
    executor,
    encode: async (one) => onnxArtifact((await encodeModel(one)).proto),
    samples: [feedsOf(graph, 1), feedsOf(graph, 2)],
  };
  const pass = equalize.create({});
  await runPasses(equalized, [{ name: "equalize", pass }], {}, verification);
  return equalized;
}

const said = ({ journal }: Graph): readonly string[] =>
  journal.map(({ op, what, reason }) => `${op} ${what}: ${reason}`);

describe("equalize", () => {
  it("changes nothing but rounding in any network, and nothing at all the second time", async () => {
    let changed = 0;
    const property = fc.asyncProperty(networks, async (drawn) => {
      const graph = networkOf(drawn);
      const once = await verified(graph, changed % 4 === 0 ? wasm() : cpu());
      if (once.changes > graph.changes) changed += 1;
      const twice = once.fork();
      await equalize.create({}).run(twice, {});
      expect(twice.changes).toBe(once.changes);
    });
    await fc.assert(property, { numRuns: 40 });
    expect(changed).toBeGreaterThan(30);
  });

  it("brings rounding by one scale per tensor back, where channels had been driven apart", async () => {
    const step = { use: "quantize-static", with: { granularity: "tensor" } };
    const scaling = betweens.filter((one) => !["HardSwish", "Sigmoid"].includes(one));
    const layers = layerKinds.map((kind, index) => ({
      kind,
      behind: scaling[index % scaling.length] ?? "Relu",
      bias: true,
    }));
    for (const head of ["Flatten, Gemm", "Reshape, MatMul, Add"] as const) {
      const graph = networkOf({ layers, head, transB: true, seed: 5, exponent: 5 });
      const activations = new MeasuredActivations(calibrationOn(graph));
      const expected = await run(graph, feedsOf(graph, 9));
      const lost = async (steps: readonly { use: string }[]): Promise<number> => {
        const rounded = await applyGroup(graph, { steps }, { activations }, passes);
        return agreement(expected, await run(rounded.graph, feedsOf(graph, 9)));
      };
      const alone = await lost([step]);
      const together = await lost([{ use: "equalize" }, step]);
      expect(together).toBeGreaterThan(alone + 15);
    }
  });

  it.each(layerKinds)("takes the channels of %s layers apart rightly", async (kind) => {
    const layer = { kind, behind: "Relu", bias: true } as const;
    const drawn = { head: "Flatten, Gemm", transB: false, seed: 11, exponent: 5 } as const;
    const graph = networkOf({ ...drawn, layers: [layer, layer, layer] });
    const equalized = await verified(graph);
    const spreads = said(equalized).flatMap((text) =>
      [...text.matchAll(/from (\S+) to ([\d.e+]+)/g)].map(([, from, to]) => [from, to].map(Number)),
    );
    // Three layers, two matrices; the first has no inputs to be scaled, the last no outputs.
    expect(spreads).toHaveLength(8);
    for (const [from = 0, to = Infinity] of spreads) {
      expect(from).toBeGreaterThan(20);
      expect(to).toBeLessThan(8);
    }
  });
});

describe("what equalize follows channels through", () => {
  const conv = (b: Builder, x: ValueId): ValueId =>
    b.add("Conv", [x, b.floats([1, -2, 0.5, 4, 8, -16, 0.25, 1], [4, 2, 1, 1]), b.weights(4)]);
  const last = attribute.ints([0, 2, 3, 1]);

  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    [
      "a Clip that is a Relu",
      (x, b) => b.add("Conv", [b.add("Clip", [x, b.floats([0])]), b.weights(2, 4, 1, 1)]),
    ],
    [
      "an Add of a number per feature, several to a channel",
      (x, b) => {
        const shift = b.floats(Array.from({ length: 64 }, (_, index) => Math.sin(index)));
        const features = b.add("Add", [b.add("Flatten", [x]), shift]);
        return b.add("MatMul", [b.add("Relu", [features]), b.weights(64, 2)]);
      },
    ],
    [
      "a Transpose to channels last",
      (x, b) => b.add("MatMul", [b.add("Transpose", [x], { perm: last }), b.weights(4, 2)]),
    ],
    [
      "axes of one that come and go",
      (x, b) => {
        const pooled = b.add("GlobalMaxPool", [x]);
        const rows = b.add("Squeeze", [pooled, b.ints([2, 3])]);
        const images = b.add("Unsqueeze", [b.add("LeakyRelu", [rows]), b.ints([2, 3])]);
        return b.add("Conv", [images, b.weights(2, 4, 1, 1)]);
      },
    ],
  ])("%s", async (_, between) => {
    const graph = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => ({
      y: between(conv(b, input("x")), b),
    }));
    expect(said(await verified(graph))).toContainEqual(
      expect.stringMatching(/^Conv changed: 4 outputs scaled/),
    );
  });
});

const same = { pads: attribute.ints([1, 1, 1, 1]) };

/** Two convolutions with something between them. */
function two(between: (x: ValueId, b: Builder, weight: ValueId) => ValueId): Graph {
  return graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => {
    const weight = b.floats([1, -2, 0.5, 4, 8, -16, 0.25, 1], [4, 2, 1, 1]);
    const first = b.add("Conv", [input("x"), weight, b.weights(4)]);
    return { y: b.add("Conv", [between(first, b, weight), b.weights(4, 4, 3, 3)], same) };
  });
}

describe("what equalize leaves, and why", () => {
  it.each<[string, string, (x: ValueId, b: Builder, weight: ValueId) => ValueId]>([
    [
      "a Clip",
      "Clip behind it bounds all channels alike",
      (x, b) => b.add("Clip", [x, b.floats([0]), b.floats([6])]),
    ],
    [
      "a Clip from below",
      "Clip behind it bounds all channels alike",
      (x, b) => b.add("Clip", [x, b.floats([-1])]),
    ],
    [
      "a curve",
      "HardSwish behind it does not scale with its input",
      (x, b) => b.add("HardSwish", [x]),
    ],
    [
      "another reader",
      "its result is read in 2 places",
      (x, b) => b.add("Mul", [x, b.add("Sigmoid", [x])]),
    ],
    [
      "a number for every place",
      "Add behind it does not scale with its input",
      (x, b) => b.add("Add", [x, b.weights(4, 4, 4)]),
    ],
    [
      "numbers along another axis",
      "Add behind it does not scale with its input",
      (x, b) => b.add("Add", [x, b.floats([1, 2, 3, 4])]),
    ],
    [
      "a slope that is itself read",
      "PRelu behind it does not scale with its input",
      (x, b) => b.add("PRelu", [b.weights(1, 4, 4, 4), x]),
    ],
    [
      "axes that are mixed",
      "Reshape behind it does not keep channels together",
      (x, b) => b.add("Reshape", [b.add("Reshape", [x, b.ints([1, 2, 32])]), b.ints([1, 4, 4, 4])]),
    ],
    [
      "channels that become rows",
      "the Conv behind it does not read its channels as inputs",
      (x, b) => b.add("Transpose", [x], { perm: attribute.ints([0, 2, 1, 3]) }),
    ],
    [
      "weights that are shared",
      "its weights are shared",
      (x, b, weight) =>
        b.add(
          "Concat",
          [b.add("Conv", [b.add("Slice", [x, b.ints([0]), b.ints([2]), b.ints([1])]), weight])],
          { axis: attribute.int(1) },
        ),
    ],
  ])("%s", async (_, why, between) => {
    const graph = two(between);
    const printed = await printGraph(graph);
    const equalized = await verified(graph);
    expect(said(equalized)).toContain(`Conv left: ${why}`);
    expect(await printGraph(equalized)).toBe(printed);
  });

  it("an output, and weights that are not finite", async () => {
    const shown = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => {
      const first = b.add("Conv", [input("x"), b.weights(4, 2, 1, 1)]);
      return { hidden: first, y: b.add("Conv", [first, b.weights(4, 4, 1, 1)]) };
    });
    expect(said(await verified(shown))).toEqual(
      Array(2).fill("Conv left: its result is an output of the model"),
    );
    const infinite = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => {
      const first = b.add("Conv", [input("x"), b.floats([1, Infinity, 1, 1], [2, 2, 1, 1])]);
      return { y: b.add("Conv", [first, b.weights(4, 2, 1, 1)]) };
    });
    await equalize.create({}).run(infinite, {});
    expect(said(infinite)[0]).toBe("Conv left: not all weights are finite");
  });

  it("channels that do nothing", async () => {
    const graph = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => {
      const first = b.floats([1, 2, 1e-39, 0, 4, 8, 0, 0], [4, 2, 1, 1]);
      const made = b.add("Conv", [input("x"), first, b.floats([1, 0.5, 2, 3])]);
      const read = b.floats([1, 0.1, 1, 1, 0.5, 0.5, 0.2, 1e-12], [2, 4, 1, 1]);
      return { y: b.add("Conv", [b.add("Relu", [made]), read]) };
    });
    const equalized = await verified(graph);
    const bias = equalized.constant(equalized.order()[0]?.inputs[2])?.numbers() ?? [];
    // As the others on average: √(√2 · √8).
    expect([bias[1], bias[3]]).toEqual([0.25, 1.5]);
    expect(bias[0]).not.toBe(1);
  });
});

it("lets no channel that nobody reads take the steps of those that somebody reads", async () => {
  const graph = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => {
    const first = b.floats([3e4, -2e4, 1e4, 4e4], [2, 2, 1, 1]);
    return {
      y: b.add("Conv", [b.add("Conv", [input("x"), first]), b.floats([0, 0.02], [1, 2, 1, 1])]),
    };
  });
  const activations = new MeasuredActivations(calibrationOn(graph));
  const steps = [{ use: "equalize" }, { use: "quantize-static" }];
  const { graph: rounded } = await applyGroup(graph, { steps }, { activations }, passes);
  const feeds = feedsOf(graph);
  expect(agreement(await run(graph, feeds), await run(rounded, feeds))).toBeGreaterThan(30);
});

it("prints as expected on a chain with a depthwise layer, and says what it did", async () => {
  const graph = graphOf({ x: ["float32", 1, 1, 2, 2] }, (input, b) => {
    const first = b.floats([16, 0.25], [2, 1, 1, 1]);
    const expanded = b.add("Relu", [b.add("Conv", [input("x"), first, b.floats([8, 0.5])])]);
    const deep = b.add("Conv", [expanded, b.floats([0.25, 1], [2, 1, 1, 1])], {
      group: attribute.int(2),
    });
    return { y: b.add("Conv", [b.add("Relu", [deep]), b.floats([2, 4], [1, 2, 1, 1])]) };
  });
  const equalized = await verified(graph);
  expect(await printGraph(equalized)).toMatchInlineSnapshot(`
    "graph main opset 21 (x: float32[1, 1, 2, 2]) -> (y) {
      %1 = Conv(x, const float32[2, 1, 1, 1] [2.0, 0.9998308], const float32[2] [1.0, 1.9996616]) : float32[1, 2, 2, 2]
      %2 = Relu(%1) : float32[1, 2, 2, 2]
      %3 = Conv(%2, const float32[2, 1, 1, 1] [2.0, 1.0000846]) {group = 2} : float32[1, 2, 2, 2]
      %4 = Relu(%3) : float32[1, 2, 2, 2]
      %5 = Conv(%4, const float32[1, 2, 1, 1] [2.0, 1.0000846]) : float32[1, 1, 2, 2]
      return %5
    }
    "
  `);
  expect(said(equalized)).toMatchInlineSnapshot(`
    [
      "Conv left: its result is an output of the model",
      "Conv changed: 2 outputs scaled by 0.125 to 4, largest range over smallest from 64 to 2",
      "Conv changed: 2 outputs scaled by 1 to 4, largest range over smallest from 4 to 2; 2 inputs scaled by 0.25 to 8, largest range over smallest from 4 to 2",
      "Conv changed: 2 inputs scaled by 0.25 to 1, largest range over smallest from 2 to 2",
    ]
  `);
});

describe("on models as they are", () => {
  const open = async (bytes: Uint8Array): Promise<Graph> => {
    const graph = await decodeModel(
      { proto: byteSource(bytes), external: new Map() },
      { infer: inferNode },
    );
    await simplify.create(simplify.parse()).run(graph, {});
    return graph;
  };

  it.each([
    "mnist-cnn",
    "blazeface-front",
    "ocr-direction",
    "latency/kws-dscnn",
    "latency/cifar-resnet8",
  ])("%s gives what it gave", async (name) => {
    const file = new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url);
    const graph = await open(new Uint8Array(await readFile(file)));
    const equalized = await verified(graph);
    expect(equalized.changes).toBeGreaterThan(graph.changes);
  });
});

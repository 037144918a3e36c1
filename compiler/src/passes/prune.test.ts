import type { PassAccount } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import { countMacs, countParameters } from "../analysis/index.js";
import { attribute, type Graph, Tensor, type ValueId, verifyGraph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import type { Example } from "../pipeline/examples.js";
import { applyGroup } from "../pipeline/apply-step.js";
import { examplesOf } from "../train/small-networks.test.support.js";
import { fp16 } from "./fp16.js";
import { findPass, passes } from "./index.js";
import { prune } from "./prune.js";
import { calibrationOn, feedsOf, quantized } from "./quantization/engine-case.test.support.js";

/** Two convolutions of eight channels; `live` of the first one's are ever above 0. */
function network(live = 8): Graph {
  return graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => {
    const bias = Array.from({ length: 8 }, (_, at) => (at < live ? 9 : -99));
    const first = b.add("Conv", [input("x"), b.weights(8, 3, 1, 1), b.floats(bias)]);
    const second = b.add("Conv", [b.add("Relu", [first]), b.weights(8, 8, 3, 3)]);
    const scale = b.floats([5, 0.1, 5, 0.2, 5, 0.3, 5, 0.4]);
    const [zeros, ones] = [b.floats(Array(8).fill(0)), b.floats(Array(8).fill(1))];
    const normal = b.add("BatchNormalization", [second, scale, zeros, zeros, ones]);
    return { y: b.add("Conv", [b.add("Relu", [normal]), b.weights(4, 8, 1, 1)]) };
  });
}

const kept = ({ journal }: Graph): readonly string[] =>
  journal
    .filter(({ rule }) => rule === "prune")
    .map(({ op, what, reason }) => `${op} ${what}: ${reason}`);

describe("prune", () => {
  it("leaves 60 % of the multiply-accumulates, where nothing else is asked for", async () => {
    const graph = network();
    const pruned = await quantized(prune, graph);
    expect(countMacs(pruned)).toBeLessThanOrEqual(0.6 * (countMacs(graph) ?? 0));
    expect(kept(pruned)).toEqual([
      "Conv changed: 4 of 8 channels kept",
      "Conv left: all of its 8 channels are kept: others matter less",
      "Conv left: its channels must stay: they go to an output",
    ]);
    expect(prune.create(prune.parse({}))).toMatchObject({ exactness: "lossy" });
  });

  it("tells as data what it cut and what it left, and why", async () => {
    const graph = network();
    const { shares, graph: pruned } = await applyGroup(
      graph,
      { steps: [{ use: "prune" }] },
      {},
      passes,
    );
    const [share] = shares;
    expect(share?.macs).toEqual({ before: countMacs(graph), after: countMacs(pruned) });
    expect(share?.parameters).toEqual({
      before: countParameters(graph),
      after: countParameters(pruned),
    });
    expect(share?.account).toMatchObject({
      kind: "pruning",
      measure: "macs",
      keep: 0.6,
      importance: "magnitude",
      groups: [
        { op: "Conv", units: 8, width: 1, heads: false, kept: 8, importanceKept: 8, cut: [] },
        { op: "Conv", units: 8, width: 1, heads: false, kept: 4, importanceKept: 4 },
      ],
      moreGroups: 0,
      left: [
        { reason: "others matter less", layers: 1, channels: 8 },
        { reason: "they go to an output", layers: 1, channels: 4 },
      ],
    });
  });

  it("leaves a share of the parameters", async () => {
    const graph = network();
    const pruned = await quantized(prune, graph, { keepParams: 0.5, multiple: 1 });
    expect(countParameters(pruned)).toBeLessThanOrEqual(0.5 * countParameters(graph));
  });

  it("leaves a share of every layer's channels", async () => {
    const graph = graphOf({ x: ["float32", "N", 4] }, (input, b) => {
      const first = b.add("Relu", [b.add("MatMul", [input("x"), b.weights(4, 12)])]);
      const second = b.add("Relu", [b.add("MatMul", [first, b.weights(12, 8)])]);
      return { y: b.add("MatMul", [second, b.weights(8, 3)]) };
    });
    const options = { keepChannels: 0.5, scope: "layer", multiple: 1 };
    const pruned = await quantized(prune, graph, options);
    const dims = pruned.order().flatMap(({ op, inputs }) => {
      return op === "MatMul" ? [pruned.constant(inputs[1])?.dims] : [];
    });
    expect(dims).toEqual([
      [4, 6],
      [6, 4],
      [4, 3],
    ]);
    const single = graphOf({ x: ["float32", "N", 4] }, (input, b) => ({
      y: b.add("MatMul", [input("x"), b.weights(4, 3)]),
    }));
    await expect(quantized(prune, single, options)).rejects.toMatchObject({
      message: "prune.keepChannels 0.5 cannot be met: nothing of this model can be cut.",
      hint: expect.stringMatching(/^In the way: .*\. Do without pruning; pare quantize may do\.$/),
    });
  });

  it("goes by the labels' loss, where that is asked for", async () => {
    const graph = graphOf({ x: ["float32", "N", 4] }, (input, b) => {
      // The first half of the hidden layer is small, and all that tells the classes apart.
      const hidden = b.editor.constant(
        "w",
        Tensor.float32(
          [4, 16],
          Array.from({ length: 64 }, (_, at) => (at % 16 < 8 ? 0.1 : 1)),
        ),
      );
      const scores = Array.from({ length: 32 }, (_, at) => (at < 16 ? (at % 2 === 0 ? 1 : -1) : 1));
      const made = b.add("Relu", [b.add("MatMul", [input("x"), hidden])]);
      return { y: b.add("MatMul", [made, b.floats(scores, [16, 2])]) };
    });
    const samples = Array.from({ length: 64 }, (_, at): Example => ({
      feeds: { x: { type: "float32", dims: [1, 4], data: new Float32Array(4).fill(at % 2) } },
      label: at % 2,
    }));
    const examples = examplesOf(samples);
    const cut = async (importance: string): Promise<readonly (number | undefined)[]> => {
      const fork = graph.fork();
      const options = { keepChannels: 0.5, multiple: 1, importance };
      await prune.create(prune.parse(options)).run(fork, { examples });
      const [first] = fork.order();
      return [...((await fork.constant(first?.inputs[1])?.readFloat32()) ?? [])].slice(0, 8);
    };
    expect(await cut("magnitude")).toEqual(Array(8).fill(1));
    expect(await cut("taylor")).toEqual(Array(8).fill(Math.fround(0.1)));
    const unlabelled = examplesOf(samples.map(({ feeds }) => ({ feeds, label: undefined })));
    const pass = prune.create(prune.parse({ importance: "taylor" }));
    await expect(pass.run(graph.fork(), { examples: unlabelled })).rejects.toMatchObject({
      message: expect.stringContaining("no labels"),
    });
  });

  it("says of a quantized model that its float one is to be pruned", async () => {
    const float = graphOf({ x: ["float32", "N", 64] }, (input, b) => {
      const first = b.add("Relu", [b.add("MatMul", [input("x"), b.weights(64, 64)])]);
      return { y: b.add("MatMul", [first, b.weights(64, 64)]) };
    });
    const graph = await quantized(findPass("quantize-dynamic"), float);
    await expect(quantized(prune, graph, { keepFlops: 0.5 })).rejects.toMatchObject({
      code: "RECIPE",
      message: "prune.keepFlops 0.5 cannot be met: the model is quantized already.",
    });
  });

  it("looks at the scales of batch normalization", async () => {
    const graph = network();
    const pruned = graph.fork();
    const pass = prune.create(
      prune.parse({ importance: "batch-norm", keepFlops: 0.5, multiple: 4 }),
    );
    await pass.run(pruned, {});
    verifyGraph(pruned);
    const scales = [...pruned.allNodes()].flatMap(({ op, inputs }) =>
      op === "BatchNormalization" ? [pruned.constant(inputs[1])?.numbers()] : [],
    );
    expect(scales[0]?.map(Math.round)).toEqual([5, 5, 5, 5]);
  });

  it("looks at how large channels are on samples", async () => {
    const graph = network(4);
    const options = { importance: "activation", keepFlops: 0.55, multiple: 4 };
    const pass = prune.create(prune.parse(options));
    expect(pass.needs).toBe("activations");
    const pruned = graph.fork();
    await pass.run(pruned, { activations: new MeasuredActivations(calibrationOn(graph)) });
    const [first] = [...pruned.allNodes()].filter(({ op }) => op === "Conv");
    expect(pruned.constant(first?.inputs[2])?.numbers()).toEqual([9, 9, 9, 9]);
  });

  it("looks at how large the last axis is on samples", async () => {
    const graph = graphOf({ x: ["float32", 1, 6, 4] }, (input, b) => {
      const bias = b.floats(Array.from({ length: 16 }, (_, at) => (at < 8 ? -99 : 9)));
      const wide = b.add("Add", [b.add("MatMul", [input("x"), b.weights(4, 16)]), bias]);
      return { y: b.add("MatMul", [b.add("Relu", [wide]), b.weights(16, 4)]) };
    });
    const options = { importance: "activation", keepChannels: 0.5, multiple: 1 };
    await prune
      .create(prune.parse(options))
      .run(graph, { activations: new MeasuredActivations(calibrationOn(graph)) });
    const add = graph.order().find(({ op }) => op === "Add");
    expect(graph.constant(add?.inputs[1])?.numbers()).toEqual(Array(8).fill(9));
  });

  it("looks at samples of a model in float16, and fits it to them, in float32", async () => {
    const graph = await quantized(fp16, network(4));
    const options = { importance: "activation", keepFlops: 0.55, multiple: 4, reconstruct: true };
    const pruned = graph.fork();
    let account: PassAccount | undefined;
    await prune.create(prune.parse(options)).run(pruned, {
      activations: new MeasuredActivations(calibrationOn(graph)),
      examples: examplesOf([1, 2, 3].map((seed) => ({ feeds: feedsOf(graph, seed), label: 0 }))),
      onAccount: (told) => (account = told),
    });
    verifyGraph(pruned);
    expect(account).toMatchObject({ importance: "activation" });
    const [first] = [...pruned.allNodes()].filter(({ op }) => op === "Conv");
    expect(pruned.constant(first?.inputs[2])?.numbers()).toEqual([9, 9, 9, 9]);
    const said = kept(pruned);
    expect(said).toContainEqual(expect.stringMatching(/^Conv changed: weights fitted/));
    expect(said.join()).not.toContain("must stay as they were");
  });

  it("leaves a model in float16 as it is where it looks at no samples", async () => {
    const pruned = await quantized(prune, await quantized(fp16, network()));
    const weights = [...pruned.allValues()].flatMap(({ constant }) =>
      constant !== undefined && constant.dims.length === 4 ? [constant.dtype] : [],
    );
    expect(weights).toEqual(["float16", "float16", "float16"]);
  });

  it("looks at the scales of batch normalization of a model in float16 that is fitted", async () => {
    const pruned = await quantized(fp16, network());
    const options = { importance: "batch-norm", keepFlops: 0.5, multiple: 4, reconstruct: true };
    const examples = examplesOf([{ feeds: feedsOf(pruned, 1), label: 0 }]);
    await prune.create(prune.parse(options)).run(pruned, { examples });
    const scales = [...pruned.allNodes()].flatMap(({ op, inputs }) =>
      op === "BatchNormalization" ? [pruned.constant(inputs[1])?.numbers()] : [],
    );
    expect(scales[0]?.map(Math.round)).toEqual([5, 5, 5, 5]);
  });

  it.each(["batch-norm", "activation"])(
    "tells that weights decided where %s is not to be had",
    async (importance) => {
      const graph = graphOf({ x: ["float32", "N", 4] }, (input, b) => {
        const hidden = b.add("Relu", [b.add("MatMul", [input("x"), b.weights(4, 16)])]);
        return { y: b.add("MatMul", [hidden, b.weights(16, 3)]) };
      });
      const step = { use: "prune", with: { importance } };
      const { shares, journal } = await applyGroup(graph, { steps: [step] }, {}, passes);
      expect(shares[0]?.account).toMatchObject({ importance: "magnitude" });
      expect(journal.map(({ reason }) => reason)).toContain(
        `the importance ${importance} is not to be had of this model: all channels go by magnitude`,
      );
    },
  );

  it("looks at them in a file whose shapes are still computed", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => {
      const made = b.add("Conv", [input("x"), b.weights(8, 3, 1, 1)]);
      const [zeros, ones] = [b.floats(Array(8).fill(0)), b.floats(Array(8).fill(1))];
      const scale = b.floats([5, 0.1, 5, 0.2, 5, 0.3, 5, 0.4]);
      const normal = b.add("BatchNormalization", [made, scale, zeros, zeros, ones]);
      const batch = b.add("Gather", [b.add("Shape", [normal]), b.ints([0])]);
      const target = b.add("Concat", [batch, b.ints([-1])], { axis: attribute.int(0) });
      return { y: b.add("MatMul", [b.add("Reshape", [normal, target]), b.weights(512, 4)]) };
    });
    const options = { importance: "batch-norm", multiple: 1 } as const;
    const pruned = await quantized(prune, graph, options);
    expect(kept(pruned)[0]).toBe("Conv changed: 4 of 8 channels kept");
  });

  it("cuts weights that are stored in float16, and says of those that are integers why not", async () => {
    const stored = (dtype: "float16" | "int8"): Graph =>
      graphOf({ x: ["float32", 1, 8] }, (input, b) => {
        const layer = (of: ValueId, factor: number): ValueId => {
          const numbers = new (dtype === "float16" ? Uint16Array : Int8Array)(64);
          for (const at of numbers.keys()) numbers[at] = (at * factor) % 64;
          const weight = b.editor.constant("w", Tensor.of(dtype, [8, 8], numbers));
          const floats =
            dtype === "float16"
              ? b.add("Cast", [weight], { to: attribute.int(1) })
              : b.add("DequantizeLinear", [weight, b.floats([0.1], [])]);
          return b.add("MatMul", [of, floats]);
        };
        return { y: layer(b.add("Relu", [layer(input("x"), 37)]), 29) };
      });
    const options = { multiple: 1 };
    expect(kept(await quantized(prune, stored("float16"), options))[0]).toBe(
      "MatMul changed: 4 of 8 channels kept",
    );
    await expect(quantized(prune, stored("int8"), options)).rejects.toMatchObject({
      code: "RECIPE",
      message: "prune.keepFlops 0.6 cannot be met: the model is quantized already.",
    });
  });

  it("refuses two wishes at once, and shares that are none", () => {
    const made = (options: unknown) => () => prune.create(prune.parse(options));
    expect(made({ keepFlops: 0.5, keepParams: 0.5 })).toThrow(/prune.keepParams goes with no/);
    expect(made({ keepParams: 0.5, keepChannels: 1 })).toThrow(/prune.keepChannels goes with no/);
    for (const keepFlops of [0, 1.5, "half"])
      expect(made({ keepFlops })).toThrow(expect.objectContaining({ code: "RECIPE" }));
    expect(findPass("prune")).toBe(prune);
  });

  it("leaves a model alone that has no work", async () => {
    const graph = graphOf({ x: ["float32", 2] }, (input, b) => ({
      y: b.add("Relu", [input("x")]),
    }));
    const pruned = await quantized(prune, graph);
    expect(pruned.changes).toBe(graph.changes);
  });
});

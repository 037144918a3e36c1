import { readFile } from "node:fs/promises";
import { byteSource, isPareError, type Tensors } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countMacs } from "../analysis/index.js";
import {
  attribute,
  edit,
  type Graph,
  type Node,
  Tensor,
  tensorType,
  verifyGraph,
  type ValueId,
} from "../ir/index.js";
import { decodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { bringToNormalForm } from "../passes/normal-form.js";
import { feedsOf, run } from "../passes/quantization/engine-case.test.support.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { cutChannels } from "./cut.js";
import { cutUnread } from "./cut-unread.js";
import { channelGroups } from "./groups.js";
import { maskChannels } from "./mask.js";
import type { Gradients } from "./importance.js";
import { planPruning, type PrunePlan, type PruneWish } from "./prune.js";
import { blockKinds, type Drawn, headKinds, networkOf } from "./random-network.test.support.js";
import { countNominalMacs, prunableWork } from "./sizes.js";

const networks: fc.Arbitrary<Drawn> = fc.record({
  blocks: fc.array(fc.constantFrom(...blockKinds), { maxLength: 6 }),
  head: fc.constantFrom(...headKinds),
  seed: fc.nat(1e9),
});

const wish: PruneWish = {
  keep: 0.6,
  where: "keepFlops",
  scope: "global",
  multiple: 4,
  measure: "macs",
  importance: "magnitude",
};

const wishes: fc.Arbitrary<PruneWish> = fc.record({
  keep: fc.double({ min: 0.4, max: 0.9, noNaN: true }),
  where: fc.constant("keepFlops"),
  scope: fc.constantFrom("global", "layer"),
  multiple: fc.constantFrom(1, 4, 8),
  measure: fc.constantFrom("macs", "parameters"),
  importance: fc.constantFrom("magnitude", "batch-norm"),
});

/** The largest difference in an output, of the largest number in it. */
function distance(expected: Tensors, found: Tensors): number {
  let worst = 0;
  for (const [name, { dims, data }] of Object.entries(expected)) {
    const other = found[name];
    expect(other?.dims).toEqual(dims);
    let [largest, apart] = [1e-3, 0];
    for (const [at, value] of data.entries()) {
      largest = Math.max(largest, Math.abs(Number(value)));
      apart = Math.max(apart, Math.abs(Number(value) - Number(other?.data[at])));
    }
    worst = Math.max(worst, apart / largest);
  }
  return worst;
}

/** Cuts one copy of a model and masks another, and holds them to each other. */
async function held(
  graph: Graph,
  wanted: PruneWish,
  feeds = feedsOf(graph, 3),
): Promise<{ readonly cut: Graph; readonly plan: PrunePlan }> {
  const [cut, masked] = [graph.fork(), graph.fork()];
  const plan = await planPruning(cut, wanted);
  await cutChannels(cut, plan.axes, plan.cuts);
  verifyGraph(cut, "prune");
  const same = await planPruning(masked, wanted);
  maskChannels(masked, same.axes, same.cuts);
  const expected = await run(masked, feeds);
  expect(distance(expected, await run(cut, feeds))).toBeLessThan(1e-4);
  return { cut, plan };
}

/** The axis of a weight that its operator sums over. */
function summed({ op, attributes }: Node, rank: number): number | undefined {
  switch (op) {
    case "Conv":
      return 1;
    case "ConvTranspose":
      return 0;
    case "MatMul":
      return rank - 2;
    case "Gemm":
      return attributes.get("transB")?.value === 1n || attributes.get("transB")?.value === 1
        ? 1
        : 0;
    default:
      return undefined;
  }
}

/** Zeroes the weights that read what would be cut. */
async function leaveUnread(
  graph: Graph,
  axes: PrunePlan["axes"],
  cuts: PrunePlan["cuts"],
): Promise<void> {
  for (const { group, gone } of cuts)
    for (const { axis, places, width } of group.members) {
      const tensor = graph.constant(axis.value);
      const reads = axes
        .ends(axis)
        .some(
          ({ node, port }) =>
            port.index === 1 && summed(node, tensor?.dims.length ?? 0) === axis.axis,
        );
      if (tensor === undefined || !reads) continue;
      const data = Float32Array.from((await tensor.readArray()) as Float32Array);
      const inner = tensor.dims.slice(axis.axis + 1).reduce((all, size) => all * size, 1);
      const out = new Set(
        gone.flatMap((unit) => [...places.subarray(unit * width, (unit + 1) * width)]),
      );
      data.forEach((_, at) => {
        if (out.has(Math.floor(at / inner) % axis.size)) data[at] = 0;
      });
      edit(graph, "test", (editor) =>
        editor.setConstant(axis.value, Tensor.float32(tensor.dims, data)),
      );
    }
}

/** What leaves one unit of each group may still be more than was wished for. */
async function unlessTooMuch<T>(planned: Promise<T>): Promise<T> {
  try {
    return await planned;
  } catch (error) {
    fc.pre(!isPareError(error) || error.code !== "RECIPE");
    throw error;
  }
}

async function fixture(name: string): Promise<Graph> {
  const bytes = await readFile(new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url));
  const graph = await decodeModel(
    { proto: byteSource(new Uint8Array(bytes)) },
    { infer: inferNode },
  );
  await bringToNormalForm(graph);
  return graph;
}

describe("what is pruned", () => {
  it("equals what is masked in any network, and costs what was counted", async () => {
    let cuts = 0;
    const property = fc.asyncProperty(networks, wishes, async (drawn, wanted) => {
      const graph = networkOf(drawn);
      const { cut, plan } = await unlessTooMuch(held(graph, wanted));
      cuts += plan.cuts.length;
      expect(plan.after).toBeLessThanOrEqual(wanted.keep * plan.before);
      if (wanted.measure === "macs") expect(countMacs(cut)).toBe(plan.after);
    });
    await fc.assert(property, { numRuns: 60 });
    expect(cuts).toBeGreaterThan(60);
  }, 120_000);

  it("loses nothing in any network where no weight reads it", async () => {
    let channels = 0;
    const property = fc.asyncProperty(networks, wishes, async (drawn, wanted) => {
      const graph = networkOf(drawn);
      const { axes, cuts } = await unlessTooMuch(planPruning(graph, wanted));
      await leaveUnread(graph, axes, cuts);
      const cut = graph.fork();
      await cutUnread(cut, 1);
      verifyGraph(cut, "prune");
      channels += countNominalMacs(graph) > countNominalMacs(cut) ? 1 : 0;
      const feeds = feedsOf(graph, 3);
      expect(distance(await run(graph, feeds), await run(cut, feeds))).toBeLessThan(1e-5);
    });
    await fc.assert(property, { numRuns: 40 });
    expect(channels).toBeGreaterThan(20);
  }, 120_000);

  it("keeps what no weight reads but a product with itself does", async () => {
    const graph = graphOf({ x: ["float32", 5, 8] }, (x, b) => {
      const hidden = b.add("Tanh", [b.add("MatMul", [x("x"), b.weights(8, 6)])]);
      const reading = Float32Array.from({ length: 6 * 4 }, (_, at) => (at < 12 ? 0 : at));
      const transposed = b.add("Transpose", [hidden], { perm: attribute.ints([1, 0]) });
      return {
        y: b.add("MatMul", [hidden, b.floats([...reading], [6, 4])]),
        product: b.add("MatMul", [hidden, transposed]),
      };
    });
    const [feeds, macs] = [feedsOf(graph, 3), countMacs(graph)];
    const before = await run(graph, feeds);
    await cutUnread(graph, 1);
    expect(countMacs(graph)).toBe(macs);
    expect(distance(before, await run(graph, feeds))).toBe(0);
  });

  it.each([
    ["RNN", 1],
    ["GRU", 3],
    ["LSTM", 4],
  ] as const)("keeps a unit of %s that only others of its layer read", async (op, gates) => {
    /** Units of which the first is f(bias), and no product behind reads it. @param column what the others read of it */
    const recurrent = (column: number): Graph =>
      graphOf({ x: ["float32", 5, 2, 3] }, (input, b) => {
        const rows = gates * 4;
        const numbers = (width: number, zero: (row: number, at: number) => boolean) =>
          Array.from({ length: rows * width }, (_, index) => {
            const [row, at] = [Math.floor(index / width), index % width];
            return zero(row, at) ? 0 : Math.sin(index + 1);
          });
        const w = b.floats(
          numbers(3, (row) => row % 4 === 0),
          [1, rows, 3],
        );
        const made = numbers(4, (row) => row % 4 === 0).map((value, index) =>
          index % 4 === 0 ? value * column : value,
        );
        const r = b.floats(made, [1, rows, 4]);
        const bias = b.floats(
          numbers(2, () => false),
          [1, 2 * rows],
        );
        const cell = { hidden_size: attribute.int(4) };
        const outputs = b.editor.add(op, [input("x"), w, r, bias], cell, { outputs: 1 });
        const units = b.add("Squeeze", [outputs[0] ?? input("x"), b.ints([1])]);
        const reading = Array.from({ length: 8 }, (_, at) => (at < 2 ? 0 : Math.cos(at)));
        return { y: b.add("MatMul", [units, b.floats(reading, [4, 2])]) };
      });
    for (const [column, left] of [
      [1, 4],
      [0, 3],
    ] as const) {
      const graph = recurrent(column);
      const feeds = feedsOf(graph, 3);
      const before = await run(graph, feeds);
      await cutUnread(graph, 1);
      const [node] = graph.order();
      expect(node?.attributes.get("hidden_size")).toEqual(attribute.int(left));
      expect(distance(before, await run(graph, feeds))).toBeLessThan(1e-5);
    }
  });

  it.each(blockKinds)(
    "passes through: %s",
    async (kind) => {
      for (const head of headKinds) {
        const graph = networkOf({ blocks: ["convolution", kind, "convolution"], head, seed: 5 });
        const { groups } = channelGroups(graph);
        const { macs, reached } = prunableWork(graph, groups);
        expect(reached / macs).toBe(1);
        await held(graph, wish);
      }
    },
    60_000,
  );

  it.each(["mnist-cnn", "blazeface-front", "ocr-direction", "ocr-recognition"])(
    "equals what is masked in %s",
    async (name) => {
      const graph = await fixture(name);
      const { cut, plan } = await held(graph, wish);
      expect(countNominalMacs(cut)).toBe(plan.after);
      expect(plan.after).toBeLessThanOrEqual(0.6 * plan.before);
      expect(plan.after).toBeGreaterThan(0.5 * plan.before);
    },
    60_000,
  );
});

describe("groups", () => {
  const groupsIn = (graph: Graph): readonly string[] =>
    channelGroups(graph).groups.map(
      ({ node, units, width, heads }) => `${node.op} ${units}x${width}${heads ? " heads" : ""}`,
    );

  it("are whole heads, and neurons between products", () => {
    const graph = networkOf({ blocks: [], head: "attention", seed: 1 });
    expect(groupsIn(graph)).toEqual(["Conv 8x1", "MatMul 4x4 heads", "MatMul 24x1"]);
  });

  it("are those of a layer whose shape is asked for, where nothing is made of how many there are", () => {
    const network = (at: number): Graph =>
      graphOf({ x: ["float32", "N", 3, 4, 4] }, (input, b) => {
        const wide = b.add("Conv", [input("x"), b.weights(8, 3, 1, 1)]);
        const size = b.add("Gather", [b.add("Shape", [wide]), b.ints([at])]);
        const filled = b.add("ConstantOfShape", [size]);
        return {
          y: b.add("Conv", [b.add("Relu", [wide]), b.weights(5, 8, 1, 1)]),
          z: b.add("Neg", [filled]),
        };
      });
    expect(groupsIn(network(0))).toEqual(["Conv 8x1"]);
    expect(groupsIn(network(1))).toEqual([]);
  });

  it("are heads that read the same keys and values, with these", async () => {
    const perm = { perm: attribute.ints([0, 2, 1, 3]) };
    const graph = graphOf({ x: ["float32", 2, 5, 16] }, (input, b) => {
      const heads = (count: number): ValueId => {
        const wide = b.add("MatMul", [input("x"), b.weights(16, 4 * count)]);
        return b.add("Transpose", [b.add("Reshape", [wide, b.ints([0, 0, count, 4])])], perm);
      };
      const shared = (): ValueId => {
        const each = b.add("Unsqueeze", [heads(2), b.ints([2])]);
        const all = b.add("Expand", [each, b.ints([2, 2, 3, 5, 4])]);
        return b.add("Reshape", [all, b.ints([0, 6, 5, 4])]);
      };
      const keys = b.add("Transpose", [shared()], { perm: attribute.ints([0, 1, 3, 2]) });
      const scores = b.add("Softmax", [b.add("MatMul", [heads(6), keys])]);
      const seen = b.add("Transpose", [b.add("MatMul", [scores, shared()])], perm);
      const flat = b.add("Reshape", [seen, b.ints([0, 0, 24])]);
      return { y: b.add("MatMul", [flat, b.weights(24, 16)]) };
    });
    expect(groupsIn(graph)).toEqual(["MatMul 2x4 heads"]);
    await held(graph, wish);
  });

  it("are of one layer each where a concat joins them, and of both where a sum does", () => {
    expect(
      groupsIn(networkOf({ blocks: ["dense"], head: "GlobalAveragePool, Gemm", seed: 1 })),
    ).toEqual(["Conv 8x1", "Conv 8x1"]);
    expect(
      groupsIn(networkOf({ blocks: ["residual"], head: "GlobalAveragePool, Gemm", seed: 1 })),
    ).toEqual(["Conv 8x1", "Conv 12x1"]);
  });

  it("keep what lies on either side of a shuffle in step", () => {
    const blocks = ["shuffle", "two groups"] as const;
    expect(groupsIn(networkOf({ blocks, head: "GlobalAveragePool, Gemm", seed: 1 }))).toEqual([
      "Conv 2x4",
      "Conv 8x2",
    ]);
  });

  it("say of what cannot be cut why", () => {
    const { int } = attribute;
    const graph = graphOf({ x: ["float32", 1, 4, 8], size: ["int64", 3] }, (input, b) => {
      const product = (of: Parameters<typeof b.add>[1][number]) =>
        b.add("MatMul", [of, b.weights(8, 8)]);
      const hidden = product(input("x"));
      return {
        fromInput: b.add("Softmax", [b.add("Add", [product(hidden), input("x")])], {
          axis: int(-1),
        }),
        mixed: b.add("Softmax", [product(hidden)], { axis: int(-1) }),
        sorted: b.many("TopK", 2, [product(hidden), b.ints([2])])[0] ?? hidden,
        computed: b.add("Reshape", [product(hidden), input("size")]),
        moved: b.add("CumSum", [product(hidden), b.ints([2], [])]),
        itself: product(hidden),
      };
    });
    const { groups, blocked } = channelGroups(graph);
    expect(groups).toHaveLength(1);
    expect(
      blocked.map(({ channels, of, reason }) => `${channels} of ${of}: ${reason.why}`),
    ).toEqual([
      "8 of 8: they come from an input",
      "8 of 8: Softmax does not keep them apart",
      "8 of 8: nothing is known of channels in TopK",
      "8 of 8: Reshape gives them a shape that is computed; --shape and --dim may fix it",
      "8 of 8: nothing is known of channels in CumSum",
      "8 of 8: they go to an output",
    ]);
  });

  it("of a constant that two layers read by chance are of each alone", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
      const bias = b.floats([1, 2, 3, 4, 5, 6, 7, 8]);
      const first = b.add("Conv", [input("x"), b.weights(8, 3, 1, 1), bias]);
      const second = b.add("Conv", [b.add("Relu", [first]), b.weights(8, 8, 1, 1), bias]);
      return { y: b.add("Conv", [b.add("Relu", [second]), b.weights(2, 8, 1, 1)]) };
    });
    expect(channelGroups(graph).groups).toHaveLength(2);
    await held(graph, { ...wish, keep: 0.5, multiple: 1 });
  });

  it("of weights that two layers share are of both", async () => {
    const graph = graphOf({ x: ["float32", 1, 8, 4, 4] }, (input, b) => {
      const shared = b.weights(8, 8, 1, 1);
      const first = b.add("Conv", [input("x"), shared]);
      const second = b.add("Conv", [b.add("Abs", [input("x")]), shared]);
      return { y: b.add("Conv", [b.add("Mul", [first, second]), b.weights(2, 8, 1, 1)]) };
    });
    expect(channelGroups(graph).groups).toHaveLength(1);
    await held(graph, { ...wish, multiple: 1 });
  });

  it("stay where they meet something of a size that is not known", () => {
    const graph = graphOf(
      { x: ["float32", 1, 8, 4, 4], z: ["float32", 1, 8, 4, 4], s: ["int64", "R"] },
      (input, b) => {
        const first = b.add("Conv", [input("x"), b.weights(8, 8, 1, 1)]);
        const sum = b.add("Add", [first, b.add("Reshape", [input("z"), input("s")])]);
        b.editor.setType(sum, tensorType("float32", [1, 8, 4, 4]));
        return { y: b.add("Conv", [sum, b.weights(2, 8, 1, 1)]) };
      },
    );
    const { groups, blocked } = channelGroups(graph);
    expect(groups).toEqual([]);
    expect(blocked.map(({ reason }) => reason.why)).toContain("Add does not keep them apart");
  });

  it("lie in the bodies of control flow, too", async () => {
    const graph = await fixture("silero-vad-v5");
    const { groups, blocked } = channelGroups(graph);
    expect(groups.length).toBeGreaterThanOrEqual(8);
    const noise = (...dims: readonly number[]) => {
      const count = dims.reduce((product, size) => product * size, 1);
      const data = Float32Array.from({ length: count }, (_, at) => Math.sin(at * at));
      return { type: "float32", dims, data } as const;
    };
    const sr = { type: "int64", dims: [], data: BigInt64Array.of(16_000n) } as const;
    const feeds = { input: noise(1, 512), state: noise(2, 1, 128), sr };
    await held(graph, { ...wish, measure: "parameters", keep: 0.8 }, feeds);
    expect(blocked.map(({ reason }) => reason.why)).toContain("they go to an output");
  });
});

describe("the choice", () => {
  const network = networkOf({
    blocks: ["convolution", "residual", "convolution"],
    head: "GlobalAveragePool, Gemm",
    seed: 3,
  });

  it("leaves multiples where it can, and finer numbers where it must", async () => {
    const left = async (keep: number, multiple: number): Promise<readonly number[]> => {
      const { cuts } = await planPruning(network.fork(), { ...wish, keep, multiple });
      return cuts.map(({ group, gone }) => group.units - gone.length);
    };
    expect((await left(0.6, 4)).every((units) => units % 4 === 0)).toBe(true);
    expect((await left(0.02, 4)).some((units) => units % 4 !== 0)).toBe(true);
  });

  it("gives every layer the same share, where that is asked for", async () => {
    const { cuts, groups } = await planPruning(network.fork(), {
      ...wish,
      scope: "layer",
      multiple: 1,
    });
    expect(cuts).toHaveLength(groups.length);
    const shares = cuts.map(({ group, gone }) => 1 - gone.length / group.units);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(0.2);
  });

  it("says how far it can go where a wish cannot be met, and what is in the way", async () => {
    const most = prunableWork(network, channelGroups(network).groups);
    const reachable = Number((most.least / most.macs).toFixed(3));
    await expect(planPruning(network.fork(), { ...wish, keep: 0.0001 })).rejects.toMatchObject({
      code: "RECIPE",
      where: "keepFlops",
      message: expect.stringContaining(`it still has ${reachable}.`),
      hint: expect.stringContaining("they go to an output (one layer)"),
    });
  });

  it("takes what matters least: what is small, what a gradient says is small", async () => {
    const graph = graphOf({ x: ["float32", 1, 2, 4, 4] }, (input, b) => {
      const made = b.floats([1, 1, 9, 9, 2, 2, 8, 8], [4, 2, 1, 1]);
      const hidden = b.add("Relu", [b.add("Conv", [input("x"), made])]);
      return { y: b.add("Conv", [hidden, b.floats([1, 1, 1, 1], [1, 4, 1, 1])]) };
    });
    const gone = async (more: Partial<PruneWish>) =>
      (await planPruning(graph, { ...wish, keep: 0.5, multiple: 1, ...more })).cuts.map(
        (one) => one.gone,
      );
    expect(await gone({})).toEqual([[0, 2]]);
    const made = graph.order()[0]?.inputs[1];
    if (made === undefined || made === null) throw new RangeError("There are no weights.");
    // What is lost in one batch is not won by what is gained in the other.
    const batches = [
      [1, 1, 0, 0, 1, 1, 0.1, 0],
      [1, 1, 0, 0, -1, -1, 0.1, 0],
    ];
    const gradients: Gradients = async (take) => {
      for (const batch of batches) await take(new Map([[made, batch]]));
    };
    expect(await gone({ importance: "taylor", gradients })).toEqual([[1, 3]]);
  });
});

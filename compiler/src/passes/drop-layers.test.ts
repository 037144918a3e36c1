import { PareError, type Tensor as Dense, type Tensors } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countParameters } from "../analysis/index.js";
import {
  identityKinds,
  layerKinds,
  type Stack,
  stackOf,
} from "../analysis/random-stack.test.support.js";
import { edit, type Graph, printGraph, Tensor, verifyGraph } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { applyGroup } from "../pipeline/apply-step.js";
import { randomOf } from "../pipeline/random.js";
import type { Step } from "../pipeline/step.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { examplesOf } from "../train/small-networks.test.support.js";
import { dropLayers } from "./drop-layers.js";
import { fp16 } from "./fp16.js";
import { passes } from "./index.js";
import { feedsOf, quantized, run } from "./quantization/engine-case.test.support.js";

async function dropped(
  graph: Graph,
  options: Readonly<Record<string, unknown>>,
  context: Parameters<ReturnType<typeof dropLayers.create>["run"]>[1] = {},
): Promise<Graph> {
  const fork = graph.fork();
  await dropLayers.create(dropLayers.parse(options)).run(fork, context);
  verifyGraph(fork, "drop-layers");
  return fork;
}

const masked = (graph: Graph, seed: number): Tensors => ({
  ...feedsOf(graph, seed),
  mask: { type: "int64", dims: [2, 3], data: BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 0n) },
});

const stack = (kinds: readonly (typeof layerKinds)[number][]): fc.Arbitrary<Stack> =>
  fc.record({
    groups: fc
      .tuple(fc.constantFrom(...kinds), fc.integer({ min: 2, max: 6 }))
      .map(([kind, count]) => [{ kind, count }]),
    normed: fc.boolean(),
    seed: fc.nat(1e9),
  });

describe("drop-layers", () => {
  it("changes no number where what goes does nothing, whichever layers go", async () => {
    await fc.assert(
      fc.asyncProperty(stack(identityKinds), fc.nat(1e6), async (drawn, which) => {
        const { graph, layers, last } = stackOf(drawn);
        // At least one stays.
        const kept = [...layers.keys()].filter((index) => ((which >> index) & 1) === 1);
        if (kept.length === 0) kept.push(which % layers.length);
        edit(graph, "zero", (editor) => {
          for (const [index, constants] of last.entries())
            if (!kept.includes(index))
              for (const id of constants) {
                const { dims = [], count = 0 } = graph.constant(id) ?? {};
                editor.setConstant(id, Tensor.float32(dims, new Float32Array(count)));
              }
        });
        const feeds = masked(graph, drawn.seed % 7);
        const student = await dropped(graph, { layers: kept });
        expect(await evaluateGraph(student, feeds)).toEqual(await evaluateGraph(graph, feeds));
      }),
      { numRuns: 40 },
    );
  });

  it("leaves what stays with its own weights, and takes the others' out of the file", async () => {
    await fc.assert(
      fc.asyncProperty(stack(layerKinds), fc.integer({ min: 1, max: 6 }), async (drawn, left) => {
        const { graph, layers } = stackOf(drawn);
        const count = Math.min(left, layers.length);
        const student = await dropped(graph, { layers: count });
        const [group] = drawn.groups;
        const smaller = group && stackOf({ ...drawn, groups: [{ ...group, count }] }).graph;
        expect(countParameters(student)).toBe(smaller && countParameters(smaller));
        const outputs = await run(student, masked(graph, 1));
        expect(outputs["y"]?.dims).toEqual([2, 3]);
        const own = new Set([...graph.allValues()].map(({ constant }) => constant));
        for (const { constant } of student.allValues()) expect(own.has(constant)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("is the identity where all stay", async () => {
    const { graph } = stackOf({
      groups: [{ kind: "post-norm block", count: 3 }],
      normed: true,
      seed: 2,
    });
    for (const options of [{ keep: 1 }, { layers: 3 }, { layers: [2, 0, 1, 1] }])
      expect(await printGraph(await dropped(graph, options))).toBe(await printGraph(graph));
  });

  it("keeps the first, the last and those between at even distances", async () => {
    const { graph } = stackOf({
      groups: [{ kind: "perceptron", count: 6 }],
      normed: false,
      seed: 3,
    });
    const gone = async (options: Readonly<Record<string, unknown>>): Promise<readonly number[]> => {
      const { journal } = await dropped(graph, options);
      return journal
        .map(({ reason }) => Number(/^layer (\d) of 6 left out$/.exec(reason)?.[1]))
        .sort((a, b) => a - b);
    };
    expect(await gone({})).toEqual([1, 2, 4]);
    expect(await gone({ layers: 4 })).toEqual([1, 4]);
    expect(await gone({ layers: 1 })).toEqual([1, 2, 3, 4, 5]);
    expect(await gone({ keep: 0.01 })).toEqual([1, 2, 3, 4, 5]);
    expect(await gone({ layers: [1, 3] })).toEqual([0, 2, 4, 5]);
  });

  /** Five layers, of which the second and the fourth add most. */
  function unequal(): Graph {
    const { graph, last } = stackOf({
      groups: [{ kind: "perceptron", count: 5 }],
      normed: false,
      seed: 4,
    });
    const factors = [0.1, 2, 0, 3, 0.05];
    edit(graph, "scale", (editor) => {
      for (const [index, constants] of last.entries())
        for (const id of constants) {
          const tensor = graph.constant(id);
          const scaled = (tensor?.numbers() ?? []).map((value) => value * (factors[index] ?? 0));
          editor.setConstant(id, Tensor.float32(tensor?.dims ?? [], scaled));
        }
    });
    return graph;
  }

  it.each<[string, () => Promise<Graph>]>([
    ["float32", async () => unequal()],
    ["float16", async () => quantized(fp16, unequal())],
  ])(
    "keeps by influence those that change most of what goes through them, in %s",
    async (_, of) => {
      const graph = await of();
      const samples = [1, 2, 3].map((seed) => ({ feeds: masked(graph, seed), label: undefined }));
      const student = await dropped(
        graph,
        { layers: 2, by: "influence" },
        { examples: examplesOf(samples) },
      );
      const reasons = student.journal
        .filter(({ rule }) => rule === "drop-layers")
        .map(({ reason }) => reason);
      for (const index of [0, 2, 4]) expect(reasons).toContain(`layer ${index} of 5 left out`);
      expect(reasons).toHaveLength(3);
    },
  );
});

describe("a student of fewer layers", () => {
  it("is taught in the same group of a recipe by the model as it came", async () => {
    const groups = [{ kind: "pre-norm attention" as const, count: 4 }];
    const { graph } = stackOf({ groups, normed: false, seed: 6 });
    const samples = Array.from({ length: 48 }, (_, seed) => {
      const { x, mask } = oneOf(masked(graph, seed + 1));
      return { feeds: { x, mask }, label: undefined };
    });
    const context = {
      examples: examplesOf(samples),
      teacher: graph,
      random: (name: string) => randomOf(2, name),
    };
    const drop = { use: "drop-layers", with: { layers: 2 } };
    const signals = [{ value: "y", loss: "mse" }];
    const distill = { use: "distill", with: { epochs: 12, batch: 8, rate: 0.01, signals } };
    const made = async (steps: readonly Step[]): Promise<number> => {
      const student = (await applyGroup(graph, { steps }, context, passes)).graph;
      const other = masked(graph, 99);
      const [wanted, found] = [await run(graph, other), await run(student, other)];
      const [a, b] = [wanted, found].map(({ y }) => [...((y?.data ?? []) as Float32Array)]);
      return (a ?? []).reduce((sum, value, at) => sum + (value - (b?.[at] ?? 0)) ** 2, 0);
    };
    expect(await made([drop, distill])).toBeLessThan((await made([drop])) / 2);
  });
});

/** The first of a batch of samples. */
function oneOf(feeds: Tensors): { readonly x: Dense; readonly mask: Dense } {
  const { x, mask } = feeds;
  if (!(x?.data instanceof Float32Array) || !(mask?.data instanceof BigInt64Array))
    throw new Error("no stack");
  return {
    x: { type: "float32", dims: [1, 3, 8], data: x.data.slice(0, 24) },
    mask: { type: "int64", dims: [1, 3], data: mask.data.slice(3) },
  };
}

describe("what cannot be left out is said", () => {
  const fault = async (
    graph: Graph,
    options: Readonly<Record<string, unknown>>,
  ): Promise<string> => {
    try {
      await dropped(graph, options);
    } catch (error) {
      if (error instanceof PareError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "no error";
  };
  const plain = graphOf({ x: ["float32", "N", 4] }, (input, b) => ({
    y: b.add("Relu", [b.add("MatMul", [input("x"), b.weights(4, 4)])]),
  }));
  const three = stackOf({ groups: [{ kind: "gated", count: 3 }], normed: false, seed: 1 }).graph;

  it.each<[string, Graph, Readonly<Record<string, unknown>>, RegExp]>([
    ["no layers", plain, {}, /^RECIPE: The model has no layers that repeat/],
    ["more than there are", three, { layers: 4 }, /^RECIPE: The model has 3 layers that repeat/],
    ["one that there is not", three, { layers: [0, 3] }, /^RECIPE: The model has 3 layers/],
    ["none", three, { layers: [] }, /^RECIPE: drop-layers.layers is an empty list/],
    [
      "which, and how they are chosen",
      three,
      { layers: [0, 2], by: "influence" },
      /^RECIPE: drop-layers.by goes with no list of layers/,
    ],
    ["no data", three, { by: "influence" }, /^DATA_NOT_FOUND: drop-layers measures layers/],
  ])("%s", async (_, graph, options, message) =>
    expect(await fault(graph, options)).toMatch(message),
  );
});

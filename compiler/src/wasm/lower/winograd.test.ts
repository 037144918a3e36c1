import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";
import { geometryOf } from "./convolution-operands.js";
import { type Step, turnsOf } from "../plan/plan.js";
import { NodeFacts } from "./node-facts.js";
import { winogradMethod } from "./winograd-method.js";

const size = (min: number, max: number) => fc.integer({ min, max });

interface Problem {
  readonly batch: number;
  readonly depth: number;
  readonly maps: number;
  readonly kernel: 3 | 5;
  /** Of the result. */
  readonly sizes: readonly [number, number];
  readonly pads: readonly number[];
  readonly bias: boolean;
  readonly follower: "none" | "Relu" | "residual" | "gate" | "again";
}

function graphFor({ batch, depth, maps, kernel, sizes, pads, bias, follower }: Problem): Graph {
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const dims = [sizes[0] + kernel - 1 - top - bottom, sizes[1] + kernel - 1 - left - right];
  return graphOf({ x: ["float32", batch, depth, ...dims] }, (input, b) => {
    const convolved = (x: ValueId, from: number, around: readonly number[]): ValueId =>
      b.add(
        "Conv",
        [x, b.weights(maps, from, kernel, kernel), ...(bias ? [b.weights(maps)] : [])],
        {
          pads: attribute.ints(around),
        },
      );
    const y = convolved(input("x"), depth, pads);
    if (follower === "again") return { y: convolved(y, maps, [2, 2, 2, 2]) };
    return { y: followed(b, y, follower, maps) };
  });
}

function followed(b: Builder, y: ValueId, follower: string, maps: number): ValueId {
  if (follower === "Relu") return b.add("Relu", [y]);
  if (follower === "residual") {
    const x = b.add("Sigmoid", [y]);
    const twice = b.add("Conv", [x, b.weights(maps, maps, 3, 3)], {
      pads: attribute.ints([1, 1, 1, 1]),
    });
    return b.add("Relu", [b.add("Add", [twice, x])]);
  }
  return follower === "gate" ? b.add("Mul", [y, b.add("Sigmoid", [y])]) : y;
}

async function transformsIn(graph: Graph): Promise<number> {
  const { steps } = await planOf(graph);
  return steps.filter(({ kernel }) => kernel === "block-transform").length;
}

/** How often products are computed in turns, one after the other. */
function matricesIn(steps: readonly Step[]): readonly number[] {
  return turnsOf(steps)
    .filter((turns) => turns.steps.some(({ kernel }) => kernel === "matrix"))
    .map(({ count }) => count);
}

it("agrees with onnxruntime: pads, batches, channels that fill no vector, what follows", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    depth: size(30, 34),
    maps: size(30, 34),
    kernel: fc.constantFrom(3 as const, 5 as const),
    sizes: fc.tuple(size(10, 15), size(10, 15)),
    pads: fc.array(size(0, 2), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
    follower: fc.constantFrom("none", "Relu", "residual", "gate", "again"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (p) => {
      const graph = graphFor(p);
      const transforms = await transformsIn(graph);
      const isTwice = p.follower === "again" || p.follower === "residual";
      expect(transforms).toBe(isTwice ? 4 : 2);
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(40) },
  );
});

it("computes larger maps in strips, which may differ by a row: images, rows that no strip divides, what follows", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    depth: size(30, 34),
    maps: size(60, 64),
    kernel: fc.constantFrom(3 as const, 5 as const),
    sizes: fc.tuple(size(68, 80), size(68, 80)),
    pads: fc.array(size(0, 2), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
    follower: fc.constantFrom("none", "Relu", "residual"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (p) => {
      const graph = graphFor(p);
      const rounds = matricesIn((await planOf(graph)).steps);
      expect(rounds.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(p.batch);
      expect(await compare(graph, { poisoned: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(12) },
  );
});

it("computes strips in turns, and then what is left: large maps take no more calls than small ones", async () => {
  for (const [height, width] of [
    [640, 320],
    [643, 321],
  ]) {
    const graph = graphOf({ x: ["float32", 1, 64, height ?? 1, width ?? 1] }, (input, b) => ({
      y: b.add("Conv", [input("x"), b.weights(64, 64, 3, 3)], {
        pads: attribute.ints([1, 1, 1, 1]),
      }),
    }));
    const { steps } = await planOf(graph);
    // A row of blocks has 1.5 MB.
    expect(matricesIn(steps)).toEqual(height === 640 ? [160] : [160, 1]);
  }
});

it("transforms weights once, and in each run what is beyond the memory for that", async () => {
  const graph = graphOf({ x: ["float32", 1, 128, 8, 8] }, (input, b) => {
    let y = input("x");
    for (let at = 0; at < 15; at += 1)
      y = b.add("Conv", [y, b.weights(128, 128, 3, 3)], { pads: attribute.ints([1, 1, 1, 1]) });
    return { y };
  });
  const { steps, prepared } = await planOf(graph);
  // Weights of all are the same here, and 2.3 MB each: of 32 MB there is room for 14.
  expect(prepared.length).toBe(14);
  const transforms = steps.filter(({ kernel }) => kernel === "block-transform").length;
  expect(transforms).toBe(2 * 15 + 1);
  expect(await compare(graph, { poisoned: true })).toBeLessThan(2e-5);
});

it("is for what gains, by how much: plain convolutions by 3 × 3 or 5 × 5 of some channels, whose numbers stay in a cache", () => {
  const step = (depth: number, maps: number, height: number, width: number, kernel = 3) => {
    const graph = graphOf({ x: ["float32", 1, depth, height, width] }, (input, b) => ({
      y: b.add("Conv", [input("x"), b.weights(maps, depth, kernel, kernel)], {
        pads: attribute.ints(Array.from({ length: 4 }, () => (kernel - 1) / 2)),
      }),
    }));
    const [node] = graph.order();
    if (node === undefined) throw new Error("There is no convolution.");
    return winogradMethod(geometryOf(new NodeFacts(graph, node)), [1, maps, height, width])?.step;
  };
  expect(step(16, 16, 32, 32)).toBe(4);
  expect(step(64, 64, 8, 8)).toBe(4);
  expect(step(16, 16, 32, 31)).toBe(4);
  expect(step(64, 64, 112, 112)).toBe(4);
  expect(step(256, 256, 14, 14)).toBe(4);
  expect(step(64, 64, 6, 6)).toBe(2);
  expect(step(32, 32, 2, 40)).toBe(2);
  expect(step(32, 32, 24, 24, 5)).toBe(2);
  expect(step(8, 8, 24, 24, 5)).toBeUndefined();
  expect(step(64, 64, 24, 24, 7)).toBeUndefined();
  expect(step(3, 16, 32, 32)).toBeUndefined();
  expect(step(64, 64, 2, 2)).toBe(2);
  expect(step(64, 64, 1, 64)).toBeUndefined();
  expect(step(64, 64, 64, 8192)).toBeUndefined();
  expect(step(512, 512, 7, 7)).toBeUndefined();
});

it("is for models in which such layers are a sixteenth of what convolutions multiply", async () => {
  const transforms = async (others: number): Promise<number> => {
    const graph = graphOf({ x: ["float32", 1, 16, 32, 32] }, (input, b) => {
      const convolved = (x: ValueId, kernel: number, pad: number): ValueId =>
        b.add("Conv", [x, b.weights(16, 16, kernel, kernel)], {
          pads: attribute.ints([pad, pad, pad, pad]),
        });
      let y = convolved(input("x"), 3, 1);
      for (let at = 0; at < others; at += 1) y = convolved(y, 7, 3);
      return { y };
    });
    return transformsIn(graph);
  };
  // 9 of 9 + 49 · others
  expect(await transforms(2)).toBe(2);
  expect(await transforms(3)).toBe(0);
});

it("is not for networks of so many kinds of layers that their code is enough", async () => {
  const transforms = (kinds: number): Promise<number> => {
    const graph = graphOf({ x: ["float32", 1, 64, 32, 32] }, (input, b) => {
      const map = b.add("Conv", [input("x"), b.weights(64, 64, 3, 3)]);
      let y = b.add("GlobalAveragePool", [map]);
      for (let channels = 64; channels < 64 + kinds - 2; channels += 1)
        y = b.add("Conv", [y, b.weights(channels + 1, channels, 1, 1)]);
      return { y };
    });
    return transformsIn(graph);
  };
  expect(await transforms(99)).toBe(2);
  expect(await transforms(100)).toBe(0);
});

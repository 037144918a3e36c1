import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";
import { geometryOf } from "./convolution-operands.js";
import { NodeFacts } from "./node-facts.js";
import { suitsWinograd } from "./winograd.js";

const size = (min: number, max: number) => fc.integer({ min, max });

interface Problem {
  readonly batch: number;
  readonly depth: number;
  readonly maps: number;
  /** Of the result. */
  readonly blocks: readonly [number, number];
  readonly pads: readonly number[];
  readonly bias: boolean;
  readonly follower: "none" | "Relu" | "residual" | "gate" | "again";
}

function graphFor({ batch, depth, maps, blocks, pads, bias, follower }: Problem): Graph {
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const dims = [2 * blocks[0] + 2 - top - bottom, 2 * blocks[1] + 2 - left - right];
  return graphOf({ x: ["float32", batch, depth, ...dims] }, (input, b) => {
    const convolved = (x: ValueId, from: number, around: readonly number[]): ValueId =>
      b.add("Conv", [x, b.weights(maps, from, 3, 3), ...(bias ? [b.weights(maps)] : [])], {
        pads: attribute.ints(around),
      });
    const y = convolved(input("x"), depth, pads);
    if (follower === "again") return { y: convolved(y, maps, [1, 1, 1, 1]) };
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

it("agrees with onnxruntime: pads, batches, channels that fill no vector, what follows", async () => {
  const problem = fc.record({
    batch: size(1, 2),
    depth: size(18, 22),
    maps: size(18, 22),
    blocks: fc.tuple(size(4, 6), size(4, 6)),
    pads: fc.array(size(0, 2), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
    follower: fc.constantFrom("none", "Relu", "residual", "gate", "again"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (p) => {
      const graph = graphFor(p);
      const transforms = await transformsIn(graph);
      const isTwice = p.follower === "again" || p.follower === "residual";
      expect(transforms).toBe(isTwice ? 6 : 3);
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
    blocks: fc.tuple(size(17, 29), size(18, 22)),
    pads: fc.array(size(0, 2), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
    follower: fc.constantFrom("none", "Relu", "residual"),
  });
  await fc.assert(
    fc.asyncProperty(problem, async (p) => {
      const graph = graphFor(p);
      const transforms = await transformsIn(graph);
      expect(transforms).toBeGreaterThan(3 * p.batch);
      expect(await compare(graph, { poisoned: true })).toBeLessThan(2e-5);
    }),
    { numRuns: cases(12) },
  );
});

it("takes larger strips where there would be too many", async () => {
  const graph = graphOf({ x: ["float32", 1, 64, 320, 320] }, (input, b) => ({
    y: b.add("Conv", [input("x"), b.weights(64, 64, 3, 3)], {
      pads: attribute.ints([1, 1, 1, 1]),
    }),
  }));
  // A row of blocks has 1.3 MB: strips of one would be 160, which is too many beside the node; of three they are 54.
  expect(await transformsIn(graph)).toBe(1 + 2 * Math.ceil(160 / 3));
});

it("is whole maps alone in a model of so many strips that their calls would be most of its code", async () => {
  const graph = graphOf({ x: ["float32", 1, 64, 256, 256] }, (input, b) => {
    let y = input("x");
    for (let at = 0; at < 9; at += 1)
      y = b.add("Conv", [y, b.weights(64, 64, 3, 3)], { pads: attribute.ints([1, 1, 1, 1]) });
    return { y };
  });
  expect(await transformsIn(graph)).toBe(0);
});

it("is for what gains: plain convolutions by 3 × 3 of some channels, whose numbers stay in a cache", () => {
  const suits = (depth: number, maps: number, height: number, width: number): boolean => {
    const graph = graphOf({ x: ["float32", 1, depth, height, width] }, (input, b) => ({
      y: b.add("Conv", [input("x"), b.weights(maps, depth, 3, 3)], {
        pads: attribute.ints([1, 1, 1, 1]),
      }),
    }));
    const [node] = graph.order();
    if (node === undefined) throw new Error("There is no convolution.");
    return suitsWinograd(geometryOf(new NodeFacts(graph, node)), [1, maps, height, width]);
  };
  expect(suits(16, 16, 32, 32)).toBe(true);
  expect(suits(64, 64, 8, 8)).toBe(true);
  expect(suits(16, 16, 32, 31)).toBe(false);
  expect(suits(3, 16, 32, 32)).toBe(false);
  expect(suits(64, 64, 2, 2)).toBe(false);
  expect(suits(64, 64, 112, 112)).toBe(true);
  expect(suits(64, 64, 64, 2048)).toBe(false);
  expect(suits(256, 256, 14, 14)).toBe(false);
});

it("is for models in which such layers are a sixteenth of what convolutions multiply", async () => {
  const transforms = async (others: number): Promise<number> => {
    const graph = graphOf({ x: ["float32", 1, 16, 32, 32] }, (input, b) => {
      const convolved = (x: ValueId, kernel: number, pad: number): ValueId =>
        b.add("Conv", [x, b.weights(16, 16, kernel, kernel)], {
          pads: attribute.ints([pad, pad, pad, pad]),
        });
      let y = convolved(input("x"), 3, 1);
      for (let at = 0; at < others; at += 1) y = convolved(y, 5, 2);
      return { y };
    });
    return transformsIn(graph);
  };
  // 9 of 9 + 25 · others
  expect(await transforms(5)).toBe(3);
  expect(await transforms(6)).toBe(0);
});

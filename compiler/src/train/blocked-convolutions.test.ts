import { arch } from "node:process";
import type { Executor } from "@pare/runtime/format";
import { PareError } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, printGraph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { blockConvolutions, blocksDomain } from "./blocked-convolutions.js";
import { channelBlockOf } from "./channel-block.js";
import { drawn, floatsOf, load, withGradients } from "./gradient-check.test.support.js";

const { int, ints } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });

interface Problem {
  readonly batch: number;
  readonly channels: number;
  readonly outputs: number;
  readonly isDepthwise: boolean;
  readonly sizes: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly number[];
  readonly bias: boolean;
}

const problems: fc.Arbitrary<Problem> = fc
  .record({
    batch: fc.constantFrom(12, 16, 32),
    channels: fc.constantFrom(1, 3, 16, 20, 32),
    outputs: fc.constantFrom(16, 32, 24),
    isDepthwise: fc.boolean(),
    sizes: fc.tuple(size(14, 18), size(14, 18)),
    kernel: fc.tuple(size(1, 4), size(1, 4)),
    strides: fc.constantFrom<Problem["strides"]>([1, 1], [1, 1], [2, 1], [1, 2]),
    dilations: fc.tuple(size(1, 2), size(1, 2)),
    pads: fc.array(size(0, 1), { minLength: 4, maxLength: 4 }),
    bias: fc.boolean(),
  })
  .map((problem) => (problem.isDepthwise ? { ...problem, channels: problem.outputs } : problem));

function graphFor(problem: Problem): Graph {
  const { batch, channels, outputs, isDepthwise, sizes, kernel, strides, dilations } = problem;
  const { pads, bias } = problem;
  const declared = {
    x: ["float32", batch, channels, ...sizes] as const,
    w: ["float32", outputs, isDepthwise ? 1 : channels, ...kernel] as const,
    ...(bias && { b: ["float32", outputs] as const }),
  };
  return graphOf(declared, (input, { add }) => {
    const operands = [input("x"), input("w"), ...(bias ? [input("b")] : [])];
    return {
      y: add("Conv", operands, {
        strides: ints(strides),
        dilations: ints(dilations),
        pads: ints(pads),
        ...(isDepthwise && { group: int(channels) }),
      }),
    };
  });
}

/** What the graph gives, by name, for the same numbers as any other graph of these inputs. */
async function resultsOf(graph: Graph): Promise<ReadonlyMap<string, Float32Array>> {
  const session = await load(graph);
  try {
    const feeds = session.inputs.map(
      ({ name, dims }, at) => [name, drawn("normal", dims.map(Number), at + 1)] as const,
    );
    const outputs = await session.run(Object.fromEntries(feeds));
    return new Map(Object.entries(outputs).map(([name, value]) => [name, floatsOf(value)]));
  } finally {
    await session.dispose();
  }
}

function distance(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0) / largest;
}

const blockedIn = (graph: Graph): number =>
  graph.order().filter(({ op, domain }) => op === "Conv" && domain === blocksDomain).length;

describe("convolutions of channels in blocks", () => {
  it("give what convolutions give, and the same gradients", async (context) => {
    const block = await channelBlockOf(cpu());
    // A processor for which onnxruntime has no such kernels trains without.
    if (block === null) return context.skip();
    const counts: number[] = [];
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const [plain, blocked] = [graphFor(problem), graphFor(problem)];
        withGradients(plain, "cpu");
        withGradients(blocked, "cpu", { channelBlock: block });
        blockConvolutions(blocked, block);
        counts.push(blockedIn(blocked));
        const [wanted, given] = [await resultsOf(plain), await resultsOf(blocked)];
        expect([...given.keys()]).toEqual([...wanted.keys()]);
        for (const [name, value] of wanted)
          expect(distance(value, given.get(name) ?? new Float32Array()), name).toBeLessThan(1e-4);
      }),
      { numRuns: 40 },
    );
    expect(Math.max(...counts)).toBeGreaterThan(1);
  });

  it("take inputs, weights and results to and fro", async () => {
    const graph = graphOf(
      { x: ["float32", 8, 16, 32, 32], w: ["float32", 16, 16, 3, 3], v: ["float32", 24, 16, 1, 1] },
      (input, { add }) => ({
        y: add("Conv", [input("x"), input("w")], { pads: ints([1, 1, 1, 1]) }),
        z: add("Conv", [input("x"), input("v")]),
      }),
    );
    blockConvolutions(graph, 8);
    expect(await printGraph(graph)).toMatchInlineSnapshot(`
      "graph main opset 21, com.microsoft.nchwc 1 (x: float32[8, 16, 32, 32], w: float32[16, 16, 3, 3], v: float32[24, 16, 1, 1]) -> (y, z) {
        %1 = com.microsoft.nchwc::ReorderInput(x) : float32[8, 16, 32, 32]
        %2 = Reshape(w, const int64[5] [2, 8, 2, 8, 9]) {allowzero = 1} : float32[2, 8, 2, 8, 9]
        %3 = Transpose(%2) {perm = [0, 2, 4, 3, 1]} : float32[2, 2, 9, 8, 8]
        %4 = Reshape(%3, const int64[4] [16, 16, 3, 3]) {allowzero = 1} : float32[16, 16, 3, 3]
        %5 = com.microsoft.nchwc::Conv(%1, %4) {pads = [1, 1, 1, 1]} : float32[8, 16, 32, 32]
        %6 = com.microsoft.nchwc::ReorderOutput(%5) {channels = 16} : float32[8, 16, 32, 32]
        %7 = Conv(x, v) : float32[8, 24, 32, 32]
        return %6, %7
      }
      "
    `);
  });

  it("are left where there is little to gain, or channels fill no block", () => {
    const convolved = (dims: readonly number[], weights: readonly number[]): number => {
      const declared = { x: ["float32", ...dims] as const, w: ["float32", ...weights] as const };
      const graph = graphOf(declared, (input, { add }) => ({
        y: add("Conv", [input("x"), input("w")]),
      }));
      blockConvolutions(graph, 16);
      return blockedIn(graph);
    };
    expect(convolved([8, 16, 32, 32], [16, 16, 3, 3])).toBe(1);
    expect(convolved([8, 3, 32, 32], [16, 3, 3, 3])).toBe(1);
    expect(convolved([8, 16, 32, 32], [20, 16, 3, 3])).toBe(0);
    expect(convolved([8, 20, 32, 32], [16, 20, 3, 3])).toBe(0);
    expect(convolved([1, 16, 8, 8], [16, 16, 3, 3])).toBe(0);
    expect(convolved([8, 16, 3200], [16, 16, 9])).toBe(0);
  });
});

describe("how many channels an engine takes side by side", () => {
  const failing = (error: Error): Executor => ({ load: () => Promise.reject(error) });

  it("is one of a few numbers, the same each time it is asked", async () => {
    const engine = cpu();
    const block = await channelBlockOf(engine);
    // Every x64 processor that onnxruntime runs on has them.
    expect(arch === "x64" ? [8, 16] : [null, 4, 8, 16, 32]).toContain(block);
    expect(await channelBlockOf(engine)).toBe(block);
  });

  it("is not known of an engine that refuses the question, and no answer to what else goes wrong", async () => {
    expect(await channelBlockOf(failing(new PareError("ENGINE", "no such operator")))).toBe(null);
    await expect(channelBlockOf(failing(new PareError("ABORTED", "ended")))).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it("is asked again where the first to ask was interrupted", async () => {
    const engine = cpu();
    let asked = 0;
    const executor: Executor = {
      load(artifact, options) {
        asked += 1;
        if (asked === 1) return Promise.reject(new PareError("ABORTED", "ended"));
        return engine.load(artifact, options);
      },
    };
    await expect(channelBlockOf(executor)).rejects.toMatchObject({ code: "ABORTED" });
    expect(await channelBlockOf(executor)).toBe(await channelBlockOf(engine));
  });
});

import type { TypedArray } from "@pare/runtime/format";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph, ValueId } from "../../ir/index.js";
import { quantizeWeights } from "../../passes/quantize-weights.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { cases } from "../cases.test.support.js";
import { enginesHere } from "../kernels/kernel-case.test.support.js";
import { memoryOver } from "../kernels/kernel.js";
import { decodeI8 } from "../kernels/decode-i8.js";
import { planMemory, planTogether } from "../plan/memory-plan.js";
import type { Plan } from "../plan/plan.js";
import { feedsFor, runByReference, runModule } from "../run-model.test.support.js";
import { lower } from "./lower.js";
import { loweredForm } from "./lowered-form.js";
import { scaleRuns } from "../plan/scale-runs.js";
import { layersOfWeights } from "./weights.test.support.js";

/** With weights stored as integers, of which some are kept as such, and with the same weights as floats. */
async function plansOf(
  graph: Graph,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly stored: Plan; readonly floats: Plan }> {
  const options = quantizeWeights.parse({ decode: "dequantize", minBytes: 0, ...more });
  await quantizeWeights.create(options).run(graph, {});
  const form = await loweredForm(graph);
  const arrays = new Map<ValueId, TypedArray>();
  for (const id of form.graph.main.initializers) {
    const constant = form.graph.constant(id);
    if (constant !== undefined) arrays.set(id, await constant.readArray());
  }
  return {
    stored: lower(form, arrays),
    floats: lower({ ...form, stored: new Map() }, arrays),
  };
}

describe("weights that are stored as integers", () => {
  it.each(Object.entries(layersOfWeights))(
    "of %s are bytes in the module, and compute what the same floats do",
    async (_, [dims, layer]) => {
      const { stored, floats } = await plansOf(
        graphOf({ x: dims }, (input, b) => ({ y: layer(input("x"), b) })),
      );
      const isScaled = stored.decoded.length === 0;
      expect(isScaled).toBe(_.includes("factor"));
      const [own, other] = [planMemory(stored), planMemory(floats)];
      if (!isScaled) expect(own.constantBytes).toBeLessThan(0.75 * other.constantBytes);
      // Floats lie over the integers that they are made of: scales are all that comes to them.
      if (!isScaled) expect(own.memoryBytes).toBeLessThan(1.25 * other.memoryBytes);
      const feeds = feedsFor(floats);
      for (const engine of enginesHere) {
        const expected = runModule(floats, feeds, engine);
        expect(runModule(stored, feeds, engine)).toEqual(expected);
        // Where code sees memory that it may not, it traps.
        expect(runModule(stored, feeds, engine, true)).toEqual(expected);
      }
      expect(runByReference(stored, feeds)).toEqual(runByReference(floats, feeds));
    },
  );

  it.each([
    ["four bits for each channel", { bits: 4 }],
    ["four bits in blocks", { bits: 4, granularity: "block", blockSize: 16 }],
    ["zero points", { bits: 4, symmetric: false }],
    ["one scale for all", { granularity: "tensor" }],
  ])("may be of %s", async (_, more) => {
    const make = (): Graph =>
      graphOf({ x: ["float32", 3, 64] }, (input, b) => ({
        y: b.add("MatMul", [b.add("MatMul", [input("x"), b.weights(64, 40)]), b.weights(40, 24)]),
      }));
    const { stored, floats } = await plansOf(make(), more);
    expect(stored.decoded).toHaveLength(2);
    const feeds = feedsFor(floats);
    for (const engine of enginesHere)
      expect(runModule(stored, feeds, engine)).toEqual(runModule(floats, feeds, engine));
  });

  it.each(Object.entries(layersOfWeights).filter(([name]) => !name.includes("factor")))(
    "of %s may be of four bits in blocks",
    async (_, [dims, layer]) => {
      const { stored, floats } = await plansOf(
        graphOf({ x: dims }, (input, b) => ({ y: layer(input("x"), b) })),
        { bits: 4, granularity: "block", blockSize: 32 },
      );
      // Of few maps what is summed lies along the lanes, each with a scale of its own nearly. These have so few digits that
      // they are float16 numbers.
      const kernels = stored.decoded.map(({ steps }) => steps[0]?.kernel);
      expect(kernels[0]).toBe(_ === "few maps" ? "decode-f16" : "decode-i8");
      const feeds = feedsFor(floats);
      for (const engine of enginesHere)
        expect(runModule(stored, feeds, engine)).toEqual(runModule(floats, feeds, engine));
      expect(runByReference(stored, feeds)).toEqual(runByReference(floats, feeds));
    },
  );

  it("are there once, and decoded once, for several sizes", async () => {
    const plans = await Promise.all(
      [3, 5].map(async (count) => {
        const graph = graphOf({ x: ["float32", count, 64] }, (input, b) => ({
          y: b.add("MatMul", [input("x"), b.weights(64, 40)]),
        }));
        return (await plansOf(graph)).stored;
      }),
    );
    const together = planTogether(plans);
    expect(together.decoded).toHaveLength(1);
    const places = together.entries.map(({ plan, memory }) =>
      plan.decoded.map((one) => memory.addressOf({ in: one, offset: 0 })),
    );
    expect(places[0]).toEqual(places[1]);
    const [first] = together.entries;
    expect(first?.memory.decodedBytes).toBe(64 * 40 * 4);
  });

  it("of nine bits, with zero points, stay floats", async () => {
    const { stored } = await plansOf(
      graphOf({ x: ["float32", 3, 64] }, (input, b) => ({
        y: b.add("MatMul", [input("x"), b.weights(64, 40)]),
      })),
      { symmetric: false },
    );
    expect(stored.decoded).toEqual([]);
  });

  it("are decoded once where several read them", async () => {
    const { stored } = await plansOf(
      graphOf({ x: ["float32", 3, 24] }, (input, b) => {
        const weights = b.weights(24, 24);
        return { y: b.add("MatMul", [b.add("MatMul", [input("x"), weights]), weights]) };
      }),
    );
    expect(stored.decoded).toHaveLength(1);
  });
});

describe("scales as they lie in memory", () => {
  const size = (min: number, max: number) => fc.integer({ min, max });

  it("are found in blocks of rows, whatever is left open, and give every float back", () => {
    const problem = fc.record({
      blocks: fc.array(fc.record({ rows: size(1, 30), vectors: size(1, 3), count: size(1, 4) }), {
        minLength: 1,
        maxLength: 3,
      }),
      open: size(0, 3),
      seed: fc.nat(),
    });
    let found = 0;
    fc.assert(
      fc.property(problem, ({ blocks, open, seed }) => {
        let state = seed | 0;
        const draw = (): number => {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          return (state >>> 8) / 2 ** 24;
        };
        const scales: number[] = [];
        for (const { rows, vectors, count } of blocks)
          for (let block = 0; block < count; block += 1) {
            const row = Array.from({ length: 4 * vectors }, () => 0.5 + draw());
            for (let at = 0; at < rows; at += 1)
              scales.push(...row.map((scale) => (draw() < open / 10 ? 0 : scale)));
          }
        const all = Float32Array.from(scales);
        const made = scaleRuns(all);
        if (made === undefined) return;
        found += 1;
        const own = made.runs.reduce((sum, { blocks: each }) => sum + each.byteLength, 0);
        expect(made.scales.byteLength + own).toBeLessThanOrEqual(all.length);
        const codes = Int8Array.from(all, (scale) =>
          scale === 0 ? 0 : Math.floor(255 * draw()) - 127,
        );
        const bytes = all.length * 5 + made.runs.length * 4 * all.length + 64;
        const memory = memoryOver(new ArrayBuffer(8 * Math.ceil(bytes / 8)));
        const [codesAt, scalesAt] = [0, 4 * Math.ceil(all.length / 4)];
        const outputAt = scalesAt + 4 * made.scales.length;
        const blocksAt = outputAt + 4 * all.length;
        memory.signedBytes.set(codes, codesAt);
        memory.floats.set(made.scales, scalesAt / 4);
        let done = 0;
        for (const { vectors, floats, blocks } of made.runs) {
          memory.integers.set(blocks, blocksAt / 4);
          const at = [codesAt + done, blocksAt, scalesAt, outputAt + 4 * done];
          decodeI8.reference({ vectors }, memory, at);
          done += floats;
        }
        expect(done).toBe(all.length);
        const decoded = memory.floats.subarray(outputAt / 4, outputAt / 4 + all.length);
        for (const [at, one] of all.entries())
          expect(decoded[at]).toBe(Math.fround((codes[at] ?? 0) * one));
      }),
      { numRuns: cases(200) },
    );
    expect(found).toBeGreaterThan(cases(200) / 4);
  });

  it("that follow no order are given up", () => {
    expect(scaleRuns(Float32Array.from({ length: 400 }, (_, at) => at + 1))).toBeUndefined();
  });
});

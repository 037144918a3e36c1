import { halfToFloat } from "@pare/runtime/format";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Graph, ValueId } from "../../ir/index.js";
import { bringToFloat32 } from "../../passes/normal-form.js";
import { fp16Weights } from "../../passes/fp16-weights.js";
import { quantizeWeights } from "../../passes/quantize-weights.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { asHalves } from "../../quantize/half.js";
import { cases } from "../cases.test.support.js";
import { planOf } from "../compile.js";
import { enginesHere } from "../kernels/kernel-case.test.support.js";
import { planMemory, planTogether } from "../plan/memory-plan.js";
import { PlanBuilder } from "../plan/plan.js";
import {
  compare,
  differenceToEvaluation,
  feedsFor,
  noise,
  runModule,
} from "../run-model.test.support.js";
import { packedFloats } from "./packed-floats.js";
import { layersOfWeights } from "./weights.test.support.js";

async function inHalves(graph: Graph): Promise<Graph> {
  const halves = graph.fork();
  await fp16Weights.create(fp16Weights.parse({ minBytes: 0 })).run(halves, {});
  await bringToFloat32(halves);
  return halves;
}

describe("weights that are float16 numbers", () => {
  it.each(Object.entries(layersOfWeights))(
    "of %s are such in the module, and computed with as floats",
    async (name, [dims, layer]) => {
      const graph = graphOf({ x: dims }, (input, b) => ({ y: layer(input("x"), b) }));
      const stored = await inHalves(graph);
      const isScaled = name.includes("factor");
      const [own, other] = [await planOf(stored), await planOf(graph)];
      expect(own.decoded.length > 0).toBe(!isScaled);
      const [memory, itsMemory] = [planMemory(own), planMemory(other)];
      if (!isScaled) expect(memory.constantBytes).toBeLessThan(0.75 * itsMemory.constantBytes);
      expect(memory.memoryBytes).toBeLessThan(itsMemory.memoryBytes + 64);
      expect(
        await compare(stored, { compiled: stored, poisoned: true, reference: true }),
      ).toBeLessThan(1e-5);
    },
  );

  it("lie beside such that are integers, whichever comes first", async () => {
    for (const kept of ["first", "second"]) {
      const graph = graphOf({ x: ["float32", 3, 64] }, (input, { editor, weights }) => {
        const named = (name: string, x: ValueId, w: ValueId) =>
          editor.add1("MatMul", [x, w], {}, { name });
        return { y: named("second", named("first", input("x"), weights(64, 37)), weights(37, 24)) };
      });
      const options = { decode: "dequantize", minBytes: 0, keepFloat: { nodes: [kept] } };
      await quantizeWeights.create(quantizeWeights.parse(options)).run(graph, {});
      const stored = await inHalves(graph);
      const plan = await planOf(stored);
      const kernels = plan.decoded.map(({ steps }) => steps[0]?.kernel);
      expect(kernels.sort()).toEqual(["decode-f16", "decode-i8"]);
      // The engine rounds what it multiplies integers with.
      expect(await differenceToEvaluation(stored, stored)).toBeLessThan(1e-5);
    }
  });

  it("are there once for several sizes", async () => {
    const plans = await Promise.all(
      [3, 5].map(async (count) => {
        const graph = graphOf({ x: ["float32", count, 64] }, (input, b) => ({
          y: b.add("MatMul", [input("x"), b.weights(64, 40)]),
        }));
        return planOf(await inHalves(graph));
      }),
    );
    const together = planTogether(plans);
    expect(together.decoded).toHaveLength(1);
    expect(together.entries[0]?.memory.decodedBytes).toBe(64 * 40 * 4);
  });
});

describe("floats of a module", () => {
  it("are stored as float16 numbers where all are finite ones, and are the same when it runs", () => {
    const half = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 0x7bff }));
    const others = [2049, 1e-9, 65520, 1 / 3, Infinity, Number.NaN];
    const problem = fc.record({
      halves: fc.array(half, { minLength: 64, maxLength: 90 }),
      other: fc.option(fc.constantFrom(...others)),
    });
    fc.assert(
      fc.property(problem, ({ halves, other }) => {
        const numbers = halves.map(([isNegative, rest]) => halfToFloat(rest | (isNegative ? 0x8000 : 0))); // prettier-ignore
        const floats = Float32Array.from([...numbers, ...(other === null ? [] : [other])]);
        const plan = new PlanBuilder();
        const place = packedFloats(plan, floats);
        const isWhole = floats.length % 4 === 0;
        expect(place.in.kind).toBe(other === null && isWhole ? "decoded" : "constant");
      }),
      { numRuns: cases(300) },
    );
  });

  it("are kept where they are few", () => {
    const place = packedFloats(new PlanBuilder(), asHalves(noise(60)));
    expect(place.in.kind).toBe("constant");
  });

  it("of a table of integers are float16 numbers too", async () => {
    const table = Float32Array.from({ length: 256 }, (_, at) => at - 128);
    const graph = graphOf({ x: ["float32", 3, 256] }, (input, b) => ({
      y: b.add("Mul", [input("x"), b.floats([...table])]),
    }));
    const plan = await planOf(graph);
    expect(plan.decoded).toHaveLength(1);
    const feeds = feedsFor(plan);
    const x = feeds["x"]?.data ?? [];
    for (const engine of enginesHere)
      expect(runModule(plan, feeds, engine)["y"]?.data).toEqual(
        Float32Array.from({ length: 3 * 256 }, (_, at) => Number(x[at]) * (table[at % 256] ?? 0)),
      );
  });
});

import { describe, expect, it } from "vitest";
import { MeasuredActivations } from "../../calibrate/measured-activations.js";
import { ofNeedAlone, RecordedActivations } from "../../calibrate/recorded-activations.js";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { fp16 } from "../fp16.js";
import { calibrationOn, quantized } from "../quantization/engine-case.test.support.js";

/** Operators that stayed float32, and why. */
async function left(graph: Graph): Promise<readonly string[]> {
  const { journal } = await quantized(fp16, graph);
  return journal.filter(({ what }) => what === "left").map(({ op, reason }) => `${op}: ${reason}`);
}

const scaled = (factor: number, rest: (y: ValueId, b: Builder) => ValueId): Graph =>
  graphOf({ x: ["float32", 2, 8] }, (input, b) => {
    const wide = b.add("Mul", [b.add("Sin", [input("x")]), b.floats([factor], [])]);
    return { y: b.add("Relu", [rest(wide, b)]) };
  });

describe("activations that float16 cannot hold", () => {
  it("stay float32 with what reads them, by what is seen of them on samples", async () => {
    const halved = (y: ValueId, b: Builder): ValueId => b.add("Mul", [y, b.floats([1e-4], [])]);
    const reasons = await left(scaled(6e4, halved));
    expect(reasons).toHaveLength(2);
    for (const reason of reasons)
      expect(reason).toMatch(/^Mul: Mul_?\d* reaches \d\.\d*e\+4, and float16 ends at 65504$/);
    expect(await left(scaled(100, halved))).toEqual([]);
  });

  it("but for masks, which the smallest number of float16 does for as well", async () => {
    const masked = graphOf({ x: ["float32", 2, 8], keep: ["float32", 2, 8] }, (input, b) => {
      const mask = b.add("Mul", [b.add("Sigmoid", [input("keep")]), b.floats([-3.4e38], [])]);
      const scores = b.add("Add", [b.add("Neg", [input("x")]), mask]);
      return { y: b.add("Softmax", [scores], { axis: attribute.int(-1) }) };
    });
    expect(await left(masked)).toEqual([]);
  });

  it("nor is a lock asked that does not know: nothing was looked at when it was written", async () => {
    const graph = scaled(6e4, (y) => y);
    const recorded = new RecordedActivations(new Map());
    await fp16.create(fp16.parse({})).run(graph, { activations: recorded });
    expect(graph.journal.filter(({ what }) => what === "left")).toEqual([]);
    const needed = ofNeedAlone(new MeasuredActivations(calibrationOn(graph)));
    const again = scaled(6e4, (y) => y);
    await fp16.create(fp16.parse({})).run(again, { activations: needed });
    expect(again.journal.filter(({ what }) => what === "left")).toEqual([]);
  });

  it("nothing is looked at without samples", async () => {
    const graph = scaled(6e4, (y) => y);
    await fp16.create(fp16.parse({})).run(graph, {});
    expect(graph.journal.filter(({ what }) => what === "left")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { cpu } from "@pare/runtime/ort-node";
import { MeasuredActivations } from "../../calibrate/measured-activations.js";
import {
  attribute,
  edit,
  type Graph,
  type Node,
  type ValueId,
  verifyGraph,
} from "../../ir/index.js";
import { randomOf } from "../../pipeline/random.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { bars, batchOf, examplesOf } from "../../train/small-networks.test.support.js";
import { distill } from "../distill.js";
import { quantizeAwareGraph } from "../quantization-aware/quantize-aware-graph.js";
import { run } from "../quantization/engine-case.test.support.js";
import { quantizeAware } from "../quantize-aware.js";
import { distillGraph } from "./distill-graph.js";
import type { DistillServices } from "./teach.js";

const services: DistillServices = {
  examples: examplesOf(bars(32)),
  validation: examplesOf(bars(16, 3)),
  random: (name) => randomOf(4, name),
};
const same = { kernel_shape: attribute.ints([3, 3]), pads: attribute.ints([1, 1, 1, 1]) };
const [ones, zeros] = [
  [1, 1, 1, 1],
  [0, 0, 0, 0],
];

/** Two layers whose biases and norms hold equal numbers. @param shared as one constant */
function twoLayers(shared: boolean): Graph {
  return graphOf({ x: ["float32", "batch", 1, 8, 8] }, (input, b) => {
    const known = new Map<readonly number[], ValueId>();
    const vector = (values: readonly number[]): ValueId => {
      const id = (shared ? known.get(values) : undefined) ?? b.floats(values);
      known.set(values, id);
      return id;
    };
    let h = input("x");
    for (const channels of [1, 4]) {
      h = b.add("Conv", [h, b.weights(4, channels, 3, 3), vector(zeros)], same);
      const numbers = [ones, zeros, zeros, ones].map(vector);
      h = b.add("Relu", [b.add("BatchNormalization", [h, ...numbers])]);
    }
    const scores = b.add("Gemm", [b.add("Flatten", [h]), b.weights(256, 4), vector(zeros)]);
    return { scores };
  });
}

/** The same layer on both halves of a picture. */
function twice(b: Builder, x: ValueId): ValueId {
  const [weight, bias] = [b.weights(4, 1, 3, 3), b.floats(zeros)];
  const numbers = [ones, zeros, zeros, ones].map((values) => b.floats(values));
  const halves = b.many("Split", 2, [x], { axis: attribute.int(2), num_outputs: attribute.int(2) });
  const layers = halves.map((half) =>
    b.add("BatchNormalization", [b.add("Conv", [half, weight, bias], same), ...numbers]),
  );
  const joined = b.add("Concat", layers, { axis: attribute.int(1) });
  return b.add("Gemm", [b.add("Flatten", [joined]), b.weights(256, 4)]);
}

const constantsOf = (graph: Graph): readonly (readonly number[])[] =>
  graph
    .order()
    .flatMap(({ inputs }) => inputs.flatMap((id) => [graph.constant(id)?.numbers() ?? []]));

describe("constants that are one by chance", () => {
  it("are learned as if they were several", async () => {
    const options = distill.parse({ epochs: 2, batch: 16, rate: 0.02 });
    const [one, several] = [twoLayers(true), twoLayers(false)];
    const facts = await distillGraph(one, options, services);
    const expected = await distillGraph(several, options, services);
    expect(constantsOf(one)).toEqual(constantsOf(several));
    expect(constantsOf(one).flat().every(Number.isFinite)).toBe(true);
    expect(facts.history).toEqual(expected.history);
  });

  it("are learned so while rounding is learned, too", async () => {
    const options = quantizeAware.parse({ epochs: 1, batch: 16, rate: 0.02 });
    const samples = bars(32);
    const activations = () =>
      new MeasuredActivations({
        executor: cpu(),
        count: samples.length,
        async *samples() {
          for (const { feeds } of samples) yield feeds;
        },
      });
    const [one, several] = [twoLayers(true), twoLayers(false)];
    const measured: number[] = [];
    for (const graph of [one, several]) {
      await quantizeAwareGraph(graph, options, {
        ...services,
        activations: activations(),
        onMeasured: (fraction) => void measured.push(fraction),
      });
    }
    expect(measured.length).toBeGreaterThan(0);
    verifyGraph(one, "quantize-aware");
    expect(constantsOf(one)).toEqual(constantsOf(several));
    expect(one.order().some(({ op }) => op === "DequantizeLinear")).toBe(true);
  });
});

describe("a norm that is applied twice", () => {
  const norms = (graph: Graph): readonly Node[] =>
    graph.order().filter(({ op }) => op === "BatchNormalization");

  it("stays one, and counts the statistics of both", async () => {
    const graph = graphOf({ x: ["float32", "batch", 1, 8, 8] }, (input, b) => ({
      scores: twice(b, input("x")),
    }));
    const shown = graph.fork();
    edit(
      shown,
      "show",
      (editor) => {
        for (const { id } of shown.order().filter(({ op }) => op === "Conv"))
          editor.addOutput(editor.output(id, 0));
      },
      { interface: true },
    );
    const samples = bars(16);
    const given = { ...services, examples: examplesOf(samples) };
    await distillGraph(graph, distill.parse({ epochs: 1, batch: 16, rate: 0 }), given);
    const [first, second] = norms(graph);
    expect(first?.inputs.slice(1)).toEqual(second?.inputs.slice(1));
    const [, ...convolved] = Object.values(await run(shown, batchOf(samples)));
    const numbers = (input: number) => graph.constant(first?.inputs[input])?.numbers() ?? [];
    for (let channel = 0; channel < 4; channel += 1) {
      let [mean, variance] = [0, 1];
      for (const { data } of convolved) {
        const own = Array.from(data, Number).filter((_, at) => Math.floor(at / 32) % 4 === channel);
        const now = own.reduce((sum, value) => sum + value, 0) / own.length;
        const spread = own.reduce((sum, value) => sum + (value - now) ** 2, 0) / own.length;
        mean = 0.9 * mean + 0.1 * now;
        variance = 0.9 * variance + 0.1 * spread;
      }
      expect(numbers(3)[channel]).toBeCloseTo(mean, 5);
      expect(numbers(4)[channel]).toBeCloseTo(variance, 5);
    }
  });
});

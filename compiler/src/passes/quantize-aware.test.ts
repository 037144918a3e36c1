import { isPareError, onnxArtifact, type Tensors } from "@pare/runtime/format";
import { wasm } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import type { CalibrationSamples } from "../calibrate/calibrate.js";
import { MeasuredActivations } from "../calibrate/measured-activations.js";
import { edit, type Graph, Tensor, verifyGraph } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import type { PassContext } from "../pipeline/pass.js";
import { randomOf } from "../pipeline/random.js";
import { cpu } from "@pare/runtime/ort-node";
import { bars, batchOf, examplesOf, network } from "../train/small-networks.test.support.js";
import { trainingGraph } from "../train/training-graph.js";
import { distillGraph } from "./distillation/distill-graph.js";
import { distill } from "./distill.js";
import { agreement, fusedOps, run } from "./quantization/engine-case.test.support.js";
import {
  type QuantizedAware,
  quantizeAwareGraph,
} from "./quantization-aware/quantize-aware-graph.js";
import { quantizeAware } from "./quantize-aware.js";
import { quantizeStatic } from "./quantize-static.js";
import { opsOf } from "../rules/rule-case.test.support.js";

const samples = bars(64);
const random = (name: string): (() => number) => randomOf(3, name);
const calibration: CalibrationSamples = {
  executor: cpu(),
  count: samples.length,
  async *samples() {
    for (const { feeds } of samples) yield feeds;
  },
};
const context = (): PassContext => ({
  activations: new MeasuredActivations(calibration),
  examples: examplesOf(samples),
  random,
});

/** A network that knows the bars. */
async function taught(options: Parameters<typeof network>[0] = { norm: false }): Promise<Graph> {
  const graph = network(options);
  const how = distill.parse({ epochs: 12, batch: 16, rate: 0.02 });
  await distillGraph(graph, how, { examples: examplesOf(samples), random });
  return graph;
}

interface Aware extends QuantizedAware {
  readonly graph: Graph;
  readonly losses: readonly number[];
}

async function aware(from: Graph, options: Readonly<Record<string, unknown>> = {}): Promise<Aware> {
  const graph = from.fork();
  const parsed = quantizeAware.parse({ epochs: 4, batch: 16, rate: 0.005, ...options });
  const made = await quantizeAwareGraph(graph, parsed, {
    activations: new MeasuredActivations(calibration),
    examples: examplesOf(samples),
    random,
  });
  if (made === null) throw new Error("nothing became integer");
  verifyGraph(graph, "quantize-aware");
  verifyGraph(made.fake, "the fake one");
  return { ...made, graph, losses: made.trained.history.map(({ loss }) => loss) };
}

const test = bars(200, 9);

/** The scores of a training step, on the engine as training loads it. */
async function saidInTraining({ fake, trained: { learned } }: Aware): Promise<Tensors> {
  const constants = learned.map(({ constant }) => constant);
  const [value] = fake.main.outputs;
  const rounding = fake.order().flatMap(({ op, id }) => (op === "Round" ? [id] : []));
  if (value === undefined) throw new Error("no scores");
  const training = trainingGraph(fake, {
    samples: { x: [1, 1, 8, 8] },
    batch: test.length,
    objectives: [
      {
        loss: { kind: "cross-entropy", targets: "classes" },
        weight: 1,
        value,
        dims: [4],
        axis: 0,
        target: { from: "labels" },
      },
    ],
    learned: constants,
    trained: constants,
    straightThrough: new Set(rounding),
    norms: "frozen",
    dropout: "apply",
    recompute: false,
    engine: "cpu",
  });
  const labels = BigInt64Array.from(test, ({ label }) => BigInt(Number(label)));
  const fed = training.parameters.map(({ input, tensor: { dims }, value: id }) => {
    const data = learned.find(({ constant }) => constant.value === id)?.values;
    return [input, { type: "float32" as const, dims, data: data ?? new Float32Array() }] as const;
  });
  expect(fed).toHaveLength(constants.length);
  const { proto } = await encodeModel(training.graph);
  const artifact = onnxArtifact(proto, { graphOptimizationLevel: "extended" });
  const session = await cpu().load(artifact);
  const { scores } = await session.run({
    ...batchOf(test),
    target_0: { type: "int64", dims: [test.length], data: labels },
    ...Object.fromEntries(fed),
  });
  await session.dispose();
  return scores === undefined ? {} : { scores };
}

/** Of how many samples a score differs by more than rounding. */
function apart(expected: Tensors, { scores }: Tensors): number {
  const right = (expected["scores"]?.data ?? []) as Float32Array;
  const got = (scores?.data ?? []) as Float32Array;
  expect(got).toHaveLength(4 * test.length);
  const least = 1e-5 * Math.max(...Array.from(right, Math.abs));
  return test.filter((_, sample) =>
    [0, 1, 2, 3].some((score) => {
      const at = 4 * sample + score;
      return !(Math.abs((right[at] ?? NaN) - (got[at] ?? NaN)) <= least);
    }),
  ).length;
}

/** As it is written: onnxruntime would round constant weights behind rounded activations anew, all by one scale. */
async function plainly(graph: Graph): Promise<Tensors> {
  const { proto } = await encodeModel(graph);
  const session = await cpu().load(onnxArtifact(proto, { graphOptimizationLevel: "disabled" }));
  const outputs = await session.run(batchOf(test));
  await session.dispose();
  return outputs;
}

/** Of the samples that are learned from. */
async function probabilitiesOf(graph: Graph): Promise<readonly number[]> {
  const { scores } = await run(graph, batchOf(samples));
  const powers = Array.from((scores?.data ?? []) as Float32Array, Math.exp);
  return powers.map((power, index) => {
    const row = powers.slice(index - (index % 4), index - (index % 4) + 4);
    return power / row.reduce((sum, one) => sum + one, 0);
  });
}

const named = (graph: Graph, name: string): Tensor | undefined =>
  [...graph.allValues()].find((value) => value.name === name)?.constant;

describe("quantize-aware", () => {
  it.each([
    ["four bits", {}],
    ["eight bits, of which one is unused", { bits: 8 }],
    ["one scale for all weights", { granularity: "tensor" }],
    ["scales as they are", { learnScales: false }],
  ])("trains what the file then says: %s", async (_, options) => {
    const made = await aware(await taught(), options);
    const expected = await saidInTraining(made);
    // Floats that were added up in another order round an activation to another step where it lies at the border of two:
    // they differ by 1e-7 of a range of 255 steps, and 200 samples have some 100,000 activations.
    const most = 4;
    for (const engine of [cpu(), wasm()])
      expect(apart(expected, await run(made.graph, batchOf(test), engine))).toBeLessThanOrEqual(
        most,
      );
    expect(apart(expected, await plainly(made.fake))).toBeLessThanOrEqual(most);
  });

  it("loses less than rounding alone", async () => {
    const float = network({ norm: false });
    const rounded = float.fork();
    const alone = { bits: 4, granularity: "tensor", weightRanges: "mse" };
    await quantizeStatic.create(quantizeStatic.parse(alone)).run(rounded, context());
    // What it gave before is all that it is to learn.
    const same = { granularity: "tensor", alpha: 1, temperature: 1, weightDecay: 0 };
    const { graph, losses } = await aware(float, { ...same, epochs: 20 });
    const before = await probabilitiesOf(float);
    const lost = async (of: Graph): Promise<number> => {
      const after = await probabilitiesOf(of);
      return before.reduce((sum, p, index) => sum + Math.abs(p - (after[index] ?? 0)), 0);
    };
    expect(await lost(graph)).toBeLessThan(0.8 * (await lost(rounded)));
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  });

  it("stores four bits, computes integers, and says so", async () => {
    const { graph } = await aware(await taught());
    const ops = await fusedOps(graph);
    expect(ops).toEqual(expect.arrayContaining(["QLinearConv", "QGemm"]));
    for (const op of ["Conv", "Gemm", "Cast", "BitShift"]) expect(ops).not.toContain(op);
    expect(named(graph, "conv.w_quantized")).toMatchObject({ dtype: "uint8", count: 18 });
    for (const name of ["conv.w_scale", "head.w_scale"])
      expect(Math.min(...(named(graph, name)?.numbers() ?? [-1]))).toBeGreaterThan(0);
    expect(opsOf(graph)).not.toContain("Exp");
    const said = graph.journal.map(({ reason }) => reason);
    expect(said).toContainEqual(expect.stringMatching(/^trained in 16 steps/));
    expect(said).toContainEqual(expect.stringMatching(/^int4: 4 weight scales/));
  });

  it("writes each weight to the nearest step of its channel's learned scale", async () => {
    const { graph, fake } = await aware(await taught());
    const bytes = named(graph, "conv.w_quantized")?.numbers() ?? [];
    const stored = bytes.flatMap((byte) => [(byte & 15) - 8, (byte >> 4) - 8]);
    const weights = named(fake, "conv.w")?.numbers() ?? [];
    const scales = named(graph, "conv.w_scale")?.numbers() ?? [];
    const nearest = weights.map((weight, index) => {
      const ratio = weight / (scales[Math.floor(index / 9)] ?? Number.NaN);
      return Math.max(-8, Math.min(7, Math.round(ratio)));
    });
    expect(weights).toHaveLength(36);
    expect(stored).toEqual(nearest.map((step) => step + 0));
    // More than the seven of three bits, which `reduceRange` would leave.
    expect(Math.max(...stored) - Math.min(...stored)).toBeGreaterThan(8);
  });

  it("learns scales, or keeps them", async () => {
    const float = await taught();
    const scales = async (options: object): Promise<readonly (readonly number[])[]> => {
      const { graph } = await aware(float, { epochs: 1, ...options });
      return [...graph.allValues()].flatMap(({ name, constant }) =>
        name.endsWith("_scale") && !name.includes("int32") ? [constant?.numbers() ?? []] : [],
      );
    };
    const [still, learned] = [await scales({ learnScales: false, rate: 0 }), await scales({})];
    expect(await scales({ rate: 0 })).toEqual(still);
    expect(learned.map(({ length }) => length)).toEqual(still.map(({ length }) => length));
    for (const [index, own] of learned.entries()) expect(own).not.toEqual(still[index]);
  });

  it("gives the same bytes twice, and others with another seed", async () => {
    const float = await taught();
    const accounts: unknown[] = [];
    const weights = async (seed: number): Promise<unknown> => {
      const graph = float.fork();
      const pass = quantizeAware.create(quantizeAware.parse({ epochs: 1, batch: 16 }));
      const draw = (name: string): (() => number) => randomOf(seed, name);
      const onAccount = (account: unknown): void => void accounts.push(account);
      await pass.run(graph, { ...context(), random: draw, onAccount });
      return [...graph.allValues()].map(({ name, constant }) => [name, constant?.numbers()]);
    };
    const first = await weights(1);
    expect(await weights(1)).toEqual(first);
    expect(await weights(2)).not.toEqual(first);
    expect(accounts).toHaveLength(3);
    expect(accounts[1]).toEqual(accounts[0]);
  });

  it("holds what lies outside of the range where it is", async () => {
    const float = await taught();
    const [head] = float.order().filter(({ op }) => op === "Gemm");
    const weight = head?.inputs[1];
    const before = float.constant(weight);
    if (weight === null || weight === undefined || before === undefined) throw new Error("no head");
    // Scales by the mean square leave one great weight out of their range.
    const values = (await before.readFloat32()).slice();
    values[0] = 40;
    edit(float, "test", (editor) =>
      editor.setConstant(weight, Tensor.float32(before.dims, values)),
    );
    const { fake } = await aware(float, {
      granularity: "tensor",
      learnScales: false,
      weightDecay: 0,
    });
    const after = named(fake, "head.w")?.numbers() ?? [];
    const scale = named(fake, "head.w_scale_start")?.numbers()?.[0] ?? 1;
    expect(40 / scale).toBeGreaterThan(7);
    expect(after[0]).toBe(40);
    expect(after.filter((value, index) => value !== values[index]).length).toBeGreaterThan(60);
  });

  it("takes a batch norm behind a convolution, and leaves float what it is told to", async () => {
    const { graph, fake } = await aware(await taught({ norm: true }), {
      keepFloat: { ops: ["Gemm"] },
    });
    expect(graph.journal.filter(({ what }) => what === "left").map(({ op }) => op)).toEqual([
      "Gemm",
    ]);
    const expected = await plainly(fake);
    expect(agreement(expected, await run(graph, batchOf(test)))).toBeGreaterThan(100);
    expect(named(graph, "norm.mean")?.numbers()).toEqual(named(fake, "norm.mean")?.numbers());
  });

  it("leaves a model alone in which nothing can become integer", async () => {
    const graph = await taught();
    const before = graph.changes;
    const pass = quantizeAware.create(
      quantizeAware.parse({ keepFloat: { ops: ["Conv", "Gemm"] } }),
    );
    await pass.run(graph, context());
    expect(graph.changes).toBe(before);
  });

  it.each([
    [{}, {}, /^DATA_NOT_FOUND: quantize-aware learns from samples/],
    [{}, { examples: examplesOf(samples) }, /^DATA_NOT_FOUND: quantize-aware measures activations/],
    [{ freeze: ["tail"] }, context(), /^RECIPE: Nothing that can be trained is called "tail"/],
  ])("says what is wrong: %o %#", async (options, given: PassContext, message) => {
    const pass = quantizeAware.create(quantizeAware.parse(options));
    const error: unknown = await Promise.resolve(pass.run(network({ norm: false }), given)).catch(
      (thrown: unknown) => thrown,
    );
    expect(isPareError(error) ? `${error.code}: ${error.message}` : error).toMatch(message);
  });
});

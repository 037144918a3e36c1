import {
  distributionOf,
  type Executor,
  elementCount,
  Observer,
  type Tensors,
  type ValueInfo,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it, vi } from "vitest";
import { attribute, edit, Tensor, type ValueId } from "../ir/index.js";
import { feedsOf } from "../passes/quantization/engine-case.test.support.js";
import type { Wanted } from "../pipeline/activations.js";
import { uint8Activations } from "../quantize/format.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { Fingerprints } from "../analysis/fingerprints.js";
import { calibrate } from "./calibrate.js";
import { MeasuredActivations } from "./measured-activations.js";
import type { Watched } from "./observed-graph.js";
import { NotedActivations, RecordedActivations } from "./recorded-activations.js";

const graph = graphOf({ x: ["float32", 1, "W"] }, (input, b) => {
  const doubled = b.add("Mul", [input("x"), b.floats([2])]);
  return { y: b.add("Relu", [b.add("Add", [doubled, b.floats([-1])])]) };
});
const [mul, add, relu] = graph.order().map((node) => node.outputs[0] ?? (0 as ValueId)) as [
  ValueId,
  ValueId,
  ValueId,
];
const input = graph.main.inputs[0] ?? (0 as ValueId);
const samples: readonly Tensors[] = [3, 7, 1].map((W, seed) => feedsOf(graph, seed, { W }));

async function* from(some: readonly Tensors[]): AsyncGenerator<Tensors> {
  yield* some;
}

const source = { executor: cpu(), samples: () => from(samples), count: samples.length };
const nothing: Watched = { extremes: [], histograms: [], channelSums: [] };

function expected(of: (x: number) => number): Observer {
  const observer = new Observer();
  for (const { x } of samples) observer.observe(Float32Array.from(x?.data as Float32Array, of));
  return observer;
}

describe("calibrate", () => {
  it("sees inputs, inner values and outputs of samples of every width", async () => {
    const values = [input, mul, add, relu];
    const found = await calibrate(graph, source, {
      ...nothing,
      extremes: values,
      histograms: values,
    });
    const cases: readonly [ValueId, (x: number) => number][] = [
      [input, (x) => x],
      [mul, (x) => Math.fround(2 * x)],
      [add, (x) => Math.fround(Math.fround(2 * x) - 1)],
      [relu, (x) => Math.max(0, Math.fround(Math.fround(2 * x) - 1))],
    ];
    for (const [value, of] of cases) {
      expect(found.ranges.get(value)).toEqual(expected(of).range);
      expect(found.histograms.get(value)).toEqual(distributionOf(expected(of).observation));
    }
    expect(graph.main.outputs).toEqual([relu]);
  });

  it("averages channels over every element of samples of every size, along both axes", async () => {
    const images = graphOf({ x: ["float32", "N", 2, "H", "W"] }, (given, b) => ({
      y: b.add("Relu", [b.add("Mul", [given("x"), b.floats([2])])]),
    }));
    const value = images.order()[0]?.outputs[0] ?? (0 as ValueId);
    const data = [
      { dims: [1, 2, 2, 2], numbers: [1, 2, 3, 4, 5, 6, 7, 8] },
      { dims: [1, 2, 1, 2], numbers: [0, 0, 10, 10] },
    ];
    const found = await calibrate(
      images,
      {
        executor: cpu(),
        count: 2,
        async *samples() {
          for (const { dims, numbers } of data)
            yield { x: { type: "float32", dims, data: Float32Array.from(numbers) } };
        },
      },
      {
        ...nothing,
        channelSums: [
          { value, axis: 1 },
          { value, axis: -1 },
        ],
      },
    );
    expect(found.channelMeans(value, 1)).toEqual(Float64Array.of(20 / 6, 92 / 6));
    expect(found.channelMeans(value, -1)).toEqual(Float64Array.of(52 / 6, 60 / 6));
    expect(found.channelMeans(input, 1)).toBeUndefined();
  });

  it.each<[readonly number[], number, readonly number[]]>([
    [[2, 3, 2], 0, [5, 17]],
    [[2, 3, 2], 1, [7, 11, 15]],
    [[2, 3, 2], 2, [10, 12]],
    [[2, 1, 3, 2], 2, [7, 11, 15]],
    [[3], 0, [0, 2, 4]],
    [[2, 2], 0, [1, 5]],
  ])("averages a value of [%j] along axis %i", async (dims, axis, means) => {
    const wide = graphOf({ x: ["float32", ...dims] }, (given, b) => ({
      y: b.add("Relu", [b.add("Mul", [given("x"), b.floats([2])])]),
    }));
    const value = wide.order()[0]?.outputs[0] ?? (0 as ValueId);
    const data = Float32Array.from({ length: elementCount(dims) }, (_, at) => at);
    const counted = { x: { type: "float32" as const, dims, data } };
    const found = await calibrate(
      wide,
      { executor: cpu(), count: 1, samples: () => from([counted]) },
      { ...nothing, channelSums: [{ value, axis }] },
    );
    expect([...(found.channelMeans(value, axis) ?? [])]).toEqual(means);
  });

  describe("of many samples", () => {
    const many = 1000;
    const over = async (xOf: (index: number) => readonly number[], exact = false) => {
      let taken = 0;
      const watched: Watched = {
        extremes: [add],
        histograms: [mul],
        channelSums: [{ value: mul, axis: -1 }],
      };
      const found = await calibrate(
        graph,
        {
          executor: cpu(),
          count: many,
          async *samples(): AsyncGenerator<Tensors> {
            for (taken = 0; taken < many; taken += 1) {
              const data = Float32Array.from(xOf(taken));
              yield { x: { type: "float32", dims: [1, data.length], data } };
            }
          },
        },
        watched,
        { exact },
      );
      return { found, taken };
    };

    it("takes no more when twice as many moved no range", async () => {
      const { found, taken } = await over((index) => [index % 8, -(index % 4)]);
      expect(taken).toBeLessThan(140);
      expect(found.ranges.get(add)).toEqual({ min: -7, max: 13 });
      expect(found.histograms.get(mul)?.count).toBe(2 * 128);
      expect(found.channelMeans(mul, -1)).toEqual(Float64Array.of(7, -3));
    });

    it("takes all of them where ranges are to be exact", async () => {
      const { found, taken } = await over((index) => [index === many - 1 ? -1 : index % 8], true);
      expect(taken).toBe(many);
      expect(found.ranges.get(add)).toEqual({ min: -3, max: 13 });
    });

    it("takes all of them while ranges move", async () => {
      const { found, taken } = await over((index) => [index]);
      expect(taken).toBe(many);
      expect(found.ranges.get(add)).toEqual({ min: -1, max: 2 * (many - 1) - 1 });
      expect(found.histograms.get(mul)?.range).toEqual({ min: 0, max: 2 * (many - 1) });
      expect(found.channelMeans(mul, -1)).toEqual(Float64Array.of(many - 1));
    });
  });

  it("leaves out of extremes what is not finite, and knows a value without elements", async () => {
    const data = [[1, NaN, -Infinity, 4], [Infinity, 2, 3], []];
    const fed = {
      executor: cpu(),
      count: 3,
      async *samples(): AsyncGenerator<Tensors> {
        for (const x of data)
          yield { x: { type: "float32", dims: [1, x.length], data: Float32Array.from(x) } };
      },
    };
    const found = await calibrate(graph, fed, { ...nothing, extremes: [mul] });
    expect(found.ranges.get(mul)).toEqual({ min: 2, max: 8 });
    const empty = {
      ...fed,
      async *samples(): AsyncGenerator<Tensors> {
        yield { x: { type: "float32", dims: [1, 0], data: new Float32Array() } };
      },
    };
    const none = await calibrate(graph, empty, { ...nothing, extremes: [mul] });
    expect(none.ranges.get(mul)).toEqual({ min: 0, max: 0 });
  });

  it("gives the engine no activation but those whose distribution is asked for", async () => {
    const loaded: (readonly ValueInfo[])[] = [];
    const executor: Executor = {
      async load(artifact) {
        const session = await cpu().load(artifact);
        loaded.push(session.outputs);
        return session;
      },
    };
    const channelSums = [{ value: add, axis: -1 }];
    const found = await calibrate(
      graph,
      { ...source, executor },
      { extremes: [mul, add], histograms: [relu], channelSums },
    );
    // Both smallest and both largest elements, sums of channels, their number; the distribution's elements.
    const dims = loaded.map((outputs) => outputs.map((output) => output.dims));
    expect(dims).toEqual([[[4, 1], ["W"], [], [1, "W"]]]);
    expect(found.ranges.get(mul)).toEqual(expected((x) => 2 * x).range);
    expect(found.ranges.get(add)).toEqual(expected((x) => Math.fround(2 * x) - 1).range);
  });

  it("takes large distributions in three runs, of which the first needs the graph's beginning alone", async () => {
    const steps = 6;
    const large = graphOf({ x: ["float32", 1, 2 ** 21] }, (given, b) => {
      let value = given("x");
      for (let step = 0; step < steps; step += 1) value = b.add("Add", [value, b.floats([1])]);
      return { y: value };
    });
    const values = large.order().map((node) => node.outputs[0] ?? (0 as ValueId));
    const loaded: { readonly outputs: number; readonly bytes: number }[] = [];
    const executor: Executor = {
      async load(artifact) {
        const session = await cpu().load(artifact);
        loaded.push({ outputs: session.outputs.length, bytes: artifact.files[0].bytes.length });
        return session;
      },
    };
    const data = Float32Array.from({ length: 2 ** 21 }, (_, i) => (i % 512) / 256);
    const x = { type: "float32", dims: [1, data.length], data } as const;
    const found = await calibrate(
      large,
      { executor, samples: () => from([{ x }]), count: 1 },
      { ...nothing, histograms: values.toReversed() },
    );
    expect(loaded.map(({ outputs }) => outputs)).toEqual([2, 2, 2]);
    const sizes = loaded.map(({ bytes }) => bytes);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(new Set(sizes).size).toBe(3);
    for (const [index, value] of values.entries())
      expect(found.histograms.get(value)?.range).toEqual({
        min: index + 1,
        max: index + 1 + 511 / 256,
      });
  });

  it("gives what is small one output for all ends and one for all sums, where sizes are fixed", async () => {
    const fixed = graphOf({ x: ["float32", 1, 3] }, (given, b) => ({
      y: b.add("Sigmoid", [b.add("Mul", [given("x"), b.floats([2])])]),
    }));
    const values = fixed.order().map((node) => node.outputs[0] ?? (0 as ValueId));
    const outputs: ValueInfo[] = [];
    const executor: Executor = {
      async load(artifact) {
        const session = await cpu().load(artifact);
        outputs.push(...session.outputs);
        return session;
      },
    };
    const given = [1, 2].map((seed) => feedsOf(fixed, seed));
    const found = await calibrate(
      fixed,
      { executor, samples: () => from(given), count: 2 },
      {
        extremes: values,
        histograms: [],
        channelSums: values.map((value) => ({ value, axis: -1 })),
      },
    );
    expect(outputs.map(({ dims }) => dims)).toEqual([[4, 1], [6]]);
    const [doubled = 0 as ValueId] = values;
    const columns = [0, 1, 2].map((at) =>
      given.map(({ x }) => Math.fround(2 * Number(x?.data[at]))),
    );
    expect(found.ranges.get(doubled)).toEqual({
      min: Math.min(...columns.flat()),
      max: Math.max(...columns.flat()),
    });
    expect(found.channelMeans(doubled, -1)).toEqual(
      Float64Array.from(columns, ([a = 0, b = 0]) => (a + b) / 2),
    );
  });

  it("waits for no engine to tidy up", async () => {
    const watched = { ...nothing, extremes: [mul] };
    const disposing = (dispose: () => Promise<void>): Executor => ({
      load: async (artifact) => ({ ...(await cpu().load(artifact)), dispose }),
    });
    const never = vi.fn<() => Promise<void>>(() => new Promise<void>(() => {}));
    await calibrate(graph, { ...source, executor: disposing(never) }, watched);
    expect(never).toHaveBeenCalledTimes(1);
    const fails = disposing(() => Promise.reject(new Error("it is gone")));
    const { ranges } = await calibrate(graph, { ...source, executor: fails }, watched);
    expect(ranges.get(mul)).toEqual(expected((x) => 2 * x).range);
  });

  it("has a graph with free dims opened as it is", async () => {
    const levelOf = async (width: number | string): Promise<unknown> => {
      const load = vi.fn<Executor["load"]>(cpu().load);
      const one = graphOf({ x: ["float32", 1, width] }, (given, b) => ({
        y: b.add("Relu", [given("x")]),
      }));
      const given = [feedsOf(one, 1, { W: 3 })];
      await calibrate(
        one,
        { executor: { load }, samples: () => from(given), count: 1 },
        { ...nothing, extremes: [one.main.outputs[0] ?? (0 as ValueId)] },
      );
      return load.mock.calls[0]?.[0].session.graphOptimizationLevel;
    };
    expect(await levelOf("W")).toBe("disabled");
    expect(await levelOf(3)).toBeUndefined();
  });

  it("reports progress, stops on a signal, and refuses to learn from nothing", async () => {
    const onProgress = vi.fn<(fraction: number) => void>();
    const watched = { ...nothing, extremes: [mul] };
    await calibrate(graph, source, watched, { onProgress });
    expect(onProgress.mock.calls.map(([fraction]) => fraction)).toEqual([1 / 3, 2 / 3, 1]);
    const signal = AbortSignal.abort();
    await expect(calibrate(graph, source, watched, { signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    const none = { ...source, count: 0, async *samples() {} };
    await expect(calibrate(graph, none, watched)).rejects.toMatchObject({ code: "DATA_MISMATCH" });
  });
});

const range = (value: ValueId): Wanted => ({
  value,
  statistic: { kind: "range", method: "minmax", format: uint8Activations },
});
const means = (value: ValueId): Wanted => ({
  value,
  statistic: { kind: "channel-means", axis: 1 },
});
const options = { pass: "test" };

describe("activations", () => {
  it("are numbers that a lock can hold, whatever was observed", async () => {
    const data = [
      [0, NaN, 0],
      [0, Infinity, 0],
    ];
    const calibration = {
      executor: cpu(),
      count: data.length,
      async *samples(): AsyncGenerator<Tensors> {
        for (const x of data)
          yield { x: { type: "float32", dims: [1, x.length], data: Float32Array.from(x) } };
      },
    };
    const closest: Wanted = {
      value: mul,
      statistic: { kind: "range", method: "mse", format: uint8Activations },
    };
    const found = await new MeasuredActivations(calibration).observe(graph, [closest, means(mul)], options); // prettier-ignore
    expect(found.ranges.get(mul)).toEqual({ min: 0, max: 0, sqnr: 300 });
    expect([...(found.channelMeans.get(mul)?.get(1) ?? [])]).toEqual([0, 0, 0]);
  });

  it("are of two axes of one value side by side", async () => {
    const both = await new MeasuredActivations(source).observe(
      graph,
      [means(mul), { value: mul, statistic: { kind: "channel-means", axis: 0 } }],
      options,
    );
    expect([...(both.channelMeans.get(mul)?.keys() ?? [])]).toEqual([1, 0]);
    expect(both.channelMeans.get(mul)?.get(0)).toHaveLength(1);
  });

  it("are observed once for all forks that leave what is above a value alone", async () => {
    const load = vi.fn<Executor["load"]>((...args) => cpu().load(...args));
    const measured = new MeasuredActivations({
      executor: { load },
      samples: () => from(samples),
      count: 3,
    });
    const first = await measured.observe(graph, [range(mul), range(relu)], options);
    const fork = graph.fork();
    edit(fork, "test", (editor) =>
      editor.setConstant(fork.producer(add)?.inputs[1] ?? add, Tensor.float32([], [5])),
    );
    const again = await measured.observe(graph.fork(), [range(mul), range(relu)], options);
    expect(load).toHaveBeenCalledTimes(1);
    expect(again.ranges.get(relu)).toEqual(first.ranges.get(relu));
    const changed = await measured.observe(fork, [range(mul), range(relu)], options);
    expect(load).toHaveBeenCalledTimes(2);
    expect(changed.ranges.get(mul)).toEqual(first.ranges.get(mul));
    expect(changed.ranges.get(relu)?.max).toBe((first.ranges.get(relu)?.max ?? 0) + 6);
  });

  it("are observed once for all questions that name the same beside them", async () => {
    const load = vi.fn<Executor["load"]>((...args) => cpu().load(...args));
    const calibration = { executor: { load }, samples: () => from(samples), count: 3 };
    const measured = new MeasuredActivations(calibration);
    const beside = [range(mul), range(relu)];
    const part = await measured.observe(graph, [range(relu)], { ...options, beside });
    const other = await measured.observe(graph, [range(mul)], { ...options, beside });
    expect(load).toHaveBeenCalledTimes(1);
    const whole = await new MeasuredActivations(calibration).observe(graph, beside, options);
    expect(part.ranges.get(relu)).toEqual(whole.ranges.get(relu));
    expect(other.ranges.get(mul)).toEqual(whole.ranges.get(mul));
    // What a note holds answers with them and, as earlier notes do, without.
    for (const noting of [{ ...options, beside }, options]) {
      const noted = new NotedActivations(measured, new Fingerprints());
      await noted.observe(graph, [range(mul)], noting);
      expect(noted.noted.size).toBe(1);
      const recorded = new RecordedActivations(noted.noted);
      const { ranges } = await recorded.observe(graph, [range(mul)], { ...options, beside });
      expect(ranges.get(mul)).toEqual(whole.ranges.get(mul));
    }
  });

  it("are the same whatever was asked before", async () => {
    const wide = graphOf({ x: ["float32", 1, 3] }, (given, b) => ({
      y: b.add("Relu", [b.add("Mul", [given("x"), b.floats([2])])]),
    }));
    const value = wide.order()[0]?.outputs[0] ?? (0 as ValueId);
    const calibration = {
      executor: cpu(),
      count: 2,
      async *samples() {
        for (const seed of [1, 2]) yield feedsOf(wide, seed);
      },
    };
    const alone = new MeasuredActivations(calibration);
    const expectedMeans = (await alone.observe(wide, [means(value)], options)).channelMeans;
    expect(expectedMeans.get(value)?.get(1)).toHaveLength(3);
    const after = new MeasuredActivations(calibration);
    await after.observe(wide, [range(value)], options);
    const both = await after.observe(wide, [range(value), means(value)], options);
    expect(both.channelMeans).toEqual(expectedMeans);
  });

  it("tell attributes apart", async () => {
    const pair = graphOf({ x: ["float32", 2, 3] }, (given, b) => ({
      a: b.add("Softmax", [given("x")], { axis: attribute.int(0) }),
      c: b.add("Softmax", [given("x")], { axis: attribute.int(1) }),
    }));
    const measured = new MeasuredActivations({
      executor: cpu(),
      count: 1,
      async *samples() {
        yield feedsOf(pair);
      },
    });
    const [a, c] = pair.main.outputs as [ValueId, ValueId];
    const { ranges } = await measured.observe(pair, [range(a), range(c)], options);
    expect(ranges.get(a)).not.toEqual(ranges.get(c));
  });

  it("can be noted and answered from the note alone, and from nothing else", async () => {
    const noted = new NotedActivations(new MeasuredActivations(source), new Fingerprints());
    const before = await noted.observe(graph, [range(mul)], options);
    const known = new Map(Object.entries(JSON.parse(JSON.stringify([...noted.noted])) as object));
    const entries = [...known.values()] as [string, number[]][];
    const recorded = new RecordedActivations(new Map(entries));
    const after = await recorded.observe(graph.fork(), [range(mul)], options);
    expect(after.ranges.get(mul)).toEqual(before.ranges.get(mul));
    await expect(recorded.observe(graph, [range(relu)], options)).rejects.toMatchObject({
      code: "LOCK",
      where: "test",
    });
  });
});

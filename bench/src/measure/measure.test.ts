import { readFile } from "node:fs/promises";
import {
  type Artifact,
  type Measure,
  onnxArtifact,
  PareError,
  type SampleSet,
  type Tensors,
} from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { EngineHost } from "../engines/host.js";
import { openNodeChannel } from "../engines/node-channel.js";
import { type Hosts, openHosts } from "../engines/open-hosts.js";
import { createScorer } from "../metrics/scorer.js";
import type { EarlierResults } from "./earlier-results.js";
import { createMeasure, type MeasureProgress } from "./measure.js";
import { sampleOrder } from "./sample-order.js";
import { noise, splits } from "./noise-samples.test.support.js";

const modelUrl = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
const limits = { warmUpMs: 100, blocks: 5, maxBlocks: 10, maxMs: 500 };

describe("a measure", () => {
  let open: Hosts;
  let artifact: Artifact;
  let damaged: Artifact;
  beforeAll(async () => {
    open = await openHosts(["cpu", "wasm"]);
    const bytes = await readFile(modelUrl);
    artifact = onnxArtifact(bytes);
    // Signs and lowest exponent bits of the weights in the middle turned over: it loads, and answers differently.
    const changed = Uint8Array.from(bytes);
    for (let at = 120_000; at < 200_000; at++) changed[at] = (changed[at] ?? 0) ^ 0x80;
    damaged = onnxArtifact(changed);
  }, 60_000);
  afterAll(() => open.dispose());

  const measureOf = (samples: SampleSet, metric: "top1" | "top1-agreement" = "top1") =>
    createMeasure({
      hosts: open.hosts,
      samples,
      splits,
      scorer: createScorer(metric, metric === "top1"),
      seed: 1,
    });

  it.each(["cpu", "wasm"] as const)("compares a model with itself on %s", async (target) => {
    const measure = measureOf(noise(() => 3));
    const ask = { artifact, target, split: "validation" } as const;
    const alone = await measure.accuracy({ ...ask, count: 40 });
    expect(alone).toMatchObject({ metric: "top1", n: 40, drop: null, measuredOn: target });
    const size = await measure.size(artifact);
    expect(size.raw).toBe(322241);
    expect(size.brotli).toBeLessThan(size.gzip);
    const { loadMs, runMs } = await measure.tryOut({ artifact, target });
    expect(Math.min(loadMs, runMs)).toBeGreaterThan(0);
    const cold = await measure.coldStart({ artifact, target });
    expect(cold.memoryBytes).toBeGreaterThan(1e6);
    expect(cold.startupMs).toBeGreaterThan(0);

    const again = await measure.accuracy({ ...ask, count: 30, float: artifact });
    expect(again).toMatchObject({ n: 30, drop: 0, flips: { count: 0, n: 30 } });
    expect(again?.dropInterval?.[1]).toBeGreaterThan(0);
    const surer = await measure.accuracy({
      ...ask,
      count: 30,
      float: artifact,
      confidence: 0.999,
    });
    expect(surer?.dropInterval?.[1]).toBeGreaterThan(again?.dropInterval?.[1] ?? Infinity);
  });

  it("looks at as many samples as a metric needs to be a number, and at no fewer afterwards", async () => {
    const { hosts } = open;
    // Of two classes, as an auc.
    const scorer = createScorer("both", true, {
      metric: {
        name: "both",
        direction: "higher",
        reduce: async (_, labels, picks) =>
          picks.map((pick) =>
            new Set(Array.from(pick, (at) => labels[at])).size < 2 ? Number.NaN : 1,
          ),
      },
    });
    const measureOfClasses = (label: (index: number) => number) =>
      createMeasure({ hosts, samples: noise(label), splits, scorer, seed: 1 });
    const ask = { artifact, target: "cpu", split: "validation" } as const;
    const [rare = 0] = sampleOrder(splits.validation, 1).slice(10);
    const measure = measureOfClasses((index) => (index === rare ? 1 : 0));
    expect(await measure.accuracy({ ...ask, count: 2 })).toMatchObject({ n: 16, value: 1 });
    expect(await measure.accuracy({ ...ask, count: 4, float: artifact })).toMatchObject({ n: 16 });
    expect(await measure.accuracy({ ...ask, count: 17 })).toMatchObject({ n: 17 });
    await expect(measureOfClasses(() => 0).accuracy({ ...ask, count: 2 })).rejects.toMatchObject({
      code: "LABELS",
      message: expect.stringMatching(/over 40 samples/),
    });
  });

  it("times several files in turns, each against the first and against each other", async () => {
    const measure = measureOf(noise(() => 3));
    const other = onnxArtifact(artifact.files[0].bytes, { graphOptimizationLevel: "disabled" });
    const { latencies, between } = await measure.latency({
      artifacts: [artifact, other, damaged],
      target: "cpu",
      limits,
      seed: 0,
    });
    expect(latencies.map(({ ratio }) => ratio === null)).toEqual([true, false, false]);
    expect(latencies[1]?.method).toContain("blocks of 3 files in turns");
    expect(between[0]?.[1]?.ratio).toBe(latencies[1]?.ratio);
    expect(between.map((row, index) => row[index]?.ratio)).toEqual([1, 1, 1]);
    const [there, back] = [between[1]?.[2]?.ratio ?? 0, between[2]?.[1]?.ratio ?? 0];
    expect(there * back).toBeGreaterThan(0.7);
    expect(there * back).toBeLessThan(1.4);
  });

  it("takes a few samples from all over a split, the same for all, and looks at each once", async () => {
    const seen: number[] = [];
    const samples = noise(() => 3);
    const watched: SampleSet = {
      ...samples,
      sample: (index) => (seen.push(index), samples.sample(index)),
    };
    const measure = measureOf(watched);
    const ask = { target: "cpu", split: "validation" } as const;
    expect((await measure.accuracy({ ...ask, artifact, count: 4 }))?.n).toBe(4);
    const few = [...new Set(seen)];
    expect(few).toHaveLength(4);
    expect(Math.max(...few) - Math.min(...few)).toBeGreaterThan(8);
    seen.length = 0;
    expect((await measure.accuracy({ ...ask, artifact, count: 8 }))?.n).toBe(8);
    expect(seen).toHaveLength(4);
    expect(few.some((index) => seen.includes(index))).toBe(false);
    seen.length = 0;
    await measure.accuracy({ ...ask, artifact: damaged, float: artifact, count: 8 });
    // The engine holds them all.
    expect(seen).toEqual([]);
  });

  it("asks a model once where two ask for the same at the same time", async () => {
    const progress: number[] = [];
    const measure = createMeasure({
      hosts: open.hosts,
      samples: noise((index) => index % 10),
      splits,
      seed: 1,
      scorer: createScorer("top1", true),
      onProgress: ({ phase, done }) => void (phase === "accuracy" && progress.push(done)),
    });
    const ask = { target: "cpu", split: "test", count: 60 } as const;
    const [one, other] = await Promise.all([
      measure.accuracy({ ...ask, artifact }),
      measure.accuracy({ ...ask, artifact: damaged, float: artifact }),
    ]);
    expect(other?.drop).toBeCloseTo((one?.value ?? 0) - (other?.value ?? 0));
    expect(progress).toHaveLength(120);
  });

  it("compares as many samples as it has to, whatever the time", async () => {
    const measure = measureOf(noise(() => 3));
    const evaluate = async () =>
      ({ logits: { type: "float32", dims: [1], data: new Float32Array(1) } }) as const;
    const ask = { artifact, target: "cpu", split: "test", reference: { evaluate } } as const;
    const parity = await measure.parity({ ...ask, count: 60, maxMs: 0, atLeast: 16 });
    expect(parity?.n).toBeGreaterThanOrEqual(16);
    expect((await measure.parity({ ...ask, count: 60, maxMs: 0 }))?.n ?? 1).toBeLessThan(60);
  });

  it("loads nothing again for who asks an engine directly", async () => {
    const measure = measureOf(noise(() => 3));
    await measure.tryOut({ artifact, target: "cpu" });
    const loads = vi.spyOn(EngineHost.prototype, "load");
    try {
      const session = await measure.executor("cpu").load(artifact);
      const { feeds } = await noise(() => 3).sample(0);
      expect((await session.run(feeds))["logits"]?.dims).toEqual([1, 10]);
      await session.dispose();
      await measure.accuracy({ artifact, target: "cpu", split: "test", count: 4 });
      expect(loads).not.toHaveBeenCalled();
    } finally {
      loads.mockRestore();
    }
  });

  it("sees what a damaged model lost", async () => {
    const measure = measureOf(
      noise(() => null),
      "top1-agreement",
    );
    const ask = { artifact: damaged, target: "cpu", split: "test" } as const;
    const accuracy = await measure.accuracy({ ...ask, float: artifact, count: 60 });
    expect(accuracy?.value).toBeLessThan(1);
    expect(accuracy?.drop).toBeCloseTo(1 - (accuracy?.value ?? 0));
    expect(accuracy?.flips?.samples).toHaveLength(accuracy?.flips?.count ?? -1);
    const reference = { artifact, target: "cpu" } as const;
    const parity = await measure.parity({ ...ask, reference, count: 16 });
    expect(parity?.n).toBe(16);
    expect(parity?.maxError).toBeGreaterThan(0.01);
    const evaluate = async () => ({});
    expect((await measure.parity({ ...ask, reference: { evaluate }, count: 2 }))?.n).toBe(2);
  });

  describe("with results of earlier runs", () => {
    const kept = new Map<string, string>();
    const earlier: EarlierResults = {
      async get(name) {
        const text = kept.get(JSON.stringify(name));
        return text === undefined ? undefined : JSON.parse(text);
      },
      put: async (name, value) => void kept.set(JSON.stringify(name), JSON.stringify(value)),
    };
    const measureWith = (
      hosts: Hosts["hosts"],
      metric = "top1",
      onProgress: (progress: MeasureProgress) => void = () => {},
    ) =>
      createMeasure({
        onProgress,
        hosts,
        samples: noise((index) => index % 10),
        splits,
        seed: 1,
        scorer: createScorer(metric, metric === "top1"),
        earlier,
      });
    it("tells what was measured before, and nothing of what was not", async () => {
      const request = {
        artifacts: [artifact, damaged],
        target: "cpu",
        limits,
        seed: 9,
      } as const;
      const measure = measureWith(open.hosts);
      expect(await measure.earlierLatency(request)).toBeNull();
      const compared = await measure.latency(request);
      expect(await measureWith(open.hosts).earlierLatency(request)).toEqual(compared);
    });

    it("goes on with a timing that was interrupted, and begins what is published anew", async () => {
      kept.clear();
      const request = { artifacts: [artifact, damaged], target: "cpu", limits, seed: 3 } as const;
      const blocks = Array.from({ length: limits.maxBlocks }, () => [[1e6], [2e6]]);
      const plan = { batch: [1, 1], units: [1, 1], unseen: [true, true] };
      await measureWith(open.hosts).latency(request);
      const [name = ""] = kept.keys();
      const begun = JSON.stringify({ ...JSON.parse(name), kind: "blocks" });
      const left = (value: unknown): void => void kept.set(begun, JSON.stringify(value));
      left({ plan, blocks, spentMs: 0 });
      const p50 = async (more = {}): Promise<number> =>
        (await measureWith(open.hosts).latency({ ...request, ...more })).latencies[0]?.p50 ?? 0;
      expect(await p50({ fresh: true })).toBeLessThan(1e6);
      expect(await p50({ published: true })).toBeLessThan(1e6);
      expect(await p50()).toBe(1e6);
      // It came to its end.
      expect(await p50()).toBeLessThan(1e6);
      left({ plan, blocks: blocks.map(() => [[1e6]]), spentMs: 0 });
      expect(await p50()).toBeLessThan(1e6);
    });

    const all = async (measure: Measure) => {
      const ask = { artifact: damaged, target: "cpu", split: "validation", count: 40 } as const;
      const artifacts = [artifact, damaged] as const;
      return {
        size: await measure.size(damaged),
        tryOut: await measure.tryOut(ask),
        accuracy: await measure.accuracy({ ...ask, float: artifact }),
        latency: await measure.latency({
          artifacts,
          target: "cpu",
          limits,
          seed: 1,
          screening: true,
        }),
        parity: await measure.parity({
          artifact,
          target: "cpu",
          reference: { artifact: damaged, target: "cpu" },
          split: "validation",
          count: 2,
        }),
        sampleMs: await measure.sampleMs(artifact, "cpu"),
      };
    };

    it.each(["top1", "mse"])("asks no engine again, by %s", async (metric) => {
      kept.clear();
      const first = await all(measureWith(open.hosts, metric));
      expect(await all(measureWith(new Map(), metric))).toEqual(first);
      expect(first.sampleMs).toBeGreaterThan(0);
      expect(first.parity?.maxError).toBeGreaterThan(0);
    });

    it("keeps what an evaluation says under its name, and not without one", async () => {
      kept.clear();
      const evaluate = async (): Promise<Tensors> => ({});
      const ask = { artifact, target: "cpu", split: "validation", count: 2 } as const;
      const named = { ...ask, reference: { evaluate, name: "by hand" } };
      const first = await measureWith(open.hosts).parity(named);
      expect(await measureWith(new Map()).parity(named)).toEqual(first);
      const unnamed = measureWith(new Map()).parity({ ...ask, reference: { evaluate } });
      await expect(unnamed).rejects.toMatchObject({ code: "UNSUPPORTED_DEVICE" });
    });

    it("runs only the samples that are new", async () => {
      kept.clear();
      const ask = { artifact, target: "cpu", split: "validation" } as const;
      await measureWith(open.hosts).accuracy({ ...ask, count: 30 });
      await expect(measureWith(new Map()).accuracy({ ...ask, count: 30 })).resolves.toMatchObject({
        n: 30,
      });
      await expect(measureWith(new Map()).accuracy({ ...ask, count: 31 })).rejects.toMatchObject({
        code: "UNSUPPORTED_DEVICE",
      });
      expect((await measureWith(open.hosts).accuracy({ ...ask, count: 40 }))?.n).toBe(40);
    });

    it("keeps what was answered before it was interrupted", async () => {
      kept.clear();
      const stop = new AbortController();
      const interrupted = measureWith(open.hosts, "top1", ({ done }) => done > 0 && stop.abort());
      const ask = { artifact, target: "cpu", split: "validation" } as const;
      await expect(
        interrupted.accuracy({ ...ask, count: 40, signal: stop.signal }),
      ).rejects.toMatchObject({ code: "ABORTED" });
      expect((await measureWith(new Map()).accuracy({ ...ask, count: 1 }))?.n).toBe(1);
    });

    it("keeps what is long to write more seldom", async () => {
      const now = performance.now.bind(performance);
      // A millisecond is a second: a sample takes some, and what is kept a minute.
      const clock = vi.spyOn(performance, "now").mockImplementation(() => 1000 * now());
      let times = 0;
      const put = async (): Promise<void> => {
        times++;
        await new Promise((resolve) => setTimeout(resolve, 60));
      };
      try {
        const samples = noise((index) => index % 10);
        const scorer = createScorer("top1", true);
        const { hosts } = open;
        const slow = { get: async () => undefined, put };
        const measure = createMeasure({ hosts, samples, splits, seed: 1, scorer, earlier: slow });
        await measure.accuracy({ artifact, target: "cpu", split: "test", count: 60 });
      } finally {
        clock.mockRestore();
      }
      expect(times).toBeGreaterThan(0);
      expect(times).toBeLessThan(5);
    });

    it("keeps no failure of a further engine, which may pass", async () => {
      kept.clear();
      let opened = 0;
      const host = await EngineHost.start("cpu", async () => {
        if (opened++ === 0) return openNodeChannel("cpu");
        throw new PareError("NO_MEMORY", "There is none for a second engine.");
      });
      try {
        const ask = { artifact, target: "cpu" } as const;
        expect(await measureWith(new Map([["cpu", host]])).shareSamples(ask)).toBe(1);
      } finally {
        await host.dispose();
      }
      expect([...kept.keys()].map((name) => JSON.parse(name).kind)).toEqual(["try-out"]);
    });

    it("measures anew what is published, and what was kept in another shape", async () => {
      const ask = { artifacts: [artifact, damaged], target: "cpu", limits, seed: 1 } as const;
      const none = measureWith(new Map());
      await expect(none.latency(ask)).rejects.toMatchObject({ code: "UNSUPPORTED_DEVICE" });
      kept.clear();
      const first = await all(measureWith(open.hosts));
      for (const [name, text] of kept)
        kept.set(name, text.replace(/"(raw|loadMs|between|kept)":/, '"other":'));
      await expect(all(measureWith(new Map()))).rejects.toThrow();
      const again = await all(measureWith(open.hosts));
      expect(again.accuracy).toEqual(first.accuracy);
      expect(again.size).toEqual(first.size);
    });
  });

  it("gives the engine's own words when it refuses a file", async () => {
    const broken = onnxArtifact(new Uint8Array(100).fill(7));
    const error = await measureOf(noise(() => 1))
      .tryOut({ artifact: broken, target: "cpu" })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PareError);
    expect(error).toMatchObject({ code: "ENGINE", message: expect.stringMatching(/protobuf/i) });
  });

  it("stops when told to, and works again afterwards", async () => {
    const measure = measureOf(noise(() => 1));
    const stop = new AbortController();
    const long = { warmUpMs: 60_000, blocks: 1000, maxBlocks: 1000, maxMs: 60_000 };
    const running = measure.latency({
      artifacts: [artifact],
      target: "cpu",
      limits: long,
      seed: 0,
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(), 100);
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    const ask = { artifact, target: "cpu", split: "test", count: 60 } as const;
    await expect(measure.accuracy(ask)).resolves.toHaveProperty("n", 60);
  });
});

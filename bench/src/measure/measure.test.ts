import { readFile } from "node:fs/promises";
import { byteSource, type ModelSource, PareError, type SampleSet } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBrowser } from "../engines/find-browser.js";
import { type Hosts, openHosts } from "../engines/open-hosts.js";
import { createScorer } from "../metrics/scorer.js";
import { seeded } from "../statistics/random.js";
import { createMeasure } from "./measure.js";

const modelUrl = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);
const splits = { calibration: [], validation: range(0, 40), test: range(40, 100) };

function noise(label: (index: number) => unknown): SampleSet {
  return {
    size: 100,
    labelled: true,
    async sample(index) {
      const random = seeded(index);
      const data = Float32Array.from({ length: 784 }, () => (random() < 0.2 ? random() : 0));
      return {
        id: `s${index}`,
        label: label(index),
        group: null,
        feeds: { x: { type: "float32", dims: [1, 1, 28, 28], data } },
      };
    },
  };
}

describe.skipIf((await findBrowser()) === null)("createMeasure on a GPU", () => {
  let open: Hosts;
  beforeAll(async () => void (open = await openHosts(["cpu", "webgpu"])), 60_000);
  afterAll(() => open.dispose());

  it("publishes no time of an emulated one, and shows its agreement with the CPU engine", async (context) => {
    if (open.hosts.get("webgpu")?.software !== true) return context.skip();
    const model = { proto: byteSource(await readFile(modelUrl)), external: new Map() };
    const options = {
      hosts: open.hosts,
      samples: noise(() => 3),
      splits,
      seed: 1,
      softwareGpuMs: 0,
    };
    const measure = createMeasure({ ...options, scorer: createScorer("top1", true) });
    const ask = { model, baseline: model, target: "webgpu", timed: true } as const;

    const candidate = await measure({ ...ask, split: "validation" });
    expect(candidate.latencyMs).toEqual({
      unmeasured: expect.stringMatching(/emulated on the CPU/),
    });
    expect(candidate).toMatchObject({
      parity: null,
      memoryBytes: null,
      startupMs: null,
      accuracy: { n: 40, measuredOn: "cpu" },
    });

    const chosen = await measure({ ...ask, split: "test" });
    expect(chosen.latencyMs).toHaveProperty("unmeasured");
    expect(chosen.accuracy).toMatchObject({ n: 60, measuredOn: "cpu" });
    expect(chosen.parity?.n).toBeGreaterThanOrEqual(16);
    expect(chosen.parity?.maxError).toBeLessThan(1e-4);
    expect(chosen.parity?.maxError).toBeGreaterThan(0);
  });
});

describe("createMeasure", () => {
  let open: Hosts;
  let model: ModelSource;
  let damaged: ModelSource;
  beforeAll(async () => {
    open = await openHosts(["cpu", "wasm"]);
    const bytes = await readFile(modelUrl);
    model = { proto: byteSource(bytes), external: new Map() };
    // Signs and lowest exponent bits of the weights in the middle turned over: it loads, and answers differently.
    const changed = Uint8Array.from(bytes);
    for (let at = 120_000; at < 200_000; at++) changed[at] = (changed[at] ?? 0) ^ 0x80;
    damaged = { proto: byteSource(changed), external: new Map() };
  }, 60_000);
  afterAll(() => open.dispose());

  it.each(["cpu", "wasm"] as const)("measures a model against itself on %s", async (target) => {
    const measure = createMeasure({
      hosts: open.hosts,
      samples: noise(() => 3),
      splits,
      scorer: createScorer("top1", true),
      seed: 1,
    });
    const alone = await measure({ model, target, split: "validation", timed: true });
    expect(alone.accuracy).toMatchObject({ metric: "top1", n: 40, drop: null, measuredOn: target });
    expect(alone.sizeBytes.raw).toBe(322241);
    expect(alone.sizeBytes.brotli).toBeLessThan(alone.sizeBytes.gzip);
    expect(alone.memoryBytes).toBeGreaterThan(1e6);
    expect(alone.startupMs).toBeGreaterThan(0);
    expect(alone.latencyMs).toMatchObject({ ratio: null });

    const again = await measure({
      model,
      target,
      baseline: model,
      split: "validation",
      timed: true,
      limit: 30,
    });
    expect(again.accuracy).toMatchObject({ n: 30, drop: 0, flips: { count: 0, n: 30 } });
    expect(again.accuracy?.dropInterval?.[1]).toBeGreaterThan(0);
    expect(again.parity).toMatchObject({ n: 16, flips: 0 });
    expect(again.latencyMs).toHaveProperty("ratioInterval", [
      expect.any(Number),
      expect.any(Number),
    ]);
  });

  it("takes a limited number of samples from all over a split", async () => {
    const seen: number[] = [];
    const samples = noise(() => 3);
    const watched: SampleSet = {
      ...samples,
      sample: (index) => (seen.push(index), samples.sample(index)),
    };
    const measure = createMeasure({
      hosts: open.hosts,
      samples: watched,
      splits,
      scorer: createScorer("top1", true),
      seed: 1,
    });
    const { accuracy } = await measure({
      model,
      target: "cpu",
      split: "validation",
      limit: 4,
      timed: false,
    });
    expect(accuracy?.n).toBe(4);
    expect([...new Set(seen)]).toEqual([0, 10, 20, 30]);
  });

  it("sees what a damaged model lost", async () => {
    const finding = createScorer("top1-agreement", false);
    const measure = createMeasure({
      hosts: open.hosts,
      samples: noise(() => null),
      splits,
      scorer: finding,
      seed: 1,
    });
    const { accuracy, parity, latencyMs } = await measure({
      model: damaged,
      baseline: model,
      target: "cpu",
      split: "test",
      timed: false,
    });
    expect(accuracy?.value).toBeLessThan(1);
    expect(accuracy?.drop).toBeCloseTo(1 - (accuracy?.value ?? 0));
    expect(accuracy?.flips?.samples).toHaveLength(accuracy?.flips?.count ?? -1);
    expect(parity?.maxError).toBeGreaterThan(0.01);
    expect(latencyMs).toEqual({ unmeasured: expect.stringContaining("Not asked") });
  });

  it("gives the engine's own words when it refuses a file", async () => {
    const measure = createMeasure({
      hosts: open.hosts,
      samples: noise(() => 1),
      splits,
      scorer: null,
      seed: 1,
    });
    const broken = { proto: byteSource(new Uint8Array(100).fill(7)), external: new Map() };
    const error = await measure({
      model: broken,
      target: "cpu",
      split: "test",
      timed: false,
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PareError);
    expect(error).toMatchObject({ code: "ENGINE", message: expect.stringMatching(/protobuf/i) });
  });

  it("stops when told to, and works again afterwards", async () => {
    const measure = createMeasure({
      hosts: open.hosts,
      samples: noise(() => 1),
      splits,
      scorer: createScorer("top1", true),
      seed: 1,
    });
    const stop = new AbortController();
    const running = measure({
      model,
      target: "cpu",
      split: "test",
      timed: true,
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(), 100);
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    await expect(
      measure({ model, target: "cpu", split: "test", timed: false }),
    ).resolves.toHaveProperty("accuracy.n", 60);
  });
});

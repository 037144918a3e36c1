import { readFile } from "node:fs/promises";
import {
  byteSource,
  type Measure,
  type MeasureRequest,
  type Measurement,
  type ModelSource,
  PareError,
  sha256,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { presets } from "../recipes/presets.js";
import { optimize } from "./optimize.js";
import type { OptimizeRequest } from "./request.js";

const path = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);

/** What a file is said to be: ratio and drop by split. The files themselves are real. */
interface Verdict {
  readonly ratio?: number;
  readonly drop?: number;
  readonly testDrop?: number;
}

let original: Uint8Array;
beforeAll(async () => {
  original = new Uint8Array(await readFile(path));
});

async function bytesOf(model: ModelSource): Promise<Uint8Array> {
  if ("path" in model) throw new Error("a file in memory was expected");
  return model.proto.read(0, model.proto.size);
}

/** Says of each file what `judge` says by its size: candidates differ in nothing else that a measure could see. */
function measureAs(
  judge: (bytes: number, request: MeasureRequest) => Verdict | PareError,
): Measure & { readonly requests: MeasureRequest[] } {
  const requests: MeasureRequest[] = [];
  const measure: Measure = async (request) => {
    requests.push(request);
    const { length } = await bytesOf(request.model);
    const verdict = judge(length, request);
    if (verdict instanceof PareError) throw verdict;
    const { ratio = 1, drop = 0, testDrop = drop } = verdict;
    const lost = request.split === "test" ? testDrop : drop;
    const baseline = request.baseline === undefined;
    const accuracy: Measurement["accuracy"] = {
      metric: "top1",
      direction: "higher",
      value: 0.98 - lost,
      interval: [0.9, 1],
      n: 200,
      drop: baseline ? null : lost,
      dropInterval: null,
      flips: null,
      measuredOn: request.target,
    };
    const latency: Measurement["latencyMs"] = {
      p50: ratio,
      p90: ratio,
      p99: null,
      n: 100,
      method: "said",
      ratio: baseline ? null : ratio,
      ratioInterval: baseline ? null : [ratio * 0.999, ratio * 1.001],
    };
    return {
      target: request.target,
      engine: "said",
      sizeBytes: { raw: length, gzip: length, brotli: length },
      accuracy,
      parity: null,
      latencyMs: request.timed ? latency : { unmeasured: "not asked" },
      memoryBytes: null,
      startupMs: null,
    };
  };
  return Object.assign(measure, { requests });
}

async function requestFor(
  measure: Measure,
  more: Partial<OptimizeRequest> = {},
): Promise<OptimizeRequest> {
  const graph = await decodeModel(
    { proto: byteSource(original), external: new Map() },
    { infer: inferNode },
  );
  const executor = cpu();
  return {
    graph,
    original,
    originalSha256: await sha256(original),
    recipe: presets.auto,
    devices: [{ target: "cpu", engine: "said", standIn: null, features: [], executor }],
    evidence: "labelled",
    calibration: {
      executor,
      count: 4,
      async *samples(): AsyncIterable<Tensors> {
        for (let sample = 0; sample < 4; sample += 1) {
          const data = Float32Array.from(
            { length: 784 },
            (_, at) => ((at * (sample + 3)) % 97) / 97,
          );
          yield { x: { type: "float32", dims: [1, 1, 28, 28], data } };
        }
      },
    },
    measure,
    budget: { maxDrop: 0.01, prefer: "latency", timeBudgetMs: 600_000 },
    seed: 0,
    splits: {},
    shapes: {},
    constants: {},
    compiler: "test",
    ...more,
  };
}

const small = (bytes: number): boolean => bytes < 0.4 * original.length;

describe("optimize", () => {
  it("takes the fastest of what keeps the budget, and says why not the others", async () => {
    const measure = measureAs((bytes) => (small(bytes) ? { ratio: 0.5 } : {}));
    const { variants, candidates, steps } = await optimize(await requestFor(measure));
    expect(variants).toHaveLength(1);
    expect(small(variants[0]?.bytes.length ?? 0)).toBe(true);
    expect(candidates.filter(({ verdict }) => verdict === "chosen")).toHaveLength(1);
    expect(candidates.every(({ reason }) => reason !== "")).toBe(true);
    expect(steps[0]).toMatchObject({ name: "simplify", verdict: "kept" });
  });

  it("reverts what loses too much, and writes the simplified float model when all does", async () => {
    const measure = measureAs((bytes) =>
      bytes === original.length || bytes > 0.9 * original.length ? {} : { drop: 0.3, ratio: 0.5 },
    );
    const { variants, steps } = await optimize(await requestFor(measure));
    expect(variants[0]).toMatchObject({ name: "float", precision: "float32" });
    expect(steps.filter(({ verdict }) => verdict === "reverted").length).toBeGreaterThan(2);
    expect(steps.some(({ reason }) => /drop 0\.3 .*over the allowed/.test(reason))).toBe(true);
  });

  it("looks at the test samples once per candidate, and takes the next where the best fails there", async () => {
    const measure = measureAs((bytes) => (small(bytes) ? { ratio: 0.5, testDrop: 0.2 } : {}));
    const { variants, candidates } = await optimize(await requestFor(measure));
    expect(small(variants[0]?.bytes.length ?? 0)).toBe(false);
    expect(
      candidates.some(({ reason }) => /best in the search, but on the test samples/.test(reason)),
    ).toBe(true);
    // The baseline is tested too: here it is the same file as its simplified form.
    const tested = await Promise.all(
      measure.requests
        .filter(({ split, baseline }) => split === "test" && baseline !== undefined)
        .map(async ({ model }) => sha256(await bytesOf(model))),
    );
    expect(new Set(tested).size).toBe(tested.length);
  });

  it("goes on where an engine refuses or crashes on a candidate", async () => {
    const measure = measureAs((bytes) =>
      small(bytes) ? new PareError("ENGINE_CRASHED", "It ended.") : {},
    );
    const { variants, steps } = await optimize(await requestFor(measure));
    expect(variants).toHaveLength(1);
    expect(steps.some(({ reason }) => /the engine refuses it: It ended/.test(reason))).toBe(true);
  });

  it("tries nothing after the time budget, and says so", async () => {
    const measure = measureAs(() => ({}));
    const request = await requestFor(measure, {
      budget: { maxDrop: 0.01, prefer: "latency", timeBudgetMs: -1 },
    });
    const { candidates } = await optimize(request);
    expect(
      candidates.filter(({ reason }) => /time budget was spent/.test(reason)).length,
    ).toBeGreaterThan(3);
  });

  it("says which budget no candidate met, and still gives the best", async () => {
    const measure = measureAs(() => ({}));
    const budget = {
      maxDrop: 0.01,
      prefer: "latency",
      timeBudgetMs: 600_000,
      maxSizeBytes: 1000,
    } as const;
    const { missed, variants } = await optimize(await requestFor(measure, { budget }));
    expect(missed).toEqual([
      expect.stringMatching(/^cpu: the best file has \d+ bytes, over --max-size 1000/),
    ]);
    expect(variants).toHaveLength(1);
  });

  it("keeps the simplified model only where it is no slower", async () => {
    const measure = measureAs((bytes, { baseline }) =>
      baseline !== undefined && bytes > 0.9 * original.length ? { ratio: 1.5 } : { drop: 1 },
    );
    const { variants, steps } = await optimize(await requestFor(measure));
    expect(steps[0]).toMatchObject({ name: "simplify", verdict: "reverted" });
    expect(variants[0]?.bytes).toEqual(original);
  });

  it("makes the same files from its lock, and times nothing", async () => {
    const measure = measureAs((bytes) => (small(bytes) ? { ratio: 0.5 } : {}));
    const first = await optimize(await requestFor(measure));
    const again = measureAs(() => ({}));
    const second = await optimize(await requestFor(again, { frozen: first.lock }));
    expect(second.variants.map(({ sha256: hash }) => hash)).toEqual(
      first.variants.map(({ sha256: hash }) => hash),
    );
    expect(again.requests.every(({ timed }) => !timed)).toBe(true);
    expect(second.variants[0]?.measurement.latencyMs).toEqual(
      first.variants[0]?.measurement.latencyMs,
    );
  });

  it("refuses a lock of another model", async () => {
    const measure = measureAs(() => ({}));
    const { lock } = await optimize(await requestFor(measure));
    await expect(
      requestFor(measure, { frozen: { ...lock, model: { sha256: "0" } } }).then(optimize),
    ).rejects.toMatchObject({
      code: "LOCK",
      message: expect.stringContaining("the model changed"),
    });
  });

  it("stops when it is told to, with what is complete handed over before", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const measure = measureAs(() => ({}));
    const request = await requestFor(measure, {
      signal: controller.signal,
      onTarget: async ({ variants }) => {
        done.push(variants.length);
        controller.abort();
      },
    });
    const [device] = request.devices;
    const devices = device === undefined ? [] : [device, { ...device, target: "wasm" as const }];
    await expect(optimize({ ...request, devices })).rejects.toMatchObject({ code: "ABORTED" });
    expect(done).toEqual([1]);
  });
});

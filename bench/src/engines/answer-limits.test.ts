import type { SampleSet, Tensors } from "@pare/runtime/format";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AnswersSoFar, asBefore } from "./answer-limits.js";
import { LiveEngine } from "./live-engine.js";
import type { Channel, EngineRequest } from "./protocol.js";
import { reduceSamples } from "./reduce-samples.js";
import { ResidentSamples } from "./resident-samples.js";
import { SampleRuns } from "./run-samples.js";

describe("the limit of a call for what takes as long as before", () => {
  it("is the caller's before anything was done", () => {
    expect(asBefore({ limitMs: 70_000 }, null).limitMs).toBe(70_000);
    expect(asBefore({}, null).limitMs).toBeUndefined();
  });

  it("is a few seconds where the last answer took less, and the caller's where that is shorter", () => {
    expect(asBefore({ limitMs: 70_000 }, 100).limitMs).toBe(5000);
    expect(asBefore({}, 100).limitMs).toBe(5000);
    expect(asBefore({ limitMs: 2000 }, 100).limitMs).toBe(2000);
  });

  it("is several times as long as the last answer took: a model whose runs take long does not hang", () => {
    expect(asBefore({ limitMs: 70_000 }, 6000).limitMs).toBe(48_000);
    expect(asBefore({}, 6000).limitMs).toBe(48_000);
    expect(asBefore({ limitMs: 20_000 }, 6000).limitMs).toBe(20_000);
  });
});

describe("the limit of a call for samples of free size", () => {
  it("is by the longest answer, for samples of which no feed is larger than those before", () => {
    const soFar = new AnswersSoFar();
    const limit = (...sizes: readonly number[]) =>
      soFar.limit({ limitMs: 70_000 }, [sizes]).limitMs;
    expect(limit(4, 4)).toBe(70_000);
    soFar.took(6000, [
      [4, 8],
      [8, 4],
    ]);
    soFar.took(100, [[1, 1]]);
    expect(limit(8, 8)).toBe(48_000);
    expect(limit(8, 9)).toBe(70_000);
  });
});

describe("a sample that is longer than those before", () => {
  afterEach(() => void vi.useRealTimers());

  /** Answers after a second for each number of a sample, one sample an answer. */
  function engine(): LiveEngine {
    let alive = true;
    const channel: Channel = {
      get alive() {
        return alive;
      },
      call: (request: EngineRequest, signal?: AbortSignal) =>
        new Promise<never>((resolve, reject) => {
          const first = "samples" in request ? request.samples[0] : undefined;
          const ms = 1000 * (first?.feeds?.x?.data.length ?? 0);
          const reduced = ms > 5000 ? [] : null;
          const answer = { outputs: [{}], ms, done: 1, waiting: 0, reduced };
          setTimeout(() => resolve(answer as never), ms);
          signal?.addEventListener("abort", () => {
            alive = false;
            reject(new Error("It was ended."));
          });
        }),
      dispose: async () => {},
    };
    const name = { target: "cpu", engine: "said" } as const;
    return new LiveEngine(
      name,
      channel,
      async () => channel,
      60_000,
      () => {},
    );
  }

  const feeds = [1, 2, 20].map((length): Tensors => ({
    x: { type: "float32", dims: [length], data: new Float32Array(length) },
  }));
  const info = async (index: number) => ({ id: String(index), group: null, label: null });
  const samples: SampleSet = {
    size: feeds.length,
    labelled: false,
    info,
    sample: async (index) => ({ ...(await info(index)), feeds: feeds[index] ?? {} }),
  };

  it("is waited for", async () => {
    vi.useFakeTimers();
    const runs = new SampleRuns(engine(), new ResidentSamples(2 ** 20), 1, samples, 1);
    const ran = runs.run([0, 1, 2], () => {}, {});
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await ran).toBe(3);
  });

  it("is waited for where answers are reduced", async () => {
    vi.useFakeTimers();
    async function* each() {
      // A message carries one of them.
      const data = new Uint8Array(2 ** 20);
      const other = { type: "uint8", dims: [data.length], data } as const;
      for (const one of feeds) yield { ...one, other };
    }
    const reduced = reduceSamples(engine(), { id: 1, reduction: 1 }, each(), [], {});
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await reduced).toEqual([]);
  });
});

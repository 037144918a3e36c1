import type { Measurement } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accept } from "./accept.js";
import { compareLatency, rank } from "./choose.js";

interface Facts {
  readonly ratio: number | null;
  readonly spread?: number;
  readonly brotli: number;
  readonly drop?: number;
}

function measured({ ratio, spread = 0.005, brotli, drop = 0 }: Facts): Measurement {
  return {
    target: "wasm",
    engine: "an engine",
    sizeBytes: { raw: brotli, gzip: brotli, brotli },
    accuracy: {
      metric: "top1",
      direction: "higher",
      value: 0.99 - drop,
      interval: [0, 1],
      n: 200,
      drop,
      dropInterval: null,
      flips: null,
      measuredOn: "wasm",
    },
    parity: null,
    latencyMs:
      ratio === null
        ? { unmeasured: "a software GPU" }
        : {
            p50: 10 * ratio,
            p90: 11 * ratio,
            p99: null,
            n: 100,
            method: "",
            ratio,
            ratioInterval: [ratio * (1 - spread), ratio * (1 + spread)],
          },
    memoryBytes: null,
    startupMs: null,
  };
}

const contender = (name: string, facts: Facts) => ({ name, measurement: measured(facts) });
const rule = { maxDrop: 0.01, prefer: "latency", evidence: "labelled" } as const;

describe("the rule of choice", () => {
  it("takes the lowest latency", () => {
    const ranked = rank(
      [
        contender("float", { ratio: 1, brotli: 300 }),
        contender("int8", { ratio: 0.6, brotli: 400 }),
      ],
      "latency",
    );
    expect(ranked.map(({ name }) => name)).toEqual(["int8", "float"]);
  });

  it("takes the smaller one where two lie within ±2 %", () => {
    const ranked = rank(
      [
        contender("float", { ratio: 1, brotli: 300 }),
        contender("weights", { ratio: 1.005, brotli: 100 }),
      ],
      "latency",
    );
    expect(ranked[0]?.name).toBe("weights");
  });

  it("takes the smaller one where they stay inconclusive", () => {
    const wide = { spread: 0.1 };
    const ranked = rank(
      [
        contender("float", { ratio: 0.97, brotli: 300, ...wide }),
        contender("weights", { ratio: 1, brotli: 100, ...wide }),
      ],
      "latency",
    );
    expect(ranked[0]?.name).toBe("weights");
  });

  it("goes by size where size is preferred, and where nothing was timed", () => {
    const fast = contender("fast", { ratio: 0.5, brotli: 300 });
    const small = contender("small", { ratio: 2, brotli: 100 });
    expect(rank([fast, small], "size")[0]).toBe(small);
    expect(
      rank(
        [contender("a", { ratio: null, brotli: 2 }), contender("b", { ratio: null, brotli: 1 })],
        "latency",
      )[0]?.name,
    ).toBe("b");
  });

  it("never depends on the order of the candidates, and never prefers what is both slower and larger", () => {
    const facts = fc.record({
      ratio: fc.double({ min: 0.2, max: 3, noNaN: true }),
      brotli: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(facts, { minLength: 1, maxLength: 8, selector: ({ brotli }) => brotli }),
        (all) => {
          const contenders = all.map((one, index) => contender(String(index), one));
          const best = rank(contenders, "latency")[0];
          expect(rank(contenders.toReversed(), "latency")[0]).toBe(best);
          for (const other of contenders) {
            const dominated =
              best !== undefined &&
              compareLatency(other.measurement, best.measurement) === "faster" &&
              other.measurement.sizeBytes.brotli < best.measurement.sizeBytes.brotli;
            expect(dominated).toBe(false);
          }
        },
      ),
    );
  });
});

describe("accepting a step", () => {
  const float = measured({ ratio: 1, brotli: 300 });

  it("reverts what breaks the accuracy budget, with its drop", () => {
    const verdict = accept(measured({ ratio: 0.5, brotli: 100, drop: 0.2 }), float, "int8", rule);
    expect(verdict).toEqual({
      accepted: false,
      reason: expect.stringMatching(/drop 0\.2 on 200.*over the allowed 0\.01/),
    });
  });

  it("allows a drop of exactly the budget, whatever binary makes of it", () => {
    const drop = 0.995 - 0.985;
    expect(drop).toBeGreaterThan(0.01);
    expect(accept(measured({ ratio: 0.5, brotli: 100, drop }), float, "int8", rule).accepted).toBe(
      true,
    );
  });

  it("reverts what is slower, unless size is what counts", () => {
    const slower = measured({ ratio: 1.4, brotli: 100 });
    expect(accept(slower, float, "int8", rule)).toMatchObject({
      accepted: false,
      reason: expect.stringMatching(/^slower: .*1\.4×/),
    });
    expect(accept(slower, float, "int8", { ...rule, prefer: "size" }).accepted).toBe(true);
  });

  it("keeps what is as fast and smaller, and reverts what gains nothing", () => {
    expect(accept(measured({ ratio: 1, brotli: 100 }), float, "int8-weights", rule).accepted).toBe(
      true,
    );
    expect(accept(measured({ ratio: 1, brotli: 300 }), float, "int8-weights", rule)).toMatchObject({
      accepted: false,
      reason: expect.stringMatching(/^gains nothing/),
    });
  });

  it("turns down a GPU engine that answers otherwise than the CPU engine where accuracy was the CPU's", () => {
    const candidate = measured({ ratio: null, brotli: 100 });
    const { accuracy } = candidate;
    const onCpu: Measurement = {
      ...candidate,
      target: "webgpu",
      accuracy: accuracy && { ...accuracy, measuredOn: "cpu" },
      parity: { n: 16, maxError: 1, flips: 4 },
    };
    expect(accept(onCpu, float, "int8-weights", rule)).toMatchObject({
      accepted: false,
      reason: expect.stringMatching(/disagrees with the CPU engine/),
    });
  });
});

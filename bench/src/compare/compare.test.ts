import { readFile } from "node:fs/promises";
import {
  onnxArtifact,
  type Measurement,
  type Artifact,
  PareError,
  type SampleSet,
} from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineHost } from "../engines/host.js";
import { openNodeChannel } from "../engines/node-channel.js";
import { createScorer } from "../metrics/scorer.js";
import { toJUnit } from "../report/junit.js";
import { toMarkdown } from "../report/markdown.js";
import { seeded } from "../statistics/random.js";
import { compare, type CompareRequest } from "./compare.js";
import { checkAccuracy, checkLatencies, checkSize } from "./gate.js";

const image: SampleSet = {
  size: 60,
  labelled: false,
  info: async (index) => ({ id: `digit-${index}`, label: null, group: null }),
  async sample(index) {
    const random = seeded(index);
    const data = Float32Array.from({ length: 784 }, () => (random() < 0.2 ? random() : 0));
    return {
      id: `digit-${index}`,
      label: null,
      group: null,
      feeds: { x: { type: "float32", dims: [1, 1, 28, 28], data } },
    };
  },
};

describe("compare", () => {
  let host: EngineHost;
  let good: Artifact;
  let worse: Artifact;
  beforeAll(async () => {
    host = await EngineHost.start("cpu", () => openNodeChannel("cpu"));
    const bytes = await readFile(
      new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url),
    );
    good = onnxArtifact(bytes);
    const changed = Uint8Array.from(bytes, (byte, at) =>
      at >= 120_000 && at < 200_000 ? byte ^ 0x80 : byte,
    );
    worse = onnxArtifact(changed);
  }, 60_000);
  afterAll(() => host.dispose());

  function request(candidate: Artifact): CompareRequest {
    const model = { parameters: 80_000, macs: null };
    return {
      hosts: new Map([["cpu", host]]),
      samples: image,
      splits: {
        calibration: [],
        validation: [],
        test: Array.from({ length: 60 }, (_, index) => index),
      },
      scorer: createScorer("top1-agreement", false),
      seed: 1,
      baseline: { name: "before", artifactFor: async () => good, ...model },
      candidates: [{ name: "after", artifactFor: async () => candidate, ...model }],
      targets: ["cpu"],
      evidence: "unlabelled",
      gate: () => ({}),
      context: {
        command: "pare bench",
        createdAt: "2026-11-25T00:00:00Z",
        environment: {},
        shapes: {},
        data: { source: "noise", calibration: 0, validation: 0, test: 60, seed: 1, caveat: null },
        nextStep: null,
        skipped: [],
      },
    };
  }

  it("passes a model that equals its baseline, having measured it all the same", async () => {
    const { report, passed, missed } = await compare(request(good));
    expect(missed).toEqual([]);
    expect(passed).toBe(true);
    expect(report.variants[0]?.latencyMs).toHaveProperty("ratioInterval", [
      expect.any(Number),
      expect.any(Number),
    ]);
    expect(report.variants[0]?.accuracy).toMatchObject({ drop: 0, n: 60 });
    expect(report.checks?.map(({ what }) => what)).toEqual(["accuracy", "latency", "size"]);
    expect(report.disagreements).toEqual([]);
  });

  it("misses a model that got worse, names the flipped samples and shows them", async () => {
    const { report, passed, missed } = await compare(request(worse));
    expect(passed).toBe(false);
    expect(missed.map(({ what }) => what)).toContain("accuracy");
    const flipped = report.variants[0]?.accuracy?.flips?.samples ?? [];
    expect(flipped.length).toBeGreaterThan(0);
    expect(toMarkdown(report)).toContain(flipped[0]);
    expect(toJUnit(report)).toMatch(new RegExp(`<failure[^>]*>[^<]*${flipped[0]}`));
    expect(report.disagreements[0]).toMatchObject({
      sample: flipped[0],
      float: expect.stringMatching(/^class \d$/),
      thumbnail: expect.stringMatching(/^data:image\/png;base64,/),
    });
    expect(report.disagreements[0]?.candidate).not.toBe(report.disagreements[0]?.float);
  });

  it("holds each target to its own budgets", async () => {
    const gate: CompareRequest["gate"] = (_, target) =>
      target === "cpu" ? { maxDrop: 1, maxSizeBytes: 1000, maxLatencyMs: 1e4 } : {};
    const { missed, report } = await compare({ ...request(worse), gate });
    expect(missed.map(({ what, reason }) => [what, reason])).toEqual([
      ["size", "322 kB; 1.00 kB are allowed."],
    ]);
    expect(report.checks?.map(({ what }) => what)).toEqual([
      "accuracy",
      "latency",
      "latency",
      "size",
      "size",
    ]);
  });

  it("misses a file that its engine refuses, and says what the engine said", async () => {
    const { passed, missed } = await compare(request(onnxArtifact(new Uint8Array(64).fill(9))));
    expect(passed).toBe(false);
    expect(missed).toMatchObject([
      { what: "loads", name: "after", reason: expect.stringMatching(/refused the model/) },
    ]);
  });

  it("misses a candidate whose answers the labels do not fit, and goes on to the next", async () => {
    const scorer = createScorer("top1-agreement", false);
    const asked = request(good);
    const [model] = asked.candidates;
    const fewer = { name: "fewer", artifactFor: async () => worse };
    let isFewer = false;
    const { missed, report } = await compare({
      ...asked,
      candidates: model ? [{ ...model, ...fewer }, model] : [],
      onMeasure: (about) => void (isFewer = about.model === "fewer"),
      scorer: {
        ...scorer,
        keep: async (...said) => {
          if (isFewer) throw new PareError("LABELS", "The metric needs classes from 0 to 3.");
          return scorer.keep(...said);
        },
      },
    });
    expect(missed).toMatchObject([
      { name: "fewer", what: "accuracy", reason: expect.stringContaining("classes from 0 to 3") },
    ]);
    expect(report.variants).toMatchObject([{ name: "after" }]);
  });

  describe("a candidate that runs out of memory", () => {
    /** @param loads of the worse file for which there is room */
    async function compareWithRoomFor(loads: number, gate: CompareRequest["gate"]) {
      let room = loads;
      const small = await EngineHost.start("cpu", async () => {
        const channel = await openNodeChannel("cpu");
        return {
          get alive() {
            return channel.alive;
          },
          dispose: () => channel.dispose(),
          call: (asked, signal) => {
            if ("artifact" in asked && asked.artifact === worse && room-- <= 0)
              throw new PareError("NO_MEMORY", "There is no room for it.");
            return channel.call(asked, signal);
          },
        };
      });
      try {
        return await compare({ ...request(worse), hosts: new Map([["cpu", small]]), gate });
      } finally {
        await small.dispose();
      }
    }
    const missedForIt = [{ what: "loads", name: "after", reason: "There is no room for it." }];

    it("is missed", async () => {
      const { missed, report } = await compareWithRoomFor(0, null);
      expect(missed).toMatchObject(missedForIt);
      expect(report.variants).toEqual([]);
    });

    it("is missed where that shows when it is timed again", async () => {
      const { missed } = await compareWithRoomFor(2, () => ({ maxSlowdown: -1 }));
      expect(missed).toMatchObject(missedForIt);
    });

    it("keeps what was measured where only its disagreements cannot be shown", async () => {
      const { passed, report } = await compareWithRoomFor(2, null);
      expect(passed).toBe(true);
      expect(report.variants[0]?.accuracy?.flips?.count).toBeGreaterThan(0);
      expect(report.disagreements).toEqual([]);
    });
  });
});

const outcomes = (...all: Measurement[]) =>
  checkLatencies(all.map((measurement) => ({ measurement, gate: {} }))).map(
    (checks) => checks[0]?.outcome,
  );

describe("the gate", () => {
  const base: Measurement = {
    target: "cpu",
    engine: "e",
    sizeBytes: { raw: 1000, gzip: 900, brotli: 800 },
    accuracy: {
      metric: "top1",
      direction: "higher",
      value: 0.9,
      interval: [0.8, 0.95],
      n: 100,
      drop: 0.02,
      dropInterval: [-0.01, 0.05],
      flips: null,
      measuredOn: "cpu",
    },
    parity: null,
    latencyMs: {
      p50: 1,
      p90: 1,
      p99: null,
      n: 100,
      method: "",
      ratio: 1.1,
      ratioInterval: [1.05, 1.15],
    },
    memoryBytes: null,
    startupMs: null,
  };
  const withRatio = (ratio: number, low: number, high: number): Measurement => ({
    ...base,
    latencyMs: { p50: 1, p90: 1, p99: null, n: 100, method: "", ratio, ratioInterval: [low, high] },
  });

  it("misses accuracy only when the whole interval lies above what is allowed", () => {
    expect(checkAccuracy(base, {})[0]?.outcome).toBe("inconclusive");
    expect(checkAccuracy(base, { maxDrop: 0.02 })[0]?.outcome).toBe("passed");
    const accuracy = base.accuracy && { ...base.accuracy, dropInterval: [0.001, 0.05] as const };
    expect(checkAccuracy({ ...base, accuracy }, {})[0]?.outcome).toBe("missed");
  });

  it("goes by the drop where too few samples differ for an interval, and shows none", () => {
    const accuracy = base.accuracy && { ...base.accuracy, dropInterval: null };
    expect(checkAccuracy({ ...base, accuracy }, { maxDrop: 0.02 })).toMatchObject([
      { outcome: "passed", reason: expect.stringMatching(/^top1 dropped by 0\.02\S* on 100/) },
    ]);
    expect(checkAccuracy({ ...base, accuracy }, {})[0]?.outcome).toBe("missed");
  });

  it("says of an error that it rose", () => {
    const accuracy = base.accuracy && {
      ...base.accuracy,
      metric: "mse",
      direction: "lower" as const,
    };
    expect(checkAccuracy({ ...base, accuracy }, {})[0]?.reason).toMatch(/^mse rose by 0\.02/);
  });

  it("misses latency only above two percent, surely", () => {
    expect(outcomes(base)).toEqual(["missed"]);
    expect(outcomes(withRatio(1.01, 0.99, 1.015))).toEqual(["passed"]);
    expect(outcomes(withRatio(1.04, 0.99, 1.08))).toEqual(["inconclusive"]);
    const allowed = { measurement: base, gate: { maxSlowdown: 0.2 } };
    expect(checkLatencies([allowed])[0]?.[0]?.outcome).toBe("passed");
  });

  it("takes one slowdown among many for chance, and a clear one not", () => {
    const same = withRatio(1, 0.99, 1.01);
    const hardly = withRatio(1.0355, 1.0203, 1.0508);
    expect(outcomes(hardly)).toEqual(["missed"]);
    const among = outcomes(...Array.from({ length: 30 }, () => same), hardly, base);
    expect(among.slice(30)).toEqual(["inconclusive", "missed"]);
  });

  it("has no tolerance for bytes unless told", () => {
    const larger = { ...base.sizeBytes, raw: 1001 };
    expect(checkSize(larger, base.sizeBytes, {})[0]?.outcome).toBe("missed");
    expect(checkSize(larger, base.sizeBytes, { maxGrowthBytes: 1 })[0]?.outcome).toBe("passed");
  });

  it("limits the bytes of the files as they are, and not what is downloaded", () => {
    const outcome = (maxSizeBytes: number) =>
      checkSize(base.sizeBytes, base.sizeBytes, { maxSizeBytes })[1]?.outcome;
    expect([outcome(999), outcome(1000)]).toEqual(["missed", "passed"]);
  });

  it("limits the median, and cannot say of what was not timed", () => {
    const outcome = (measurement: Measurement) =>
      checkLatencies([{ measurement, gate: { maxLatencyMs: 0.5 } }])[0]?.at(-1)?.outcome;
    expect(outcome(base)).toBe("missed");
    expect(outcome({ ...base, latencyMs: { unmeasured: "a software GPU" } })).toBe("inconclusive");
  });
});

import type { Latency, Report, ReportRow } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { summaryText } from "./summary.js";

function latency(ratio: number, ratioInterval: [number, number]): Latency {
  return { p50: 12.345, p90: 13, p99: null, ratio, ratioInterval, method: "in blocks", n: 10 };
}

function row(latencyMs: ReportRow["latencyMs"], drop: number): Report["variants"][number] {
  return {
    name: "cpu-int8",
    precision: "int8",
    file: "f",
    target: "cpu",
    engine: "engine 1",
    evidence: "labelled",
    sizeBytes: { raw: 9, gzip: 9, brotli: 9 },
    parameters: 1,
    macs: 1,
    accuracy: {
      metric: "top1",
      direction: "higher",
      value: 0.5,
      n: 10,
      measuredOn: "cpu",
      interval: [0, 1],
      drop,
      dropInterval: [0, 0],
      flips: null,
    },
    parity: null,
    latencyMs,
    memoryBytes: null,
    startupMs: null,
    baseline: null,
  };
}

function summary(...variants: Report["variants"][number][]): string {
  return summaryText(reportOf(...variants));
}

function reportOf(...variants: Report["variants"][number][]): Report {
  return {
    formatVersion: 1,
    model: "m.onnx",
    command: "pare",
    createdAt: "2026-01-01T00:00:00.000Z",
    environment: {},
    shapes: {},
    data: { source: null, calibration: 0, validation: 0, test: 0, seed: 0, caveat: null },
    disagreements: [],
    nextStep: null,
    float: null,
    variants,
    steps: [],
    candidates: [],
    skipped: [],
    why: [],
  };
}

describe("the summary", () => {
  it("says once why no flips are counted", () => {
    const each = row({ unmeasured: "m" }, 0);
    const accuracy = each.accuracy && { ...each.accuracy, noFlips: "No flips: boxes." };
    const text = summary({ ...each, accuracy }, { ...each, accuracy });
    expect(text.match(/No flips: boxes\./g)).toHaveLength(1);
    expect(summaryText(reportOf({ ...each, accuracy }), { quiet: true })).not.toContain("note:");
  });

  it.each([
    [0.5, [0.4, 0.6], "12.3 ms, 2.00× faster"],
    [1.5, [1.4, 1.6], "12.3 ms, 1.50× slower"],
    [1.002, [0.99, 1.01], "12.3 ms, as fast"],
    [1.05, [0.59, 1.85], "12.3 ms, 1.05× slower, not decided"],
  ] as const)("says how a ratio of %f is to be read", (ratio, [low, high], expected) => {
    expect(summary(row(latency(ratio, [low, high]), 0)).trimEnd()).toMatch(
      new RegExp(`${expected}$`),
    );
  });

  it("gives a change its sign, and none to no change", () => {
    const timed = latency(1, [1, 1]);
    expect(summary(row(timed, 0.0125))).toContain(" −0.0125 ");
    expect(summary(row(timed, -0.0125))).toContain(" +0.0125 ");
    expect(summary(row(timed, 1e-9))).toContain(" ±0.0000 ");
  });
});

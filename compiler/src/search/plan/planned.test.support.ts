import type { Gain } from "../../targets/gains.js";
import type { Planned } from "../candidate.js";
import type { TargetFacts } from "./costs.js";

/** A model of 10 MB at 20 ms a run on the CPU engine. */
export const facts: TargetFacts = {
  target: "cpu",
  loadMs: 10,
  runMs: 20,
  sampleMs: 25,
  shared: 1,
  answerMs: 25,
  asked: 16,
  timed: true,
  saturates: false,
  bytes: 10e6,
  layers: 40,
  startMs: 200,
  decidesEarly: true,
  tellingSamples: 100,
  validation: 200,
  test: 400,
  paritySampleMs: 20,
};

/** A way to a file of one step. */
export function way(
  target: "cpu" | "wasm",
  name: string,
  use: string,
  expected: Gain,
  extraMs = 0,
): Planned {
  return {
    target,
    name,
    precision: "int8",
    group: { steps: [{ use }], required: false },
    session: {},
    first: false,
    needsData: use === "quantize-static",
    calibrates: use === "quantize-static",
    asBefore: false,
    expected,
    prefer: "latency",
    learningRuns: 0,
    extraMs,
  };
}

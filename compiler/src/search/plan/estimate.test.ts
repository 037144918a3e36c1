import type { TargetName } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import type { Gain } from "../../targets/gains.js";
import type { Planned } from "../candidate.js";
import type { Counts, TargetFacts } from "./costs.js";
import { Estimate } from "./estimate.js";
import { facts, way } from "./planned.test.support.js";

const counts: ReadonlyMap<TargetName, Counts> = new Map([["cpu", { validation: 200, test: 400 }]]);
const holds: Gain = { latency: 0.6, latencySpread: 0.1, size: 0.3, accepted: 1 };
const mayLose: Gain = { ...holds, accepted: 0.4 };

describe("an estimate", () => {
  it("counts calibrating once, and no more when it was done", () => {
    const estimate = new Estimate([facts], counts, 100);
    const [one, other] = [
      way("cpu", "int8-static", "quantize-static", holds),
      way("cpu", "int8-mixed", "quantize-static", holds),
    ];
    const alone = estimate.candidateMs(one) + estimate.candidateMs(other);
    // A run whose activations are looked at takes more than twice as long.
    expect(alone - estimate.candidatesMs([one, other])).toBeCloseTo(100 * 44, 3);
    // What asks something else of activations has them observed anew.
    const byError = way("cpu", "int8-static-mse", "quantize-static", holds);
    const apart = {
      ...byError,
      group: { ...byError.group, steps: [{ use: "quantize-static", with: { ranges: "mse" } }] },
    };
    const both = estimate.candidateMs(one) + estimate.candidateMs(apart);
    expect(estimate.candidatesMs([one, apart])).toBeCloseTo(both, 6);
    estimate.note(one, estimate.candidateMs(one), 0.6, false);
    expect(estimate.candidateMs(other)).toBeLessThan(alone / 2 - 1000);
    expect(estimate.candidateMs(apart)).toBeCloseTo(alone / 2, 6);
  });

  it("follows what candidates took, but for what an earlier run knew", () => {
    const estimate = new Estimate([facts], counts, 0);
    const one = way("cpu", "int8-weights", "quantize-weights", holds);
    const before = estimate.candidateMs(one);
    estimate.note(one, 0.15 * before, 0.6, false);
    expect(estimate.candidateMs(one)).toBeCloseTo(before, 6);
    estimate.note(one, 2 * before, 0.6, false);
    expect(estimate.candidateMs(one)).toBeCloseTo(1.3 * before, 6);
  });

  it("counts learning once for all targets, by what it took, and no more when it was done", () => {
    const both = new Map([...counts, ["wasm", { validation: 200, test: 400 }]] as const);
    const wasm: TargetFacts = { ...facts, target: "wasm" };
    const taught = (target: "cpu" | "wasm", learningRuns: number, use: string) => ({
      ...way(target, "taught", use, holds),
      learningRuns,
    });
    const estimateMs = (learningRuns: number): number =>
      new Estimate([facts, wasm], both, 0).candidatesMs([
        taught("cpu", learningRuns, "distill"),
        taught("wasm", learningRuns, "distill"),
      ]);
    expect(estimateMs(1000) - estimateMs(0)).toBeCloseTo(1000 * facts.runMs, 3);
    const estimate = new Estimate([facts, wasm], both, 0);
    const [one, other] = [taught("cpu", 1000, "distill"), taught("wasm", 1000, "distill")];
    const later = taught("cpu", 500, "equalize");
    const plainMs = (planned: Planned): number =>
      estimate.candidateMs({ ...planned, learningRuns: 0 });
    expect(estimate.soundMs([one])).toBeGreaterThan(1000 * facts.runMs);
    estimate.learned(one, 2 * 1000 * facts.runMs);
    expect(estimate.candidateMs(other)).toBeCloseTo(plainMs(other), 3);
    expect(estimate.candidateMs(later) - plainMs(later)).toBeCloseTo(2 * 500 * facts.runMs, 3);
  });

  it("is on the safe side where a static file may lose, and then leaves layers float", () => {
    const searchMs = (gain: Gain): number => {
      const planned = [way("cpu", "int8-static", "quantize-static", gain)];
      return new Estimate([facts], counts, 0).searchMs(planned);
    };
    const candidatesMs = new Estimate([facts], counts, 0).candidatesMs([
      way("cpu", "int8-static", "quantize-static", holds),
    ]);
    expect(searchMs(holds)).toBeGreaterThan(candidatesMs);
    expect(searchMs(mayLose)).toBeGreaterThan(searchMs(holds) + 1000);
    // What is no faster is not tried with layers left float.
    expect(searchMs({ ...mayLose, latency: 2 })).toBeLessThan(searchMs(mayLose));
    const besideMs = (gain: Gain): number => {
      const other = way("cpu", "int8-dynamic", "quantize-dynamic", gain);
      const planned = [way("cpu", "int8-static", "quantize-static", mayLose), other];
      return new Estimate([facts], counts, 0).searchMs(planned);
    };
    const quick = { ...holds, latency: 0.3 };
    expect(besideMs(quick)).toBeLessThan(besideMs({ ...quick, accepted: 0.4 }) - 1000);
  });

  it("expects a second look where what holds on few samples may fail on others", () => {
    const searchMs = (decidesEarly: boolean, use: string): number => {
      const planned = [way("cpu", "int8", use, holds)];
      return new Estimate([{ ...facts, decidesEarly }], counts, 0).searchMs(planned);
    };
    const laterMs = (use: string): number => searchMs(false, use) - searchMs(true, use);
    const testMs = 400 * facts.sampleMs;
    expect(laterMs("quantize-static") - laterMs("quantize-weights")).toBeGreaterThan(testMs / 3);
  });

  it("finds sensitive layers on another engine where its own saturates", () => {
    const wasm: TargetFacts = { ...facts, target: "wasm", runMs: 5, sampleMs: 6 };
    const both = new Map([...counts, ["wasm", { validation: 200, test: 400 }]] as const);
    const planned = [way("cpu", "int8-static", "quantize-static", mayLose)];
    const searchMs = (other: TargetFacts): number =>
      new Estimate([facts, other], both, 0).searchMs(planned);
    expect(searchMs(wasm)).toBeLessThan(searchMs({ ...wasm, saturates: true }));
  });

  it("counts what engines share by what it comes to for all of them", () => {
    const both = new Map([...counts, ["wasm", { validation: 200, test: 400 }]] as const);
    const wasm: TargetFacts = { ...facts, target: "wasm" };
    const sharing = (one: TargetFacts): TargetFacts => ({ ...one, shared: 2, answerMs: 12.5 });
    const [alone, beside, shared] = [
      new Estimate([facts], counts, 0),
      new Estimate([facts, wasm], both, 0),
      new Estimate([sharing(facts), sharing(wasm)], both, 0),
    ];
    const testMs = (one: Estimate): number => one.endingMs() - one.endingMs(allKnown);
    const allKnown = () => ({ floatIsKnown: true, bestIsKnown: true });
    // A target more costs nothing beside another one, unless that has all processors already.
    expect(testMs(beside)).toBeCloseTo(testMs(alone), 6);
    expect(testMs(shared)).toBeCloseTo(testMs(alone), 6);
    const way8 = way("cpu", "int8-weights", "quantize-weights", holds);
    expect(shared.candidateMs(way8)).toBeLessThan(beside.candidateMs(way8));
    expect(shared.samplesMs("cpu", 100)).toBeCloseTo(alone.samplesMs("cpu", 100) / 2, 6);
  });

  it("takes what many samples took for what few told, where that is less", () => {
    const estimate = new Estimate([{ ...facts, sampleMs: 60, answerMs: 30, shared: 2 }], counts, 0);
    const before = estimate.floatMs();
    estimate.answered("cpu", 40, true);
    expect(estimate.floatMs()).toBe(before);
    estimate.answered("cpu", 15, true);
    expect(estimate.floatMs()).toBeCloseTo(before / 2, 6);
    // No less than a run.
    estimate.answered("cpu", 1, true);
    expect(estimate.floatMs()).toBeCloseTo(200 * (facts.runMs / 2), 6);
  });
});

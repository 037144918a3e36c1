import {
  type Artifact,
  artifactIdentity,
  goldenInputs,
  onnxArtifact,
  PareError,
  type TargetName,
  type Tensors,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import { GoldenRecorder } from "../bundle/record-golden.js";
import type { Examples } from "../pipeline/examples.js";
import { checkLock, parseLock } from "./lock.js";
import { screeningLimits } from "./plan/costs.js";
import { optimize } from "./optimize.js";
import { replay } from "./replay.js";
import { Tensor } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import type { Optimized, OptimizeRequest, TargetDevice } from "./request.js";
import { bytesOf, device, original, requestFor } from "./search-request.test.support.js";
import { type Said, type Simulated, simulatedMeasure } from "./simulated-measure.test.support.js";

const isSmall = (artifact: Artifact | undefined): boolean =>
  bytesOf(artifact) < 0.4 * bytesOf(original);
const saying = (judge: (artifact: Artifact) => Said | PareError): Simulated =>
  simulatedMeasure((artifact) => judge(artifact));

describe("optimize", () => {
  it("takes the fastest of what keeps the budget, and says why not the others", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const { variants, candidates, steps } = await optimize(await requestFor(measure));
    expect(variants).toHaveLength(1);
    expect(isSmall(variants[0]?.artifact)).toBe(true);
    expect(candidates.filter(({ verdict }) => verdict === "chosen")).toHaveLength(1);
    const chosen = candidates.find(({ verdict }) => verdict === "chosen");
    expect(chosen?.reason).toMatch(
      /top1 .* drop .* \[.*\] on 2000.*; next to the model as it was: 0\.5× the latency \[.*\], \d+ % of the download/,
    );
    // As the search saw it, on other samples than those that it was published on.
    expect(chosen?.measurement?.accuracy?.n).toBe(2000);
    expect(chosen?.searched?.accuracy?.n).toBe(400);
    expect(candidates.filter(({ searched }) => searched !== undefined)).toEqual([chosen]);
    // In numbers: of time, of size, or of the drop, with its interval.
    for (const { reason, name } of candidates)
      expect(`${name}: ${reason}`).toMatch(
        /\d× the latency \[|\d % of (the download|its bytes)|drop [\d.-]+ \[|it makes the same file as|it cannot be made/,
      );
    expect(steps[0]).toMatchObject({ name: "simplify", verdict: "kept" });
    const names = candidates.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("proposes float32 of what computes in float64, for engines, and nothing of the kind else", async () => {
    const data = Float64Array.from({ length: 7840 }, (_, at) => Math.sin(at));
    const graph = () =>
      graphOf({ x: ["float64", 1, 784] }, (input, { add, editor }) => ({
        y: add("MatMul", [input("x"), editor.constant("w", Tensor.of("float64", [784, 10], data))]),
      }));
    const devices = [device("cpu"), device("aot")];
    const proposed = async (more: Partial<OptimizeRequest>): Promise<readonly string[]> => {
      const request = await requestFor(
        saying(() => ({})),
        { devices, evidence: "none", ...more },
      );
      const { candidates } = await optimize(request);
      return candidates.flatMap(({ name, target }) => (name === "fp32" ? target : []));
    };
    expect(await proposed({ graph: graph() })).toEqual(["cpu"]);
    expect(await proposed({})).toEqual([]);
  });

  it("goes by medians where latency has a limit, not by first runs", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const slowAtFirst: Simulated = {
      ...measure,
      get spentMs() {
        return measure.spentMs;
      },
      async tryOut(ask) {
        const { loadMs, runMs } = await measure.tryOut(ask);
        return { loadMs, runMs: isSmall(ask.artifact) ? 4 * runMs : runMs };
      },
    };
    const limited = async (maxLatencyMs: number): Promise<readonly string[]> => {
      const limits = () => ({ maxDrop: 0.01, maxLatencyMs });
      const budget = { limits, prefer: "latency", timeBudgetMs: 600_000 } as const;
      const { variants, missed } = await optimize(await requestFor(slowAtFirst, { budget }));
      expect(isSmall(variants[0]?.artifact)).toBe(true);
      return missed;
    };
    expect(await limited(0.6)).toEqual([]);
    expect(await limited(0.4)).toEqual([
      expect.stringMatching(/takes 0\.5 ms, over --max-latency/),
    ]);
  });

  it("reverts what loses too much, and writes the simplified float model when all does", async () => {
    const measure = saying((artifact) =>
      bytesOf(artifact) > 0.9 * bytesOf(original) ? {} : { drop: 0.3, ratio: 0.5 },
    );
    const { variants, steps } = await optimize(await requestFor(measure));
    expect(variants[0]).toMatchObject({ name: "float", precision: "float32" });
    const reverted = steps.filter(({ verdict }) => verdict === "reverted");
    expect(reverted.length).toBeGreaterThan(2);
    // A loss like that shows on a few samples.
    expect(reverted.some(({ reason }) => /drop 0\.3 .* on (16|50), surely over/.test(reason))).toBe(
      true,
    );
    expect(reverted.every(({ tried }) => tried !== undefined)).toBe(true);
  });

  describe("layers that are left float", () => {
    // "QuantizeLinear" as a string of 14 bytes: of activations, in static files.
    const quantizers = (artifact: Artifact): number =>
      artifact.files.reduce(
        (sum, { bytes }) =>
          sum + Buffer.from(bytes).toString("latin1").split("\x0eQuantizeLinear").length - 1,
        0,
      );
    const search = async (whole: Said, partly: Said, others: Said = {}): Promise<Optimized> => {
      let most = 0;
      const measure = saying((artifact) => {
        const count = quantizers(artifact);
        most = Math.max(most, count);
        if (count === 0) return bytesOf(artifact) < 0.5 * bytesOf(original) ? others : {};
        return count < most ? partly : whole;
      });
      const request = await requestFor(measure);
      const data = Float32Array.from({ length: 784 }, (_, at) => (at % 97) / 97);
      const feeds: Tensors = { x: { type: "float32", dims: [1, 1, 28, 28], data } };
      const examples: Examples = {
        executor: cpu(),
        count: 1,
        async *read() {
          yield { feeds, label: undefined };
        },
      };
      return optimize({ ...request, examples });
    };
    const partlyOf = ({ candidates }: Optimized): readonly string[] =>
      candidates.flatMap(({ name }) => (name.endsWith("-float") ? name : []));

    it("are no more where that is too slow with fewer", async () => {
      const lost = { ratio: 0.5, drop: 0.3 };
      expect(partlyOf(await search(lost, { ratio: 0.6, drop: 0.3 }))).toHaveLength(2);
      expect(partlyOf(await search(lost, { ratio: 1.5, drop: 0.3 }))).toHaveLength(1);
    });

    it("are tried of the best where it may fail, and taken where it does on the test samples", async () => {
      const partly = { ratio: 0.6, drop: 0 };
      const mayFail = await search({ ratio: 0.5, drop: 0.009, testDrop: 0.2 }, partly);
      expect(mayFail.variants[0]?.name).toMatch(/-1-float$/);
      const holds = await search({ ratio: 0.5, drop: 0.009 }, partly);
      expect(holds.variants[0]?.name).not.toMatch(/-float$/);
      expect(partlyOf(holds)).toHaveLength(1);
      const sure = await search({ ratio: 0.5, drop: -0.2 }, partly);
      expect(partlyOf(sure)).toEqual([]);
      // Something else is there that takes about as long.
      const other = { ratio: 0.53, drop: 0 };
      const stoodIn = await search({ ratio: 0.5, drop: 0.009, testDrop: 0.2 }, partly, other);
      expect(partlyOf(stoodIn)).toEqual([]);
      expect(stoodIn.variants[0]?.name).toMatch(/^int8-(weights|dynamic)$/);
    });
  });

  it("decides candidates of two targets side by side, and times nothing meanwhile", async () => {
    const simulated = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    let deciding = 0;
    let most = 0;
    const meanwhile: string[] = [];
    const measure: Simulated = {
      ...simulated,
      async accuracy(request) {
        deciding += 1;
        if (request.split === "validation" && isSmall(request.artifact))
          most = Math.max(most, deciding);
        await new Promise((resolve) => setTimeout(resolve, 1));
        deciding -= 1;
        return simulated.accuracy(request);
      },
      async latency(request) {
        if (deciding > 0) meanwhile.push(request.target);
        return simulated.latency(request);
      },
    };
    const devices = [device("cpu"), device("wasm")];
    const { variants } = await optimize(await requestFor(measure, { devices }));
    expect(variants.map(({ artifact }) => isSmall(artifact))).toEqual([true, true]);
    expect(most).toBe(2);
    expect(meanwhile).toEqual([]);
  });

  it("looks at no sample of what is slower than the best so far", async () => {
    const slow = saying((artifact) => (isSmall(artifact) ? { ratio: 1.5 } : {}));
    const { steps } = await optimize(await requestFor(slow));
    const screened = steps.filter(({ tried }) => tried === "screened");
    expect(screened.length).toBeGreaterThan(2);
    expect(screened[0]?.reason).toMatch(/^slower than \S+: 1\.5× the latency/);
    const looked = slow.asked.filter(
      ({ what, artifacts: [one] }) => what === "accuracy" && isSmall(one),
    );
    expect(looked).toEqual([]);
  });

  it("looks at more samples than were planned only of what would win and is still open, as far as the time goes", async () => {
    const most = async (ratio: number, budgetMs: number): Promise<number> => {
      const measure = simulatedMeasure(
        (artifact) => (isSmall(artifact) ? { ratio, drop: 0.005 } : {}),
        { calibration: 4, validation: 400, test: 100 },
        { sampleMs: 100 },
      );
      const budget = {
        limits: () => ({ maxDrop: 0.01 }),
        prefer: "latency",
        timeBudgetMs: budgetMs,
      } as const;
      await optimize(await requestFor(measure, { budget }));
      const counts = measure.asked.flatMap(({ what, split, count = 0, artifacts: [one] }) =>
        what === "accuracy" && split === "validation" && isSmall(one) ? count : [],
      );
      return Math.max(...counts);
    };
    expect(await most(0.999, 120_000)).toBe(100);
    expect(await most(0.5, 60_000)).toBeLessThan(400);
    expect(await most(0.5, 240_000)).toBe(400);
  });

  it("looks at the test samples once per candidate, and takes the next where the best fails there", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5, testDrop: 0.2 } : {}));
    const { variants, candidates } = await optimize(await requestFor(measure));
    expect(isSmall(variants[0]?.artifact)).toBe(false);
    const failed = candidates.filter(({ reason }) =>
      reason.startsWith("best in the search, but on the test samples"),
    );
    expect(failed.length).toBeGreaterThan(0);
    const chosen = candidates.find(({ verdict }) => verdict === "chosen");
    expect(chosen?.reason).toContain(`taken after ${failed[0]?.name}`);
    const tested = await Promise.all(
      measure.asked
        .filter(({ what, split }) => what === "accuracy" && split === "test")
        .map(({ artifacts: [one] }) => artifactIdentity(one ?? original)),
    );
    expect(new Set(tested).size).toBe(tested.length);
  });

  it("comes back to what was turned down next to one that fails on the test samples", async () => {
    const fast = new Set<Artifact>();
    const measure = saying((artifact) => {
      if (!isSmall(artifact)) return {};
      if (fast.size === 0) fast.add(artifact);
      return fast.has(artifact) ? { ratio: 0.5, testDrop: 0.2 } : { ratio: 0.9 };
    });
    const { variants, candidates, steps } = await optimize(await requestFor(measure));
    const screened = steps.find(
      ({ tried, reason }) => tried === "screened" && /slower/.test(reason),
    );
    expect(screened).toBeDefined();
    expect(isSmall(variants[0]?.artifact)).toBe(true);
    const chosen = candidates.filter(({ name }) => name === variants[0]?.name);
    expect(chosen).toMatchObject([{ verdict: "chosen" }]);
    expect(chosen[0]?.reason).toMatch(/taken after \S+ failed/);
    expect(steps.at(-1)).toMatchObject({ verdict: "kept", tried: "decided" });
    expect(steps.at(-1)?.name).toMatch(/, after what was better failed$/);
  });

  it("has engines share samples before the plan, where there is much to run", async () => {
    const counts = { calibration: 4, validation: 100, test: 100 };
    const shared = async (sampleMs: number): Promise<number> => {
      const measure = simulatedMeasure(() => ({}), counts, { sampleMs });
      await optimize(await requestFor(measure));
      const asked = measure.asked.map(({ what }) => what);
      const at = asked.indexOf("shareSamples");
      expect(at).toBe(asked.lastIndexOf("shareSamples"));
      expect(at).toBeLessThan(asked.lastIndexOf("tryOut"));
      return at;
    };
    expect(await shared(20)).toBe(-1);
    expect(await shared(60)).toBeGreaterThan(0);
  });

  it("lets the simplified form take as long as the model as it is, where that took most of the time", async () => {
    const measure = saying(() => ({}));
    const limits: (number | undefined)[] = [];
    let takenMs = 0;
    const slow: Simulated = {
      ...measure,
      async tryOut(ask) {
        limits.push(ask.limitMs);
        takenMs += 10_000;
        return { ...(await measure.tryOut(ask)), loadMs: 1_000, runMs: 9_000 };
      },
    };
    const budget = {
      limits: () => ({ maxDrop: 0.01 }),
      prefer: "latency",
      timeBudgetMs: 15_000,
    } as const;
    const clock = { now: () => takenMs };
    await optimize(await requestFor(slow, { budget, clock }));
    expect(limits.slice(0, 2)).toEqual([15_000, 20_000]);
  });

  it("times no finalists again that an earlier run timed, and takes what that one took", async () => {
    const together = (measure: Simulated): number =>
      measure.asked.filter(({ what, artifacts }) => what === "latency" && artifacts.length > 2)
        .length;
    // Too far apart to be the same, and not surely so by the blocks of the search.
    const judge = (artifact: Artifact): Said =>
      isSmall(artifact)
        ? { ratio: 0.5 + (bytesOf(artifact) % 97) / 400, spread: 0.3 }
        : { spread: 0.3 };
    const measure = saying(judge);
    const first = await optimize(await requestFor(measure));
    expect(together(measure)).toBe(1);
    const again = saying((artifact) => ({ ...judge(artifact), ratio: 1 }));
    const remembering: Simulated = {
      ...again,
      get spentMs() {
        return again.spentMs;
      },
      async earlierLatency(request) {
        return measure.latency(request);
      },
    };
    const { variants } = await optimize(await requestFor(remembering));
    expect(together(again)).toBe(0);
    expect(variants[0]?.name).toBe(first.variants[0]?.name);
  });

  it("publishes times of blocks that took no part in choosing", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const { variants } = await optimize(await requestFor(measure));
    const times = measure.asked.filter(({ what }) => what === "latency");
    expect(times.at(-1)?.artifacts).toEqual([original, variants[0]?.artifact]);
    expect(variants[0]?.measurement.latencyMs).toMatchObject({ ratio: 0.5, method: "said" });
  });

  it("goes on where an engine refuses or crashes on a candidate", async () => {
    const measure = saying((artifact) =>
      isSmall(artifact) ? new PareError("ENGINE_CRASHED", "It ended.") : {},
    );
    const { variants, steps } = await optimize(await requestFor(measure));
    expect(variants).toHaveLength(1);
    expect(steps.some(({ reason }) => /the engine refuses it: It ended/.test(reason))).toBe(true);
  });

  it("tries nothing that does not fit into the time, and says what it would have been", async () => {
    const measure = saying(() => ({}));
    const summaries: unknown[] = [];
    let askedBefore = 0;
    const request = await requestFor(measure, {
      budget: { limits: () => ({ maxDrop: 0.01 }), prefer: "latency", timeBudgetMs: 1000 },
      onPlan: (plan) => {
        summaries.push(plan);
        askedBefore = measure.asked.length;
      },
    });
    const { candidates, variants } = await optimize(request);
    expect(summaries).toEqual([expect.objectContaining({ tooShort: true, budgetMs: 1000 })]);
    expect(variants[0]?.name).toBe("float");
    expect(candidates.find(({ name }) => name === "int8-static")?.reason).toMatch(
      /too little was left \(the cheapest sound plan takes \d+ s\)/,
    );
    // The time is up: the float model is known to hold, and its times are what a candidate would be screened by.
    const after = measure.asked.slice(askedBefore);
    expect(after.filter(({ split }) => split === "validation")).toEqual([]);
    expect(after.flatMap(({ limits = [] }) => limits)).toEqual([screeningLimits(1)]);
    const tested = measure.asked.filter(({ split }) => split === "test");
    expect(tested.every(({ count }) => count === 16)).toBe(true);
    const untried = candidates.filter(({ reason }) =>
      reason.startsWith("not tried: it takes about"),
    );
    expect(untried.length).toBeGreaterThan(3);
    for (const { reason } of untried)
      expect(reason).toMatch(/; expected at [\d.]+× the latency and \d+ % of the download$/);
    expect(
      untried.every(({ tried, expectedGain }) => tried === "not" && expectedGain),
    ).toBeTruthy();
  });

  it("says which budget no candidate met, and still gives the best", async () => {
    const measure = saying(() => ({}));
    const limits = () => ({ maxDrop: 0.01, maxSizeBytes: 1000 });
    const budget = { limits, prefer: "latency", timeBudgetMs: 600_000 } as const;
    const { missed, variants } = await optimize(await requestFor(measure, { budget }));
    expect(missed).toEqual([
      expect.stringMatching(/^cpu: of \S+: its files have \d+ bytes, over --max-size 1000/),
    ]);
    expect(variants).toHaveLength(1);
  });

  it("holds each target to its own limits", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5, drop: 0.05 } : {}));
    const limits = (target: TargetName) => ({ maxDrop: target === "cpu" ? 0.1 : 0.01 });
    const budget = { limits, prefer: "latency", timeBudgetMs: 600_000 } as const;
    const devices = [device("cpu"), device("wasm")];
    const { variants, lock } = await optimize(await requestFor(measure, { budget, devices }));
    expect(variants.map(({ artifact }) => isSmall(artifact))).toEqual([true, false]);
    expect(lock.targets.map(({ maxDrop }) => maxDrop)).toEqual([0.1, 0.01]);
  });

  it("keeps the simplified model only where it is no slower", async () => {
    const before = await artifactIdentity(original);
    const slower = new Set<Artifact>();
    const measure = simulatedMeasure((artifact) =>
      artifact === original ? {} : slower.has(artifact) ? { ratio: 1.5 } : { ratio: 1.5, drop: 1 },
    );
    const { variants, steps } = await optimize(await requestFor(measure));
    expect(steps[0]).toMatchObject({ name: "simplify", verdict: "reverted" });
    expect(await artifactIdentity(variants[0]?.artifact ?? onnxArtifact(new Uint8Array()))).toBe(
      before,
    );
  });

  it("hands over what is best whenever it gets better, before anything is tested", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const improved: (string | undefined)[] = [];
    const request = await requestFor(measure, {
      async onImproved({ variants, lock }) {
        improved.push(variants[0]?.name);
        expect(variants[0]?.measurement.accuracy).toBeNull();
        expect(lock.targets).toHaveLength(1);
      },
    });
    const { variants } = await optimize(request);
    expect(improved[0]).toBe("float");
    expect(improved.length).toBeGreaterThan(1);
    expect(variants[0]?.measurement.accuracy?.n).toBe(2000);
  });

  it("hands over no more often than that pays, and what is best before it is compared and tested", async () => {
    const simulated = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const handedOver = async (takesMs: number) => {
      let spentMs = 0;
      const names: (string | undefined)[] = [];
      const request = await requestFor(simulated, {
        clock: { now: () => simulated.spentMs + spentMs },
        async onImproved({ variants }) {
          spentMs += takesMs;
          names.push(variants[0]?.name);
        },
      });
      const { time } = await optimize(request);
      return { names, best: time?.improvements.at(-1)?.name };
    };
    const [quick, slow] = [await handedOver(0), await handedOver(20_000)];
    expect(quick.names.at(-1)).toBe(quick.best);
    expect(slow.names.at(-1)).toBe(slow.best);
    expect(slow.names).toHaveLength(2);
    expect(quick.names.length).toBeGreaterThan(2);
  });

  it("hands over what holds on the samples that were planned before it looks at more, and takes it back where it fails on them", async () => {
    for (const fails of [false, true]) {
      const simulated = simulatedMeasure(
        (artifact) => (isSmall(artifact) ? { ratio: 0.5, drop: 0.005 } : {}),
        { calibration: 4, validation: 400, test: 100 },
        { sampleMs: 100 },
      );
      const accuracy: Simulated["accuracy"] = async (asked) => {
        const seen = await simulated.accuracy(asked);
        if (!fails || seen === null || asked.count <= 200 || !isSmall(asked.artifact)) return seen;
        return { ...seen, drop: 0.1, dropInterval: [0.09, 0.11] };
      };
      const measure: Simulated = { ...simulated, accuracy };
      const improved: (readonly [name: string, most: number])[] = [];
      const budget = {
        limits: () => ({ maxDrop: 0.01 }),
        prefer: "latency",
        timeBudgetMs: 240_000,
      } as const;
      const request = await requestFor(measure, {
        budget,
        clock: { now: () => simulated.spentMs },
        async onImproved({ variants }) {
          const counts = measure.asked.flatMap(({ what, split, count = 0, artifacts: [one] }) =>
            what === "accuracy" && split === "validation" && isSmall(one) ? count : [],
          );
          improved.push([variants[0]?.name ?? "", Math.max(0, ...counts)]);
        },
      });
      const { variants, time } = await optimize(request);
      const [, first] = improved;
      expect(first?.[0]).not.toBe("float");
      expect(first?.[1]).toBeLessThan(400);
      expect(improved.some(([, most]) => most === 400)).toBe(true);
      expect(improved[2]?.[0]).toBe(fails ? "float" : first?.[0]);
      expect(variants[0]?.measurement.accuracy?.drop).toBe(0.005);
      const names = time?.improvements.map(({ name }) => name) ?? [];
      expect(names.every((name, at) => name !== names[at - 1])).toBe(true);
    }
  });

  it("takes the next where an engine refuses the best at last, and leaves out a target that refuses all", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const refusing: Simulated = {
      ...measure,
      get spentMs() {
        return measure.spentMs;
      },
      async parity(ask) {
        if (ask.target === "wasm" || isSmall(ask.artifact))
          throw new PareError("ENGINE", "It cannot run this.");
        return measure.parity(ask);
      },
    };
    const devices = [device("cpu"), device("wasm")];
    const onGpu = { ...device("webgpu"), standIn: "cpu" } as const;
    const request = await requestFor(refusing, { devices: [...devices, onGpu] });
    const { variants, candidates, skipped } = await optimize(request);
    expect(variants.map(({ target }) => target)).not.toContain("wasm");
    expect(skipped).toEqual([{ target: "wasm", reason: "It cannot run this." }]);
    const webgpu = variants.find(({ target }) => target === "webgpu");
    expect(isSmall(webgpu?.artifact)).toBe(false);
    expect(
      candidates.some(({ target, reason }) => target === "webgpu" && /cannot run/.test(reason)),
    ).toBe(true);
  });

  it("says what to do where every target refuses the model", async () => {
    const refusing = saying(() => new PareError("ENGINE", "It cannot run this."));
    const request = await requestFor(refusing, { devices: [device("cpu"), device("wasm")] });
    await expect(optimize(request)).rejects.toMatchObject({
      code: "ENGINE",
      message: expect.stringMatching(/^No target could run the model: cpu: .*; wasm: /),
      hint: expect.stringMatching(/pare inspect.*--data.*--dim/),
    });
  });

  it("asks an emulated GPU for no golden check before the end", async () => {
    const loads: TargetName[] = [];
    const counted = (target: TargetName): TargetDevice => ({
      ...device(target),
      executor: { load: (...all) => (loads.push(target), cpu().load(...all)) },
    });
    const devices = [counted("cpu"), { ...counted("webgpu"), standIn: "cpu" } as const];
    const { variants } = await optimize(
      await requestFor(
        saying(() => ({})),
        { devices },
      ),
    );
    const inputs = goldenInputs([{ name: "x", type: "float32", dims: [1, 1, 28, 28] }], 0);
    const recorder = new GoldenRecorder(devices, inputs, 0);
    loads.length = 0;
    const before = await recorder.record(variants, true);
    expect(loads).not.toContain("webgpu");
    const after = await recorder.record(variants, false);
    expect(loads.filter((target) => target === "webgpu")).toHaveLength(1);
    expect(Object.keys(after.tolerances)).toEqual(Object.keys(before.tolerances));
  });

  it("stops when it is told to, with what is best handed over before", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const request = await requestFor(
      saying(() => ({})),
      {
        signal: controller.signal,
        async onImproved({ variants }) {
          done.push(variants.length);
          controller.abort();
        },
      },
    );
    const devices = [device("cpu"), device("wasm")];
    await expect(optimize({ ...request, devices })).rejects.toMatchObject({ code: "ABORTED" });
    expect(done).toEqual([2]);
  });

  it("tries first what an earlier lock chose, of a model that has changed since", async () => {
    const first = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const earlier = await optimize(await requestFor(first));
    const kept = earlier.lock.targets[0];
    if (kept === undefined) throw new Error("a target is expected");
    const groups = [
      {
        steps: [{ use: "quantize-weights" }, { use: "fp16-weights" }],
        required: false,
      },
    ];
    for (const [locked, name] of [
      [kept, kept.candidate],
      [{ ...kept, candidate: "of-old", groups }, "of-old"],
    ] as const) {
      const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
      const like = { ...earlier.lock, targets: [locked] };
      const { steps } = await optimize(await requestFor(measure, { like }));
      expect(steps[1]?.name).toMatch(new RegExp(`^${name}:`));
    }
    // What needs data is not tried without, whoever chose it.
    const steps = [{ use: "quantize-static" }];
    const integers = { ...kept, candidate: "of-old", precision: "int8" as const, groups: [{ steps, required: false }] }; // prettier-ignore
    const { activations: _, ...bare } = await requestFor(saying(() => ({})));
    const like = { ...earlier.lock, targets: [integers] };
    const { candidates } = await optimize({ ...bare, evidence: "none", like });
    expect(candidates.find(({ name }) => name === "of-old")).toMatchObject({
      tried: "not",
      reason: expect.stringMatching(/^needs data to be checked/),
    });
  });

  it("says of a file which precision required steps leave", async () => {
    const steps = [{ use: "quantize-weights", with: { bits: 4 } }];
    const simplify = { steps: [{ use: "simplify" }], required: false };
    const measure = saying(() => ({}));
    const request = await requestFor(measure, {
      recipe: {
        name: "small",
        summary: "",
        groups: [simplify, { steps, required: true }],
        propose: false,
      },
    });
    const { variants, lock } = await optimize(request);
    expect(variants[0]).toMatchObject({ precision: "int4-weights" });
    expect(lock.targets[0]?.groups).toEqual([simplify, { steps, required: true }]);
    expect((await replay(request, lock)).variants[0]?.precision).toBe("int4-weights");
  });

  it("tells its progress as a share of the time, which never falls, with what is best", async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const fractions: number[] = [];
    const bests = new Set<string | null>();
    const tested: number[] = [];
    await optimize(
      await requestFor(measure, {
        onProgress({ fraction, best, what }) {
          if (/published/.test(what)) tested.push(fraction);
          fractions.push(fraction);
          bests.add(best);
        },
      }),
    );
    expect(
      fractions.every((value, index) => index === 0 || value >= (fractions[index - 1] ?? 0)),
    ).toBe(true);
    expect(fractions.at(-1)).toBe(1);
    // The ending goes by as well: most of it is the test samples.
    expect(tested[0]).toBeGreaterThan(0.75);
    expect([...bests].some((best) => best !== null && /^cpu \S+ 0\.50×, \d+ %$/.test(best))).toBe(
      true,
    );
  });
});

describe("a lock", () => {
  const locked = async () => {
    const measure = saying((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));
    const devices = [device("cpu"), device("wasm")];
    const first = await optimize(await requestFor(measure, { devices }));
    const lock = parseLock(JSON.parse(JSON.stringify(first.lock)));
    return { first, lock, request: await requestFor(measure) };
  };

  it("makes the same files again without data and without an engine", async () => {
    const { first, lock, request } = await locked();
    const { activations: _, ...nothing } = request;
    const again = await replay(nothing, lock);
    expect(again.variants.map(({ files }) => files)).toEqual(
      first.variants.map(({ files }) => files),
    );
    expect(again.variants.map(({ measurement }) => measurement.latencyMs)).toEqual(
      first.variants.map(({ measurement }) => measurement.latencyMs),
    );
    expect(JSON.stringify(again.lock.targets)).toBe(JSON.stringify(lock.targets));
  });

  it("is refused where the bytes came out otherwise", async () => {
    const { lock, request } = await locked();
    const [target] = lock.targets;
    if (target === undefined) throw new Error("no target");
    const changed = { ...target, files: [{ name: "model.onnx", sha256: "0".repeat(64) }] };
    await expect(replay(request, { ...lock, targets: [changed] })).rejects.toMatchObject({
      code: "LOCK",
      message: expect.stringContaining("makes another file now"),
    });
  });

  it("is refused for another model, other data or other shapes", async () => {
    const { lock: sizeless } = await locked();
    const lock = { ...sizeless, dims: {} };
    const now = { modelSha256: lock.model.sha256, splits: {}, shapes: {}, constants: {} };
    expect(() => checkLock(lock, now)).not.toThrow();
    for (const [changed, what] of [
      [{ modelSha256: "0" }, "the model"],
      [{ splits: { test: "1" } }, "the data or its splits"],
      [{ shapes: { x: [1] } }, "the shapes"],
      [{ dims: { N: 2 } }, "--dim"],
    ] as const)
      expect(() => checkLock(lock, { ...now, ...changed })).toThrow(
        expect.objectContaining({
          code: "LOCK",
          message: expect.stringContaining(`${what} changed`),
        }),
      );
  });

  it.each<[string, (lock: never) => unknown]>([
    ["no targets", (lock: object) => ({ ...lock, targets: undefined })],
    ["a newer version", (lock: object) => ({ ...lock, lockVersion: 9 })],
    [
      "options that an engine writes files by",
      (lock: { targets: object[] }) => ({
        ...lock,
        targets: [{ ...lock.targets[0], session: { optimizedModelFilePath: "x" } }],
      }),
    ],
    [
      "a golden check without its tolerances",
      (lock: object) => ({ ...lock, golden: { golden: { formatVersion: 1, cases: [] } } }),
    ],
    [
      "a name that leads out of a folder",
      (lock: { targets: object[] }) => ({
        ...lock,
        targets: [{ ...lock.targets[0], candidate: "../x" }],
      }),
    ],
  ])("with %s is refused", async (_, damage) => {
    const { lock } = await locked();
    expect(() => parseLock(damage(lock as never))).toThrow(
      expect.objectContaining({ code: "LOCK" }),
    );
  });

  it("of the first version is read, with its steps one by one", async () => {
    const first = {
      lockVersion: 1,
      compiler: "pare 0.1.0",
      model: { sha256: "0".repeat(64) },
      recipe: "auto",
      seed: 0,
      maxDrop: 0.02,
      shapes: {},
      constants: {},
      splits: {},
      targets: [
        {
          target: "cpu",
          engine: "e",
          candidate: "int8-weights",
          precision: "int8-weights",
          steps: [{ use: "simplify" }, { use: "quantize-weights" }],
          session: {},
          features: [],
          sha256: "1".repeat(64),
          latencyMs: { unmeasured: "no" },
          baselineLatencyMs: { unmeasured: "no" },
        },
      ],
    };
    const lock = parseLock(first);
    expect(lock.targets[0]).toMatchObject({
      maxDrop: 0.02,
      groups: [{ steps: [{ use: "simplify" }] }, { steps: [{ use: "quantize-weights" }] }],
      files: [{ sha256: "1".repeat(64) }],
    });
  });
});

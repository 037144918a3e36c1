import { describe, expect, it } from "vitest";
import type { Gain } from "../../targets/gains.js";
import type { Planned } from "../candidate.js";
import { Plan } from "./plan.js";
import { facts, way } from "./planned.test.support.js";
import type { ScheduleOptions } from "./schedule.js";

const holds: Gain = { latency: 0.6, latencySpread: 0.1, size: 0.3, accepted: 1 };
const mayLose: Gain = { ...holds, accepted: 0.4 };

describe("what is tried beside something", () => {
  const both = [facts, { ...facts, target: "wasm" as const }];
  const small = { ...holds, latency: 0.9 };
  const quick = [
    way("cpu", "int8-dynamic", "quantize-dynamic", holds),
    way("wasm", "int8-weights", "quantize-weights", small),
  ];
  const observed = way("wasm", "int8-static", "quantize-static", holds);

  it("has not to be observed first, where nothing is in hand yet", () => {
    const planned = [...quick, observed];
    const plan = new Plan({ facts: both, planned, nowMs: 0, askedMs: null, calibration: 50 });
    expect(plan.nextRound(0).map(({ name }) => name)).toEqual(["int8-dynamic", "int8-weights"]);
  });

  it("may have to once something is", () => {
    const next = way("cpu", "fp16-weights", "fp16-weights", { ...holds, latency: 0.3 });
    const planned = [...quick, observed, next];
    const plan = new Plan({ facts: both, planned, nowMs: 0, askedMs: null, calibration: 50 });
    for (const one of plan.nextRound(0)) {
      plan.note(one, {
        tookMs: 1000,
        accepted: true,
        latency: 0.8,
        lost: false,
        best: { latency: 0.8, size: 0.3 },
        isOpen: false,
      });
    }
    expect(plan.nextRound(2000)).toContain(observed);
  });
});

describe("what is tried first", () => {
  const little = { ...holds, latency: 0.99, latencySpread: 0.02, size: 0.9 };
  const weights = way("cpu", "int8-weights", "quantize-weights", little);
  const observed = way("cpu", "int8-static", "quantize-static", { ...holds, latency: 0.1 });
  const planWith = (calibration: number): Plan =>
    new Plan({
      facts: [facts],
      planned: [weights, observed],
      nowMs: 0,
      askedMs: 120_000,
      calibration,
    });

  it("is worth most, where it holds soon", () => {
    expect(planWith(50).nextRound(0)).toEqual([observed]);
  });

  it("holds soon, where what is worth most takes more than a sixth of the time", () => {
    const calibration = 1200;
    const { schedule } = planWith(calibration);
    expect(planWith(calibration).costMs(observed)).toBeGreaterThan(schedule.summary.expectedMs / 6);
    const plan = planWith(calibration);
    expect(plan.nextRound(0)).toEqual([weights]);
    plan.note(weights, {
      tookMs: 1000,
      accepted: true,
      latency: 0.95,
      lost: false,
      best: { latency: 0.95, size: 0.3 },
      isOpen: false,
    });
    expect(plan.nextRound(1000)).toEqual([observed]);
  });
});

describe("the time that finalists would take", () => {
  const slow = {
    ...facts,
    loadMs: 100,
    runMs: 500,
    sampleMs: 500,
    answerMs: 500,
    validation: 5,
    test: 16,
  };
  const both = [slow, { ...slow, target: "wasm" as const }];
  const weights = way("cpu", "int8-weights", "quantize-weights", holds);
  const others = way("wasm", "int8-weights", "quantize-weights", holds);
  const planAnew = (): Plan =>
    new Plan({
      facts: both,
      planned: [weights, others],
      nowMs: 0,
      askedMs: 120_000,
      calibration: 0,
    });
  const came = {
    tookMs: 8000,
    accepted: true,
    latency: 0.9,
    lost: false,
    best: { latency: 0.9, size: 0.3 },
    isOpen: false,
  };

  it("is there for candidates, of a target where nothing was accepted", () => {
    const plan = planAnew();
    const lateMs = plan.schedule.deadlineMs - plan.costMs(weights) + 1;
    expect(plan.nextRound(lateMs)).toHaveLength(1);
    expect(plan.nextRound(lateMs + plan.schedule.sparedMs(new Set(["cpu"])))).toEqual([]);
  });

  it("is kept once something was", () => {
    const plan = planAnew();
    const [first] = plan.nextRound(0);
    expect(first).toBe(weights);
    plan.note(weights, came);
    expect(plan.schedule.sparedMs(new Set(["wasm"]))).toBe(0);
    expect(plan.nextRound(plan.schedule.deadlineMs - plan.costMs(others) + 1)).toEqual([]);
  });
});

describe("what is spare", () => {
  const spare = way("cpu", "int8-static-partly", "quantize-static", mayLose, 2000);
  const planWith = (earlier: ScheduleOptions["earlier"] = new Map()): Plan => {
    const plan = new Plan({
      facts: [facts],
      planned: [way("cpu", "int8-weights", "quantize-weights", holds)],
      nowMs: 1000,
      askedMs: 120_000,
      calibration: 0,
      earlier,
    });
    plan.nextRound(1000);
    plan.add(spare, true);
    return plan;
  };

  it("is tried in the time that the user was told, and no longer", () => {
    const { spareDeadlineMs, deadlineMs } = planWith().schedule;
    const costMs = planWith().costMs(spare);
    expect(deadlineMs - spareDeadlineMs).toBeGreaterThan(costMs);
    expect(planWith().nextRound(spareDeadlineMs - costMs - 1)).toEqual([spare]);
    expect(planWith().nextRound(spareDeadlineMs - costMs + 1)).toEqual([]);
  });

  it("is tried by who was interrupted and goes on in what an uninterrupted search would have left", () => {
    const whole = planWith();
    const lastMs = whole.schedule.spareDeadlineMs - whole.costMs(spare);
    const interrupted = whole.schedule.interruptedAt(5000);
    expect(planWith(interrupted).nextRound(lastMs - 5001)).toEqual([spare]);
    expect(planWith(interrupted).nextRound(lastMs - 4999)).toEqual([]);
  });

  it("is not waited for", () => {
    const plan = planWith();
    expect(plan.waiting).toEqual([]);
    expect(plan.left).toEqual([spare]);
    expect(plan.affords("cpu", 10, 0, 1000)).toBe(true);
  });
});

describe("more samples than were planned", () => {
  it("are no more for who was interrupted and goes on", () => {
    const planWith = (earlier: ScheduleOptions["earlier"] = new Map()): Plan =>
      new Plan({ facts: [facts], planned: [], nowMs: 0, askedMs: 60_000, calibration: 0, earlier });
    const affordsAt = (plan: Plan, nowMs: number): boolean => plan.affords("cpu", 1, 0, nowMs);
    const whole = planWith();
    const endMs = whole.schedule.deadlineMs - 100;
    expect(affordsAt(whole, endMs)).toBe(true);
    const rest = planWith(whole.schedule.interruptedAt(20_000));
    expect(affordsAt(rest, endMs)).toBe(false);
    expect(affordsAt(rest, endMs - 20_000)).toBe(true);
  });
});

describe("what takes longer than was planned", () => {
  const partly = way("cpu", "int8-static-partly", "quantize-static", mayLose, 2000);
  const other = way("cpu", "int8-weights", "quantize-weights", holds);
  const planWith = (waiting: readonly Planned[], budgetMs: number): Plan =>
    new Plan({ facts: [facts], planned: waiting, nowMs: 1000, askedMs: budgetMs, calibration: 0 });

  it("goes on where nothing waits for the time, until the deadline", () => {
    const plan = planWith([], 120_000);
    const costMs = plan.costMs(partly);
    expect(plan.mayGoOn(partly, 1000, 500, 1000 + 3 * costMs)).toBe(true);
    expect(plan.mayGoOn(partly, 1000, 500, plan.schedule.deadlineMs)).toBe(false);
  });

  it("ends where something waits that there would be no time for", () => {
    const many = Array.from({ length: 60 }, () => other);
    const plan = planWith(many, 120_000);
    const costMs = plan.costMs(partly);
    expect(plan.mayGoOn(partly, 1000, 500, 1000 + costMs / 2)).toBe(true);
    expect(plan.mayGoOn(partly, 1000, 500, 1000 + 3 * costMs)).toBe(false);
  });
});

describe("learning that takes longer than was planned", () => {
  const taught: Planned = {
    ...way("cpu", "small", "distill", holds),
    first: true,
    learningRuns: 10_000,
  };
  const planWith = (askedMs: number | null): Plan =>
    new Plan({ facts: [facts], planned: [taught], nowMs: 0, askedMs, calibration: 0 });
  const expectedMs = taught.learningRuns * facts.runMs;

  it("is part of what is planned where nobody says how long it may take", () => {
    expect(planWith(null).schedule.summary.budgetMs).toBeGreaterThan(expectedMs);
  });

  it("comes on top of what is given to all else where nobody says how long it may take", () => {
    const { summary } = planWith(null).schedule;
    expect(summary.budgetMs).toBeGreaterThanOrEqual(expectedMs + 120_000);
    // No fewer samples are looked at than without it.
    const dear = { ...facts, test: 10_000 };
    const counts = [taught, { ...taught, learningRuns: 0 }].map((one) =>
      new Plan({
        facts: [dear],
        planned: [one],
        nowMs: 0,
        askedMs: null,
        calibration: 0,
      }).schedule.countsOf("cpu"),
    );
    const [beside, alone] = counts;
    expect(alone?.test).toBeLessThan(10_000);
    expect(beside?.test).toBeGreaterThanOrEqual(alone?.test ?? Infinity);
    expect(beside?.validation).toBeGreaterThanOrEqual(alone?.validation ?? Infinity);
  });

  it("leaves its time to what is tried on what was learned, of a time that was asked for", () => {
    const proposals = ["int8-weights", "int8-dynamic", "fp16-weights"].map((name) =>
      way("cpu", name, name, holds),
    );
    const planned = [taught, ...proposals];
    const planOf = (askedMs: number | null): Plan =>
      new Plan({ facts: [facts], planned, nowMs: 0, askedMs, calibration: 0 });
    const namesOf = (askedMs: number): readonly string[] =>
      planOf(askedMs)
        .nextRound(0)
        .map(({ name }) => name);
    const times = Array.from({ length: 200 }, (_, index) => expectedMs + 500 * index);
    const leastMs = times.find((askedMs) => namesOf(askedMs).includes("small")) ?? 0;
    // There would be time to learn, and none for what makes use of it.
    expect(namesOf(leastMs - 500)).toEqual([expect.stringMatching(/int8|fp16/)]);
    const plan = planOf(leastMs);
    const afterMs = proposals.reduce((sum, one) => sum + plan.costMs(one), 0);
    const ownMs = plan.costMs({ ...taught, learningRuns: 0 });
    const spareMs = plan.schedule.deadlineMs - expectedMs - ownMs - afterMs;
    expect(spareMs).toBeGreaterThanOrEqual(0);
    expect(spareMs).toBeLessThan(2000);
    expect(plan.learningEndMs(taught, 0)).toBeCloseTo(expectedMs + spareMs, 3);
    expect(planOf(null).learningEndMs(taught, 0)).toBe(Infinity);
  });

  it.each([null, 320_000])("fits beside what other targets are to get, of %s ms", (askedMs) => {
    const wasm = { ...facts, target: "wasm" } as const;
    const planned = (["cpu", "wasm"] as const).flatMap((target) => [
      { ...taught, target },
      way(target, "int8-weights", "quantize-weights", holds),
    ]);
    const plan = new Plan({ facts: [facts, wasm], planned, nowMs: 0, askedMs, calibration: 0 });
    expect(plan.nextRound(0).map(({ name, target }) => `${name} ${target}`)).toEqual([
      "small cpu",
      "small wasm",
    ]);
  });

  it("goes on with the recipe's next group, whatever that takes, where nobody says how long it may take", () => {
    const next: Planned = {
      ...taught,
      name: "small-2",
      group: { steps: [{ use: "prune" }], required: false },
    };
    const given = { facts: [facts], planned: [taught, next], nowMs: 0, calibration: 0 };
    for (const [askedMs, then] of [
      [null, ["small-2"]],
      [600_000, []],
    ] as const) {
      const plan = new Plan({ ...given, askedMs });
      expect(plan.nextRound(0)).toEqual([taught]);
      plan.learned(taught, 3 * expectedMs);
      expect(plan.nextRound(3 * expectedMs).map(({ name }) => name)).toEqual(then);
    }
  });

  it("is counted for each of a recipe's groups, be their steps the same", () => {
    const again = ["small-1", "small-2", "small-3"].map((name) => ({ ...taught, name }));
    const after = way("cpu", "int8-weights", "quantize-weights", holds);
    const given = { facts: [facts], nowMs: 0, askedMs: null, calibration: 0 };
    const plan = new Plan({ ...given, planned: [...again, after] });
    expect(plan.schedule.summary.budgetMs).toBeGreaterThanOrEqual(3 * expectedMs + 120_000);
    // Each takes three times as long as was thought; none takes that from what comes after it.
    const came = { tookMs: 1000, accepted: true, latency: 0.7, lost: false, isOpen: false };
    let nowMs = 0;
    for (const one of again) {
      expect(plan.nextRound(nowMs)).toEqual([one]);
      nowMs += 3 * expectedMs;
      plan.learned(one, 3 * expectedMs);
      plan.note(one, { ...came, best: holds });
    }
    expect(plan.schedule.budgetMs - plan.schedule.summary.budgetMs).toBeCloseTo(6 * expectedMs, 3);
    expect(plan.nextRound(nowMs)).toEqual([after]);
  });

  it("is part of when the whole is expected to end while it goes on", () => {
    const plan = planWith(null);
    expect(plan.nextRound(0)).toEqual([taught]);
    const withoutMs = plan.expectedEndMs(0);
    plan.learning(taught, 0, null);
    expect(plan.expectedEndMs(0) - withoutMs).toBeCloseTo(expectedMs, 3);
    plan.learning(taught, 1000, expectedMs + 50_000);
    expect(plan.expectedEndMs(1000) - withoutMs).toBeCloseTo(expectedMs + 50_000, 3);
    plan.learned(taught, expectedMs);
    expect(plan.expectedEndMs(expectedMs) - withoutMs).toBeCloseTo(expectedMs, 3);
  });

  it("takes no time from what waits, unless a time was asked for", () => {
    for (const [askedMs, given] of [
      [null, 100_000],
      [400_000, 0],
    ] as const) {
      const plan = planWith(askedMs);
      const before = plan.schedule.deadlineMs;
      plan.learned(taught, expectedMs + 100_000);
      expect(plan.schedule.budgetMs - plan.schedule.summary.budgetMs).toBe(given);
      expect(plan.schedule.deadlineMs - before).toBeCloseTo(0.98 * given, 3);
      // Another target has it already.
      plan.learned({ ...taught, target: "wasm" }, 5);
      expect(plan.schedule.budgetMs - plan.schedule.summary.budgetMs).toBe(given);
    }
  });
});

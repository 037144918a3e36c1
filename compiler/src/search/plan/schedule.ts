import type { TargetName } from "@pare/runtime/format";
import type { Planned } from "../candidate.js";
import type { PlanSummary } from "../request.js";
import {
  clamp,
  type Counts,
  fewestOfFloat,
  finalistsMs,
  type InHand,
  type KnownCounts,
  lateMs,
  noneKnown,
  type TargetFacts,
} from "./costs.js";
import { asEarlier, countsFor, fewestCounts, type TestCounts, testCountsWithin } from "./counts.js";
import { Estimate } from "./estimate.js";

/** What is done where nobody says how long it may take. */
export const defaultBudgetMs = 120_000;

/** Who began a little later, or knew more, looks at the same samples: so much of the budget is counted with at most. */
const usableShare = 0.9;
/** Of the budget, what is planned with: a look that was begun goes on. */
const spareShare = 0.98;
/** Of what the ending is expected to take, what is kept for it: a search that stops late has nothing left to give up. */
const keptForEnding = 1.15;
/** Of the time that is left for the test samples, what is planned with: what a sample takes is an estimate. */
const testedShare = 0.8;

export interface ScheduleOptions {
  readonly facts: readonly TargetFacts[];
  readonly planned: readonly Planned[];
  /** What was taken before the search. */
  readonly nowMs: number;
  /** What the user gave; null for the default. */
  readonly askedMs: number | null;
  /** Samples that calibrate. */
  readonly calibration: number;
  /** What an earlier run of the same search counted. */
  readonly earlier?: ReadonlyMap<TargetName, KnownCounts>;
}

/** The time that a search has: on how many samples it looks, when it must end, and what its ending takes. */
export class Schedule {
  readonly counts: ReadonlyMap<TargetName, KnownCounts>;
  readonly summary: PlanSummary;
  readonly estimate: Estimate;
  readonly startedMs: number;
  /** The user said how long it may take. */
  readonly isAsked: boolean;
  readonly #facts: readonly TargetFacts[];
  /** What a look at the test samples with the next best would take, where the best may fail on them. */
  readonly #secondLooks = new Map<TargetName, number>();
  /** Of targets on which something was accepted, what is best next to the simplified float model. */
  readonly #latencies = new Map<TargetName, number>();
  /** And what is likely to be, where nothing was accepted yet. */
  readonly #likely = new Map<TargetName, number>();
  readonly #known = new Map<TargetName, Pick<InHand, "floatIsKnown" | "bestIsKnown">>();
  /** What earlier runs took that were interrupted. */
  readonly #beforeMs: number;
  #tested: TestCounts | null = null;
  #overMs = 0;
  #endMs: number | null = null;

  constructor({
    facts: given,
    planned,
    nowMs,
    askedMs,
    calibration,
    earlier = new Map(),
  }: ScheduleOptions) {
    const facts = [...given].sort((a, b) => (a.target < b.target ? -1 : 1));
    this.#facts = facts;
    this.startedMs = nowMs;
    this.isAsked = askedMs !== null;
    const fewest = new Estimate(facts, fewestCounts(facts), calibration);
    const leastMs = nowMs + fewest.soundMs(planned);
    const learningMs = fewest.learningMs(planned);
    const budgetMs = askedMs ?? defaultFor(leastMs, learningMs);
    // Samples are looked at in the time that learning leaves, where it fits.
    const apartMs = leastMs <= budgetMs ? learningMs : 0;
    const usableMs = Math.min(budgetMs - nowMs, usableShare * budgetMs) - apartMs;
    const fitting = countsFor(facts, usableMs);
    this.counts = asEarlier(fitting, earlier, facts);
    this.#beforeMs = Math.max(0, ...[...this.counts.values()].map(({ spentMs = 0 }) => spentMs));
    this.estimate = new Estimate(facts, this.counts, calibration);
    for (const { target } of facts) {
      const likely = this.estimate.likelyBest(target, planned);
      if (likely !== undefined) this.#likely.set(target, likely);
    }
    const searchingMs = this.estimate.floatMs() + this.estimate.searchMs(planned);
    const tooShort = askedMs !== null && leastMs > askedMs;
    // Whatever was given, the float model is timed, and files are written.
    const floatAloneMs = nowMs + this.estimate.floatAloneMs();
    const mostMs = tooShort ? Math.max(budgetMs, 1.15 * floatAloneMs) : budgetMs;
    const wholeMs = nowMs + searchingMs + this.endingMs();
    const expected = Math.min(mostMs, tooShort ? Math.max(budgetMs, floatAloneMs) : wholeMs);
    this.summary = {
      lowMs: expected * 0.8,
      highMs: Math.min(mostMs, expected * 1.15),
      expectedMs: expected,
      leastMs,
      budgetMs,
      tooShort,
      targets: facts.map(({ target, test }) => ({
        target,
        candidates: planned.filter((one) => one.target === target).length,
        validation: this.counts.get(target)?.validation ?? 0,
        test: this.counts.get(target)?.test ?? 0,
        ofTest: test,
      })),
    };
  }

  /**
   * When the search must end, so that finals, test and writing fit; and where it is still open whether what is best holds,
   * a look at the test samples with the next best.
   */
  get deadlineMs(): number {
    return this.#deadlineOf(this.budgetMs);
  }

  /**
   * The same for more samples than were planned: who was interrupted and goes on has no more time for them than who was
   * not.
   */
  get moreDeadlineMs(): number {
    return this.deadlineMs - this.#beforeMs;
  }

  /** The same for what is no part of the plan, of the time that the user was told. */
  get spareDeadlineMs(): number {
    return this.#deadlineOf(this.#toldMs) - this.#beforeMs;
  }

  #deadlineOf(wholeMs: number): number {
    const endMs = spareShare * wholeMs - keptForEnding * this.endingMs();
    return Math.max(this.startedMs, endMs) - Math.max(0, ...this.#secondLooks.values());
  }

  get #toldMs(): number {
    return Math.min(this.budgetMs, this.summary.highMs + this.#overMs);
  }

  countsOf(target: TargetName): Counts {
    return this.counts.get(target) ?? { validation: 0, test: 0 };
  }

  /** What an earlier run kept of the test samples: of the float model, and of what is best now. */
  knows(target: TargetName, known: Pick<InHand, "floatIsKnown" | "bestIsKnown">): void {
    this.#known.set(target, known);
  }

  /**
   * What is best on a target now.
   * @param latency next to the simplified float model; null where nothing was accepted
   * @param isOpen it is not sure that it holds
   */
  best(target: TargetName, latency: number | null, isOpen: boolean): void {
    if (latency !== null) this.#latencies.set(target, latency);
    if (isOpen) this.#secondLooks.set(target, this.estimate.secondLookMs(target));
    else this.#secondLooks.delete(target);
  }

  /**
   * Of what the deadline keeps for the ending: the time of finalists on targets that will have none, as nothing was accepted
   * there.
   * @param coming targets on which something may yet be accepted
   */
  sparedMs(coming: ReadonlySet<TargetName>): number {
    return keptForEnding * this.#noFinalistsMs(coming);
  }

  #noFinalistsMs(coming: ReadonlySet<TargetName>): number {
    return this.#facts
      .filter(({ target }) => !this.#latencies.has(target) && !coming.has(target))
      .reduce((sum, facts) => sum + finalistsMs(facts), 0);
  }

  /** Nobody said how long it may take, and something took longer than was said: what waits is not to pay for it. */
  extend(ms: number): void {
    if (!this.isAsked) this.#overMs += Math.max(0, ms);
  }

  /** What may be taken of the whole command: what the summary said, and what learning took longer than it said. */
  get budgetMs(): number {
    return this.summary.budgetMs + this.#overMs;
  }

  /** On how many samples there is still time for a candidate when only times are to be published and files to be written. */
  affordableAtEnd(target: TargetName, nowMs: number): number {
    const leftMs = spareShare * this.budgetMs - nowMs - this.estimate.publishingMs();
    return Math.max(0, Math.floor((testedShare * leftMs) / this.estimate.laterSampleMs(target)));
  }

  /** To be kept for who repeats this search. */
  get counted(): ReadonlyMap<TargetName, KnownCounts> {
    return new Map(
      [...this.counts].map(([target, { validation, test }]) => [
        target,
        { validation, test, tested: this.#tested?.get(target) ?? test },
      ]),
    );
  }

  /** The same where it is interrupted: who goes on has so much of the time behind. */
  interruptedAt(nowMs: number): ReadonlyMap<TargetName, KnownCounts> {
    const spentMs = Math.round(this.#beforeMs + nowMs);
    return new Map(
      [...this.counts].map(([target, one]) => {
        const tested = this.#tested?.get(target) ?? one.tested;
        const isRepeated = one.tested !== undefined && one.spentMs === undefined;
        return [
          target,
          isRepeated ? one : { ...one, spentMs, ...(tested !== undefined && { tested }) },
        ];
      }),
    );
  }

  /**
   * Test samples to look at, where the search has ended: as many as were planned; of the float model alone fewer, where the
   * time does not do; and more where the validation samples leave it open whether what is best holds, as far as the time
   * goes that the user was told.
   * @param open targets that are left open
   */
  testCounts(open: ReadonlySet<TargetName>, nowMs: number): TestCounts {
    const planned = new Map(
      this.#facts.map(({ target }) => [target, this.#plannedTest(target, nowMs)]),
    );
    const leftMs = spareShare * this.#toldMs - nowMs - this.estimate.publishingMs();
    const facts = this.#facts.filter(({ target }) => open.has(target));
    const testMs = (counts: TestCounts): number =>
      this.estimate.testMs(counts, (target) => this.#latencies.get(target));
    const counts = testCountsWithin(
      // Who was interrupted and goes on looks at as many as who was not.
      { again: testedShare * leftMs, more: testedShare * (leftMs - this.#beforeMs) },
      facts,
      planned,
      this.counts,
      (more) => testMs(more) + this.estimate.nextTestMs(more, open),
    );
    if (this.#endMs !== null) this.#endMs += testMs(counts) - testMs(planned);
    this.#tested = counts;
    return counts;
  }

  #plannedTest(target: TargetName, nowMs: number): number {
    const { test } = this.countsOf(target);
    if (this.#latencies.has(target)) return test;
    const leftMs = this.budgetMs - nowMs - this.estimate.publishingMs();
    const sampleMs = this.estimate.floatTestSampleMs(target);
    const fewest = clamp(Math.floor(lateMs / sampleMs), 1, fewestOfFloat);
    return clamp(Math.floor(leftMs / sampleMs), Math.min(test, fewest), test);
  }

  /** The search has ended: what is left is the ending, which goes by from here. */
  beginEnding(nowMs: number): void {
    this.#endMs = nowMs + this.endingMs() - this.#noFinalistsMs(new Set());
  }

  /** When the whole is expected to end, where the search goes on until then. */
  expectedEndMs(searchedMs: number): number {
    return this.#endMs ?? searchedMs + this.endingMs();
  }

  endingMs(): number {
    return this.estimate.endingMs((target) => ({
      latency: this.#latencies.get(target) ?? this.#likely.get(target),
      ...(this.#known.get(target) ?? noneKnown),
    }));
  }
}

/** What is learned comes on top of what all else is given: as much time as learning takes, where that is longer. */
function defaultFor(leastMs: number, learningMs: number): number {
  if (leastMs * 1.1 <= defaultBudgetMs) return defaultBudgetMs;
  const onTop = learningMs > 0 ? learningMs + Math.max(defaultBudgetMs, learningMs) : 0;
  return Math.ceil(Math.max(leastMs * 1.1, onTop) / 1000) * 1000;
}

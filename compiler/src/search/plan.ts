import type { TargetName } from "@pare/runtime/format";
import type { Planned } from "./candidate.js";
import {
  clamp,
  type Counts,
  fewestOfFloat,
  type InHand,
  lateMs,
  type TargetFacts,
} from "./costs.js";
import { asEarlier, countsFor, fewestCounts } from "./counts.js";
import { Estimate } from "./estimate.js";
import { lessonKey } from "./learned.js";
import { expectedWorth, type Ratios } from "./worth.js";

/** What is done where nobody says how long it may take. */
export const defaultBudgetMs = 120_000;

/** Who began a little later, or knew more, looks at the same samples: so much of the budget is counted with at most. */
const usableShare = 0.9;
/** Of what it was planned with, what may be taken by a search of its own while something else waits. */
const mostOver = 1.5;
/** Of the budget, what is planned with: a look that was begun goes on. */
const spareShare = 0.98;
/** Of the worth of what is tried, what the best of another target must at least have to be tried beside it. */
const leastBeside = 0.1;
/** Of what is left, what learning leaves at most to what is tried on what was learned. */
const leftByLearning = 0.25;

/** What a user is told before it is done. */
export interface PlanSummary {
  readonly lowMs: number;
  readonly highMs: number;
  readonly expectedMs: number;
  /** What the cheapest sound plan takes, of the whole command. */
  readonly leastMs: number;
  /** What may be taken; more than the default where the cheapest sound plan takes longer. */
  readonly budgetMs: number;
  /** The cheapest sound plan does not fit into what the user gave. */
  readonly tooShort: boolean;
  readonly targets: readonly {
    readonly target: TargetName;
    readonly candidates: number;
    readonly validation: number;
    readonly test: number;
    readonly ofTest: number;
  }[];
}

/** What came of a candidate: how long it took, and whether it was taken. */
export interface Came {
  readonly tookMs: number;
  readonly accepted: boolean;
  /** Next to the simplified float model; null where it was not timed. */
  readonly latency: number | null;
  /** It lost too much. */
  readonly lost: boolean;
  /** What is best on its target now. */
  readonly best: Ratios;
  /** It is not sure that this holds. */
  readonly isOpen: boolean;
}

export interface PlanOptions {
  readonly facts: readonly TargetFacts[];
  readonly planned: readonly Planned[];
  /** What was taken before the search. */
  readonly nowMs: number;
  /** What the user gave; null for the default. */
  readonly askedMs: number | null;
  /** Samples that calibrate. */
  readonly calibration: number;
  /** What an earlier run of the same search counted. */
  readonly earlier?: ReadonlyMap<TargetName, Counts>;
}

/** What was accepted on another target is tried before what its own table favours. */
const acceptedBoost = 4;

/**
 * One queue over all targets. What is expected to gain most in a second comes first; no target takes another one's
 * share of the time while there is something for that one to try. Independent of the order in which targets were named.
 */
export class Plan {
  readonly counts: ReadonlyMap<TargetName, Counts>;
  readonly summary: PlanSummary;
  readonly #targets: readonly TargetName[];
  readonly #waiting: Planned[];
  readonly #estimate: Estimate;
  readonly #startedMs: number;
  readonly #spent = new Map<TargetName, number>();
  /** Accepted on a target: the first to try on the next. */
  readonly #accepted = new Set<string>();
  /** What a look at the test samples with the next best would take, where the best may fail on them. */
  readonly #secondLooks = new Map<TargetName, number>();
  /** Targets on which something was accepted. */
  readonly #inHand = new Set<TargetName>();
  /** What is best so far on a target. */
  readonly #best = new Map<TargetName, Ratios>();
  readonly #known = new Map<TargetName, Pick<InHand, "floatIsKnown" | "bestIsKnown">>();
  readonly #isAsked: boolean;
  #overMs = 0;
  /** What the budget has for each group that is to be learned. */
  readonly #lessonsMs: Map<string, number>;
  /** When what is being learned is expected to be over. */
  #learnedMs = 0;
  #endMs: number | null = null;

  constructor({
    facts: given,
    planned,
    nowMs,
    askedMs,
    calibration,
    earlier = new Map(),
  }: PlanOptions) {
    const facts = [...given].sort((a, b) => (a.target < b.target ? -1 : 1));
    this.#targets = facts.map(({ target }) => target);
    this.#waiting = [...planned];
    this.#startedMs = nowMs;
    this.#isAsked = askedMs !== null;
    const fewest = new Estimate(facts, fewestCounts(facts), calibration);
    const leastMs = nowMs + fewest.soundMs(planned);
    const learningMs = fewest.learningMs(planned);
    const budgetMs = askedMs ?? defaultFor(leastMs, learningMs);
    // Samples are looked at in the time that learning leaves, where it fits.
    const apartMs = leastMs <= budgetMs ? learningMs : 0;
    const usableMs = Math.min(budgetMs - nowMs, usableShare * budgetMs) - apartMs;
    const fitting = countsFor(facts, usableMs);
    this.counts = asEarlier(fitting, earlier, facts);
    this.#estimate = new Estimate(facts, this.counts, calibration);
    this.#lessonsMs = new Map(
      planned.map((one) => [lessonKey(one), this.#estimate.learningMs([one])]),
    );
    const searchingMs = this.#estimate.floatMs() + this.#estimate.searchMs(planned);
    const tooShort = askedMs !== null && leastMs > askedMs;
    // Whatever was given, the float model is timed, and files are written.
    const floatAloneMs = nowMs + this.#estimate.floatAloneMs();
    const mostMs = tooShort ? Math.max(budgetMs, 1.15 * floatAloneMs) : budgetMs;
    const wholeMs = nowMs + searchingMs + this.#endingMs();
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
    const endMs = spareShare * this.budgetMs - this.#endingMs();
    return Math.max(this.#startedMs, endMs) - Math.max(0, ...this.#secondLooks.values());
  }

  countsOf(target: TargetName): Counts {
    return this.counts.get(target) ?? { validation: 0, test: 0 };
  }

  /** Something that a result suggests: mixed precision, the recipe's next group. */
  add(planned: Planned): void {
    this.#waiting.push(planned);
  }

  /** Something better has taken its place. */
  withdraw(planned: Planned): void {
    const at = this.#waiting.indexOf(planned);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /**
   * What to try next: of each target at most one, because accuracies of different targets are looked at side by side. None
   * when there is nothing, or no time for it. What is required is tried all the same.
   */
  nextRound(nowMs: number): readonly Planned[] {
    const round: Planned[] = [];
    let left = this.deadlineMs - nowMs;
    for (let next = this.#next(left, round); next !== undefined; next = this.#next(left, round)) {
      round.push(next);
      // Finding out what stays float is a search of its own.
      if (next.extraMs > 0) break;
      left -= this.costMs(next);
    }
    return round;
  }

  /** The best that fits, of a target that has none in the round. */
  #next(left: number, round: readonly Planned[]): Planned | undefined {
    const [first] = round;
    const fitting = this.#waiting.filter(
      (one) =>
        (first === undefined || this.#fitsBeside(one, round, first)) &&
        this.#fits(one, left, round),
    );
    const [best] = fitting
      .filter(isNext)
      .sort(
        (a, b) =>
          Number(b.first) - Number(a.first) ||
          Number(b.asBefore) - Number(a.asBefore) ||
          this.#worth(b) - this.#worth(a) ||
          (`${a.target} ${a.name}` < `${b.target} ${b.name}` ? -1 : 1),
      );
    if (best !== undefined) this.#waiting.splice(this.#waiting.indexOf(best), 1);
    return best;
  }

  #fits(one: Planned, left: number, round: readonly Planned[]): boolean {
    if (one.group.required) return true;
    const key = lessonKey(one);
    const isBegun = round.some((other) => lessonKey(other) === key);
    const learningMs = isBegun ? 0 : this.#estimate.learningMs([one]);
    // Where nobody says how long it may take, learning is on top of all else.
    if (one.learningRuns > 0 && !this.#isAsked) return true;
    const ownMs = this.costMs({ ...one, learningRuns: 0 });
    const free = left - learningMs - (learningMs > 0 ? this.#afterLearningMs(one, left) : 0);
    return ownMs <= free - this.#guaranteedMs(one.target, Math.max(0, free));
  }

  #fitsBeside(one: Planned, round: readonly Planned[], first: Planned): boolean {
    return (
      one.extraMs === 0 &&
      (this.#inHand.has(first.target) || !this.#holdsUp(one, first)) &&
      round.every(({ target }) => target !== one.target) &&
      this.#worth(one) >= leastBeside * this.#worth(first)
    );
  }

  /** Whether it has to be observed first, which takes longer than what it is to be tried beside. */
  #holdsUp(one: Planned, first: Planned): boolean {
    return !one.first && this.#estimate.observes(one) && !this.#estimate.observes(first);
  }

  /** What an earlier run kept of the test samples: of the float model, and of what is best now. */
  knows(target: TargetName, known: Pick<InHand, "floatIsKnown" | "bestIsKnown">): void {
    this.#known.set(target, known);
  }

  /** See `Estimate.answered`. */
  answered(target: TargetName, answerMs: number, isOwn: boolean): void {
    this.#estimate.answered(target, answerMs, isOwn);
  }

  /** What came of a candidate. */
  note(planned: Planned, { tookMs, accepted, latency, lost, best, isOpen }: Came): void {
    const { target, name } = planned;
    this.#estimate.note(planned, tookMs, latency, lost);
    this.#best.set(target, best);
    if (isOpen) this.#secondLooks.set(target, this.#estimate.secondLookMs(target));
    else this.#secondLooks.delete(target);
    this.#spent.set(target, (this.#spent.get(target) ?? 0) + tookMs);
    if (!accepted) return;
    this.#accepted.add(name);
    this.#inHand.add(target);
  }

  /** A group is being learned: until when, by its pace, or else by what was expected. */
  learning(planned: Planned, nowMs: number, untilMs: number | null): void {
    this.#learnedMs = untilMs ?? nowMs + this.#estimate.learningMs([planned]);
  }

  /** A group that learns was made: no other target has to do it again. */
  learned(planned: Planned, tookMs: number): void {
    this.#estimate.learned(planned, tookMs);
    this.#learnedMs = 0;
    const key = lessonKey(planned);
    const givenMs = this.#lessonsMs.get(key) ?? tookMs;
    this.#lessonsMs.delete(key);
    // Nobody said how long it may take: what waits is not to pay for what was guessed too short.
    if (!this.#isAsked) this.#overMs += Math.max(0, tookMs - givenMs);
  }

  /** When learning must be over, so that what follows it has its time; never where nobody says how long it may take. */
  learningEndMs(planned: Planned, nowMs: number): number {
    if (!this.#isAsked || planned.group.required) return Infinity;
    const left = this.deadlineMs - nowMs;
    const ownMs = this.costMs({ ...planned, learningRuns: 0 });
    return this.deadlineMs - ownMs - this.#afterLearningMs(planned, left);
  }

  /** What may be taken of the whole command: what the summary said, and what learning took longer than it said. */
  get budgetMs(): number {
    return this.summary.budgetMs + this.#overMs;
  }

  /** Never tried: for the report. */
  get waiting(): readonly Planned[] {
    return this.#waiting;
  }

  costMs(planned: Planned): number {
    return this.#estimate.candidateMs(planned);
  }

  /**
   * Whether a candidate and the float model may have so many samples more than was planned: there is time that nothing waits
   * for, or nothing that waits is worth more in a second.
   */
  affords(target: TargetName, samples: number, worth: number, nowMs: number): boolean {
    const leftMs = this.deadlineMs - nowMs;
    const free = leftMs - this.#guaranteedMs(target, leftMs);
    const ms = this.#estimate.samplesMs(target, samples);
    if (ms <= leftMs - this.#waitingMs()) return true;
    const others = this.#waiting.filter((one) => this.costMs(one) <= free);
    return ms <= free && others.every((one) => this.#worth(one) <= worth / ms);
  }

  /** Whether what is taking longer than was planned may go on: not much longer, where something else waits for the time. */
  mayGoOn(planned: Planned, sinceMs: number, nextMs: number, nowMs: number): boolean {
    const leftMs = this.deadlineMs - nowMs - nextMs;
    if (leftMs < 0) return false;
    return (
      nowMs + nextMs - sinceMs <= mostOver * this.costMs(planned) || leftMs >= this.#waitingMs()
    );
  }

  /** On how many samples there is still time for a candidate when only times are to be published and files to be written. */
  affordableAtEnd(target: TargetName, nowMs: number): number {
    const leftMs = this.budgetMs - nowMs - this.#estimate.publishingMs();
    return Math.max(0, Math.floor(leftMs / this.#estimate.laterSampleMs(target)));
  }

  /** Test samples to look at, where the search has ended: fewer of the float model alone, where the time does not do. */
  testSamples(target: TargetName, nowMs: number): number {
    const { test } = this.countsOf(target);
    if (this.#inHand.has(target)) return test;
    const leftMs = this.budgetMs - nowMs - this.#estimate.publishingMs();
    const sampleMs = this.#estimate.floatTestSampleMs(target);
    const fewest = clamp(Math.floor(lateMs / sampleMs), 1, fewestOfFloat);
    return clamp(Math.floor(leftMs / sampleMs), Math.min(test, fewest), test);
  }

  /** The search has ended: what is left is the ending, which goes by from here. */
  beginEnding(nowMs: number): void {
    this.#endMs = nowMs + this.#endingMs();
  }

  /** When the whole is expected to end. */
  expectedEndMs(nowMs: number): number {
    if (this.#endMs !== null) return this.#endMs;
    const fromMs = Math.max(nowMs, this.#learnedMs);
    const searchedMs = Math.min(fromMs + this.#waitingMs(), Math.max(fromMs, this.deadlineMs));
    return searchedMs + this.#endingMs();
  }

  /** What other targets are still to get of what is left: an equal share each, as far as they can use it. */
  #guaranteedMs(target: TargetName, leftMs: number): number {
    const total = this.deadlineMs - this.#startedMs;
    const share = total / Math.max(1, this.#targets.length);
    let sum = 0;
    for (const other of this.#targets) {
      if (other === target) continue;
      const open = this.#waiting.filter((one) => one.target === other);
      const wanted = this.#estimate.candidatesMs(open);
      sum += Math.min(Math.max(0, share - (this.#spent.get(other) ?? 0)), wanted);
    }
    return Math.min(sum, leftMs * (1 - 1 / Math.max(1, this.#targets.length)));
  }

  /** Of what is left, what is kept for what will be tried on what a group learns. */
  #afterLearningMs({ target }: Planned, leftMs: number): number {
    const after = this.#waiting.filter((one) => one.target === target && one.learningRuns === 0);
    return Math.min(this.#estimate.candidatesMs(after), leftByLearning * Math.max(0, leftMs));
  }

  #waitingMs(): number {
    return this.#estimate.candidatesMs(this.#waiting);
  }

  #endingMs(): number {
    return this.#estimate.endingMs((target) => ({
      latency: this.#inHand.has(target) ? this.#best.get(target)?.latency : undefined,
      ...(this.#known.get(target) ?? { floatIsKnown: false, bestIsKnown: false }),
    }));
  }

  /** Expected gain a second. */
  #worth(planned: Planned): number {
    const { target, name, prefer } = planned;
    const gain = this.#estimate.gainOf(planned);
    const isAccepted = this.#accepted.has(name);
    const likely = isAccepted ? { ...gain, accepted: 1 } : gain;
    const worth = expectedWorth(likely, this.#best.get(target) ?? { latency: 1, size: 1 }, prefer);
    // Until something is in hand, it counts twice how likely it is to hold.
    const inHand = this.#inHand.has(target) ? 1 : likely.accepted;
    return ((isAccepted ? acceptedBoost : 1) * inHand * worth) / this.costMs(planned);
  }
}

/** What is learned comes on top of what all else is given: as much time as learning takes, where that is longer. */
function defaultFor(leastMs: number, learningMs: number): number {
  if (leastMs * 1.1 <= defaultBudgetMs) return defaultBudgetMs;
  const onTop = learningMs > 0 ? learningMs + Math.max(defaultBudgetMs, learningMs) : 0;
  return Math.ceil(Math.max(leastMs * 1.1, onTop) / 1000) * 1000;
}

/** A recipe's own groups come in its order: each is judged on what those before it left. */
function isNext(one: Planned, _: number, among: readonly Planned[]): boolean {
  return !one.first || one === among.find(({ first, target }) => first && target === one.target);
}

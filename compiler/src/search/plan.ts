import type { TargetName } from "@pare/runtime/format";
import type { Gain } from "../targets/gains.js";
import type { Planned } from "./candidate.js";
import {
  calibrationMs,
  candidateSampleMs,
  clamp,
  costOf,
  type Counts,
  expectedMs,
  fewestAfter,
  finalsMs,
  publishMs,
  sensitivityMs,
  type TargetFacts,
  testMs,
  usualLatency,
  writeMs,
} from "./costs.js";
import { countsFor, fewestCounts } from "./counts.js";
import { isStatic, ShownGains } from "./shown.js";
import { expectedWorth, fasterShare, type Ratios } from "./worth.js";

/** What is done where nobody says how long it may take. */
export const defaultBudgetMs = 120_000;

/** Who began a little later, or knew more, looks at the same samples: so much of the budget is counted with at most. */
const usableShare = 0.9;
/** A candidate is often turned down before it is decided: by its time, or after some of the samples. */
const decidedShare = 0.7;
/** With how much of it left float a static file is usually tried, before one holds or that is given up. */
const usualPartly = 3;
/** Of what it was planned with, what may be taken by a search of its own while something else waits. */
const mostOver = 1.5;
/** Of the budget, what is planned with: a look that was begun goes on. */
const spareShare = 0.98;
/** Of the time that deciding takes alone, about what each of several targets' takes side by side. */
const besideShare = 0.85;
/** Of the worth of what is tried, what the best of another target must at least have to be tried beside it. */
const leastBeside = 0.1;

/** What a user is told before it is done. */
export interface PlanSummary {
  readonly lowMs: number;
  readonly highMs: number;
  readonly expectedMs: number;
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

/** What is expected where no table knows: a recipe's own group. */
const unknownGain: Gain = { latency: 0.9, latencySpread: 0.3, size: 0.6, accepted: 0.5 };
/** What was accepted on another target is tried before what its own table favours. */
const acceptedBoost = 4;

/**
 * One queue over all targets. What is expected to gain most in a second comes first; no target takes another one's
 * share of the time while there is something for that one to try. Independent of the order in which targets were named.
 */
export class Plan {
  readonly facts: readonly TargetFacts[];
  readonly counts: ReadonlyMap<TargetName, Counts>;
  readonly summary: PlanSummary;
  readonly #waiting: Planned[];
  readonly #calibration: number;
  readonly #spent = new Map<TargetName, number>();
  readonly #startedMs: number;
  /** Accepted on a target: the first to try on the next. */
  readonly #accepted = new Set<string>();
  readonly #shown = new ShownGains();
  /** What a look at the test samples with the next best would take, where the best may fail on them. */
  readonly #secondLooks = new Map<TargetName, number>();
  /** Targets on which something was accepted. */
  readonly #inHand = new Set<TargetName>();
  /** What is best so far on a target. */
  readonly #best = new Map<TargetName, Ratios>();
  #calibrated = false;
  #endMs: number | null = null;
  /** Of what was expected, what candidates of a target have taken. */
  readonly #scales = new Map<TargetName, number>();

  /**
   * @param nowMs what was taken before the search
   * @param askedMs what the user gave; null for the default
   * @param calibration samples that calibrate
   */
  constructor(
    facts: readonly TargetFacts[],
    planned: readonly Planned[],
    nowMs: number,
    askedMs: number | null,
    calibration: number,
  ) {
    this.facts = [...facts].sort((a, b) => (a.target < b.target ? -1 : 1));
    this.#waiting = [...planned];
    this.#calibration = calibration;
    this.#startedMs = nowMs;
    const least = nowMs + this.#soundMs();
    const budgetMs = askedMs ?? Math.max(defaultBudgetMs, Math.ceil((least * 1.1) / 1000) * 1000);
    this.counts = countsFor(this.facts, Math.min(budgetMs - nowMs, usableShare * budgetMs));
    const ending = this.#endingMs(this.counts);
    const searching = this.#candidatesMs(planned, this.counts) + this.#mixedMs(planned);
    const expected = Math.min(
      budgetMs,
      nowMs + floatMs(this.facts, this.counts) + searching + ending,
    );
    this.summary = {
      lowMs: expected * 0.8,
      highMs: Math.min(budgetMs, expected * 1.15),
      expectedMs: expected,
      budgetMs,
      tooShort: askedMs !== null && least > askedMs,
      targets: this.facts.map(({ target, test }) => ({
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
    const endMs = spareShare * this.summary.budgetMs - this.#endingMs(this.counts);
    return Math.max(this.#startedMs, endMs) - Math.max(0, ...this.#secondLooks.values());
  }

  countsOf(target: TargetName): Counts {
    return this.counts.get(target) ?? { validation: 0, test: 0 };
  }

  factsOf(target: TargetName): TargetFacts | undefined {
    return this.facts.find((one) => one.target === target);
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
        (one.group.required || this.costMs(one) <= left - this.#guaranteedMs(one.target, left)),
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

  #fitsBeside(one: Planned, round: readonly Planned[], first: Planned): boolean {
    return (
      one.extraMs === 0 &&
      round.every(({ target }) => target !== one.target) &&
      this.#worth(one) >= leastBeside * this.#worth(first)
    );
  }

  /** What came of a candidate. */
  note(planned: Planned, { tookMs, accepted, latency, lost, best, isOpen }: Came): void {
    const { target, name, needsData } = planned;
    this.#shown.note(planned, latency, lost);
    this.#best.set(target, best);
    const facts = this.factsOf(target);
    if (isOpen && facts !== undefined) {
      const samples = Math.min(this.countsOf(target).test, fewestAfter);
      this.#secondLooks.set(target, samples * candidateSampleMs(facts, 1));
    } else this.#secondLooks.delete(target);
    this.#spent.set(target, (this.#spent.get(target) ?? 0) + tookMs);
    if (accepted) {
      this.#accepted.add(name);
      this.#inHand.add(target);
    }
    const expected = this.#expectedMs(planned, this.counts);
    if (needsData) this.#calibrated = true;
    // That quick it was known from an earlier run, which says nothing of what the others will take.
    if (tookMs < 0.1 * expected) return;
    this.#scales.set(
      target,
      clamp(0.7 * this.#scaleOf(target) + (0.3 * tookMs) / expected, 0.5, 3),
    );
  }

  /** Never tried: for the report. */
  get waiting(): readonly Planned[] {
    return this.#waiting;
  }

  costMs(planned: Planned): number {
    return this.#expectedMs(planned, this.counts) * this.#scaleOf(planned.target);
  }

  /**
   * Whether a candidate and the float model may have so many samples more than was planned: there is time that nothing waits
   * for, or nothing that waits is worth more in a second.
   */
  affords(target: TargetName, samples: number, worth: number, nowMs: number): boolean {
    const leftMs = this.deadlineMs - nowMs;
    const free = leftMs - this.#guaranteedMs(target, leftMs);
    const ms = this.#samplesMs(target, samples);
    if (ms <= leftMs - this.#candidatesMs(this.#waiting, this.counts)) return true;
    const others = this.#waiting.filter((one) => this.costMs(one) <= free);
    return ms <= free && others.every((one) => this.#worth(one) <= worth / ms);
  }

  /** Whether what is taking longer than was planned may go on: not much longer, where something else waits for the time. */
  mayGoOn(planned: Planned, sinceMs: number, nextMs: number, nowMs: number): boolean {
    const leftMs = this.deadlineMs - nowMs - nextMs;
    if (leftMs < 0) return false;
    return (
      nowMs + nextMs - sinceMs <= mostOver * this.costMs(planned) ||
      leftMs >= this.#candidatesMs(this.#waiting, this.counts)
    );
  }

  /** On how many samples there is still time for a candidate when only times are to be published and files to be written. */
  affordableAtEnd(target: TargetName, nowMs: number): number {
    const facts = this.factsOf(target);
    if (facts === undefined) return 0;
    const publishing = this.facts.reduce((sum, one) => sum + publishMs(one), 0);
    const leftMs = this.summary.budgetMs - nowMs - publishing - writeMs(this.facts);
    return Math.max(0, Math.floor(leftMs / candidateSampleMs(facts, 1)));
  }

  #samplesMs(target: TargetName, samples: number): number {
    const facts = this.factsOf(target);
    return facts === undefined
      ? Infinity
      : samples * (facts.floatSampleMs + candidateSampleMs(facts, usualLatency));
  }

  /** The search has ended: what is left is the ending, which goes by from here. */
  beginEnding(nowMs: number): void {
    this.#endMs = nowMs + this.#endingMs(this.counts);
  }

  /** When the whole is expected to end. */
  expectedEndMs(nowMs: number): number {
    if (this.#endMs !== null) return this.#endMs;
    const searching = this.#candidatesMs(this.#waiting, this.counts);
    return (
      Math.min(nowMs + searching, Math.max(nowMs, this.deadlineMs)) + this.#endingMs(this.counts)
    );
  }

  /** What other targets are still to get of what is left: an equal share each, as far as they can use it. */
  #guaranteedMs(target: TargetName, leftMs: number): number {
    const total = this.deadlineMs - this.#startedMs;
    const share = total / Math.max(1, this.facts.length);
    let sum = 0;
    for (const other of this.facts) {
      if (other.target === target) continue;
      const open = this.#waiting.filter((one) => one.target === other.target);
      const wanted = this.#candidatesMs(open, this.counts);
      sum += Math.min(Math.max(0, share - (this.#spent.get(other.target) ?? 0)), wanted);
    }
    return Math.min(sum, leftMs * (1 - 1 / Math.max(1, this.facts.length)));
  }

  #gainOf(planned: Planned): Gain {
    const { expected, extraMs } = planned;
    // What is a part of something else expects already what that showed.
    if (expected === null || extraMs > 0) return expected ?? unknownGain;
    return this.#shown.expected(planned, expected);
  }

  /** Expected gain a second. */
  #worth(planned: Planned): number {
    const { target, name, prefer } = planned;
    const gain = this.#gainOf(planned);
    const isAccepted = this.#accepted.has(name);
    const likely = isAccepted ? { ...gain, accepted: 1 } : gain;
    const worth = expectedWorth(likely, this.#best.get(target) ?? { latency: 1, size: 1 }, prefer);
    // Until something is in hand, it counts twice how likely it is to hold.
    const inHand = this.#inHand.has(target) ? 1 : likely.accepted;
    return ((isAccepted ? acceptedBoost : 1) * inHand * worth) / this.costMs(planned);
  }

  #scaleOf(target: TargetName): number {
    return this.#scales.get(target) ?? 1;
  }

  #expectedMs(
    planned: Planned,
    counts: ReadonlyMap<TargetName, Counts>,
    calibrates = planned.needsData && !this.#calibrated,
  ): number {
    const facts = this.factsOf(planned.target);
    const own = counts.get(planned.target);
    if (facts === undefined || own === undefined) return 0;
    return (
      planned.extraMs +
      (calibrates ? this.#calibration * this.#calibrationMs() : 0) +
      this.#usualMs(facts, own, this.#gainOf(planned))
    );
  }

  /** Making, timing and, as often as that is usual, deciding. */
  #usualMs(facts: TargetFacts, counts: Counts, gain: Gain): number {
    const cost = costOf(facts, counts, gain);
    const decideMs = cost.decideMs * (this.facts.length > 1 ? besideShare : 1);
    return expectedMs({ ...cost, decideMs }, decidedShare);
  }

  /** One sample through the engine that calibrates: the CPU's, or else the first there is. */
  #calibrationMs(): number {
    const { runMs = 0 } = this.factsOf("cpu") ?? this.facts[0] ?? {};
    return calibrationMs(runMs);
  }

  #candidatesMs(planned: readonly Planned[], counts: ReadonlyMap<TargetName, Counts>): number {
    let sum = 0;
    let calibrated = this.#calibrated;
    for (const one of planned) {
      const calibrates = one.needsData && !calibrated;
      calibrated ||= one.needsData;
      sum += this.#expectedMs(one, counts, calibrates) * this.#scaleOf(one.target);
    }
    return sum;
  }

  /** What comes on top where static files are fast and lose too much, as often as that is expected. */
  #mixedMs(planned: readonly Planned[]): number {
    return this.facts.reduce((sum, facts) => {
      const gains = planned.flatMap((one) =>
        one.target === facts.target && isStatic(one) ? (one.expected ?? unknownGain) : [],
      );
      const counts = this.countsOf(facts.target);
      const each = gains.map((gain) => {
        const cost = this.#usualMs(facts, counts, gain);
        const lost = fasterShare(gain) * (1 - gain.accepted);
        return lost * (this.#findingMs(facts) + usualPartly * cost);
      });
      // One that loses too much is enough, and they lose together.
      return sum + Math.max(0, ...each);
    }, 0);
  }

  /** Finding the sensitive layers of a target's files, on the quickest engine that does. */
  #findingMs(own: TargetFacts): number {
    const exact = this.facts.filter(({ timed, saturates }) => timed && !saturates);
    return Math.min(...[own, ...exact].map((facts) => sensitivityMs(own.layers, facts)));
  }

  #endingMs(counts: ReadonlyMap<TargetName, Counts>): number {
    const finals = this.facts.reduce((sum, facts) => sum + finalsMs(facts), 0);
    const test = testMs(this.facts, counts, (target) => this.#best.get(target)?.latency);
    return finals + test + writeMs(this.facts);
  }

  /** The float model and one candidate on each target, on as few samples as are worth something. */
  #soundMs(): number {
    const counts = fewestCounts(this.facts);
    const cheapest = this.facts.map(({ target }) => {
      const own = this.#waiting.filter((one) => one.target === target && !one.needsData);
      return Math.min(Infinity, ...own.map((one) => this.#expectedMs(one, counts)));
    });
    const candidates = cheapest.reduce((sum, ms) => sum + (Number.isFinite(ms) ? ms : 0), 0);
    return floatMs(this.facts, counts) + candidates + this.#endingMs(counts);
  }
}

/** A recipe's own groups come in its order: each is judged on what those before it left. */
function isNext(one: Planned, _: number, among: readonly Planned[]): boolean {
  return !one.first || one === among.find(({ first, target }) => first && target === one.target);
}

/** The float model on the validation samples, engines side by side. */
function floatMs(facts: readonly TargetFacts[], counts: ReadonlyMap<TargetName, Counts>): number {
  return Math.max(
    0,
    ...facts.map(
      ({ target, floatSampleMs }) => (counts.get(target)?.validation ?? 0) * floatSampleMs,
    ),
  );
}

import type { TargetName } from "@pare/runtime/format";
import type { Planned } from "../candidate.js";
import type { Estimate } from "./estimate.js";
import { lessonKey } from "../make/learned.js";
import { Schedule, type ScheduleOptions } from "./schedule.js";
import { expectedWorth, type Ratios } from "../verdict/worth.js";

/** Of what it was planned with, what may be taken by a search of its own while something else waits. */
const mostOver = 1.5;
/** Of the worth of what is tried, what the best of another target must at least have to be tried beside it. */
const leastBeside = 0.1;
/**
 * Of the time that is expected, when something is to be in hand on a target. It is a quarter of what is taken at most: less
 * is taken than is expected, and calibrating takes more.
 */
const inHandAfter = 1 / 6;
/** Of what is left, what learning leaves at most to what is tried on what was learned. */
const leftByLearning = 0.25;

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

/** What was accepted on another target is tried before what its own table favours. */
const acceptedBoost = 4;

/**
 * One queue over all targets. What is expected to gain most in a second comes first; no target takes another one's
 * share of the time while there is something for that one to try. Independent of the order in which targets were named.
 */
export class Plan {
  readonly schedule: Schedule;
  readonly #targets: readonly TargetName[];
  readonly #waiting: Planned[];
  /** Of what waits, what is tried only in the time that the user was told. */
  readonly #spare = new Set<Planned>();
  readonly #spent = new Map<TargetName, number>();
  /** Accepted on a target: the first to try on the next. */
  readonly #accepted = new Set<string>();
  /** Targets on which something was accepted. */
  readonly #inHand = new Set<TargetName>();
  /** What is best so far on a target. */
  readonly #best = new Map<TargetName, Ratios>();
  /** What the budget has for each group that is to be learned. */
  readonly #lessonsMs: Map<string, number>;
  /** When what is being learned is expected to be over. */
  #learnedMs = 0;

  constructor(options: ScheduleOptions) {
    const { facts, planned } = options;
    this.schedule = new Schedule(options);
    this.#targets = facts.map(({ target }) => target).sort();
    this.#waiting = [...planned];
    this.#lessonsMs = new Map(
      planned.map((one) => [lessonKey(one), this.#estimate.learningMs([one])]),
    );
  }

  /**
   * Something that a result suggests: mixed precision, the recipe's next group.
   * @param isSpare nothing is expected of it but to be there should something else fail
   */
  add(planned: Planned, isSpare = false): void {
    this.#waiting.push(planned);
    if (isSpare) this.#spare.add(planned);
  }

  /**
   * Something better has taken its place.
   * @returns whether it was still waiting
   */
  withdraw(planned: Planned): boolean {
    const at = this.#waiting.indexOf(planned);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /**
   * What to try next: of each target at most one, because accuracies of different targets are looked at side by side. None
   * when there is nothing, or no time for it. What is required is tried all the same.
   */
  nextRound(nowMs: number): readonly Planned[] {
    const round: Planned[] = [];
    let left = this.schedule.deadlineMs - nowMs;
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
    const nowMs = this.schedule.deadlineMs - left;
    const inHandMs =
      inHandAfter * Math.min(this.schedule.summary.expectedMs, this.schedule.budgetMs);
    // Something that holds soon comes before what is worth more, and would be the first to hold, late.
    const isLate = (one: Planned): boolean =>
      !this.#inHand.has(one.target) && nowMs + this.costMs(one) > inHandMs;
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
          Number(isLate(a)) - Number(isLate(b)) ||
          this.#worth(b) - this.#worth(a) ||
          (`${a.target} ${a.name}` < `${b.target} ${b.name}` ? -1 : 1),
      );
    if (best !== undefined) this.#waiting.splice(this.#waiting.indexOf(best), 1);
    return best;
  }

  /** Is it tried only where what was planned leaves time? */
  isSpare(one: Planned): boolean {
    return this.#spare.has(one);
  }

  #fits(one: Planned, left: number, round: readonly Planned[]): boolean {
    if (one.group.required) return true;
    const key = lessonKey(one);
    const isBegun = round.some((other) => lessonKey(other) === key);
    const learningMs = isBegun ? 0 : this.#estimate.learningMs([one]);
    // Where nobody says how long it may take, learning is on top of all else.
    if (one.learningRuns > 0 && !this.schedule.isAsked) return true;
    const ownMs = this.costMs({ ...one, learningRuns: 0 });
    const { deadlineMs, spareDeadlineMs } = this.schedule;
    const keptMs = this.#spare.has(one) ? deadlineMs - spareDeadlineMs : 0;
    // Were it accepted, its target would have finalists; others that have none so far may have none.
    const coming = new Set([one, ...round].map(({ target }) => target));
    const free =
      left +
      this.schedule.sparedMs(coming) -
      keptMs -
      learningMs -
      (learningMs > 0 ? this.#afterLearningMs(one, left) : 0);
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

  /** See `Estimate.answered`. */
  answered(target: TargetName, answerMs: number, isOwn: boolean): void {
    this.#estimate.answered(target, answerMs, isOwn);
  }

  /** What came of a candidate. */
  note(planned: Planned, { tookMs, accepted, latency, lost, best, isOpen }: Came): void {
    const { target, name } = planned;
    this.#estimate.note(planned, tookMs, latency, lost);
    this.#best.set(target, best);
    this.#spent.set(target, (this.#spent.get(target) ?? 0) + tookMs);
    if (accepted) {
      this.#accepted.add(name);
      this.#inHand.add(target);
    }
    this.schedule.best(target, this.#inHand.has(target) ? best.latency : null, isOpen);
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
    this.schedule.extend(tookMs - givenMs);
  }

  /** When learning must be over, so that what follows it has its time; never where nobody says how long it may take. */
  learningEndMs(planned: Planned, nowMs: number): number {
    if (!this.schedule.isAsked || planned.group.required) return Infinity;
    const left = this.schedule.deadlineMs - nowMs;
    const ownMs = this.costMs({ ...planned, learningRuns: 0 });
    return this.schedule.deadlineMs - ownMs - this.#afterLearningMs(planned, left);
  }

  /** What was not tried, what is spare with it: more time would try that too. */
  get left(): readonly Planned[] {
    return this.#waiting;
  }

  /** What waits for its time; what is spare does not. */
  get waiting(): readonly Planned[] {
    return this.#waiting.filter((one) => !this.#spare.has(one));
  }

  costMs(planned: Planned): number {
    return this.#estimate.candidateMs(planned);
  }

  /**
   * Whether a candidate and the float model may have so many samples more than was planned: there is time that nothing waits
   * for, or nothing that waits is worth more in a second.
   */
  affords(target: TargetName, samples: number, worth: number, nowMs: number): boolean {
    const leftMs = this.schedule.moreDeadlineMs - nowMs;
    const free = leftMs - this.#guaranteedMs(target, leftMs);
    const ms = this.#estimate.samplesMs(target, samples);
    if (ms <= leftMs - this.#waitingMs()) return true;
    const others = this.waiting.filter((one) => this.costMs(one) <= free);
    return ms <= free && others.every((one) => this.#worth(one) <= worth / ms);
  }

  /** Whether what is taking longer than was planned may go on: not much longer, where something else waits for the time. */
  mayGoOn(planned: Planned, sinceMs: number, nextMs: number, nowMs: number): boolean {
    const leftMs = this.schedule.deadlineMs - nowMs - nextMs;
    if (leftMs < 0) return false;
    return (
      nowMs + nextMs - sinceMs <= mostOver * this.costMs(planned) || leftMs >= this.#waitingMs()
    );
  }

  /** When the whole is expected to end. */
  expectedEndMs(nowMs: number): number {
    const fromMs = Math.max(nowMs, this.#learnedMs);
    const searchedMs = Math.min(
      fromMs + this.#waitingMs(),
      Math.max(fromMs, this.schedule.deadlineMs),
    );
    return this.schedule.expectedEndMs(searchedMs);
  }

  /** What other targets are still to get of what is left: an equal share each, as far as they can use it. */
  #guaranteedMs(target: TargetName, leftMs: number): number {
    const total = this.schedule.deadlineMs - this.schedule.startedMs;
    const share = total / Math.max(1, this.#targets.length);
    let sum = 0;
    for (const other of this.#targets) {
      if (other === target) continue;
      const open = this.waiting.filter((one) => one.target === other);
      const wanted = this.#estimate.candidatesMs(open);
      sum += Math.min(Math.max(0, share - (this.#spent.get(other) ?? 0)), wanted);
    }
    return Math.min(sum, leftMs * (1 - 1 / Math.max(1, this.#targets.length)));
  }

  /** Of what is left, what is kept for what will be tried on what a group learns. */
  #afterLearningMs({ target }: Planned, leftMs: number): number {
    const after = this.waiting.filter((one) => one.target === target && one.learningRuns === 0);
    return Math.min(this.#estimate.candidatesMs(after), leftByLearning * Math.max(0, leftMs));
  }

  get #estimate(): Estimate {
    return this.schedule.estimate;
  }

  #waitingMs(): number {
    return this.#estimate.candidatesMs(this.waiting);
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

/** A recipe's own groups come in its order: each is judged on what those before it left. */
function isNext(one: Planned, _: number, among: readonly Planned[]): boolean {
  return !one.first || one === among.find(({ first, target }) => first && target === one.target);
}

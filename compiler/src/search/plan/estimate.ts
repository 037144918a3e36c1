import type { TargetName } from "@pare/runtime/format";
import type { Gain } from "../../targets/gains.js";
import type { Planned } from "../candidate.js";
import {
  type CandidateCost,
  calibrationMs,
  candidateSampleMs,
  clamp,
  costOf,
  type Counts,
  expectedMs,
  fewestAfter,
  finalsMs,
  type InHand,
  noneKnown,
  publishMs,
  sensitivityMs,
  sharedMs,
  type TargetFacts,
  testMs,
  testSampleMs,
  usualLatency,
  validationSampleMs,
  writeMs,
} from "./costs.js";
import type { TestCounts } from "./counts.js";
import { lessonKey } from "../make/learned.js";
import { isStatic, ShownGains } from "./shown.js";
import { fasterShare } from "../verdict/worth.js";

/** A candidate is often turned down before it is decided: by its time, or after some of the samples. */
const decidedShare = 0.7;
/** With how much of it left float a static file is usually tried, before one holds or that is given up. */
const usualPartly = 3;
/** What holds this often is what others have to be faster than. */
const likelyHeld = 0.5;
/** Of what a search comes to, in standard deviations: three in four would end sooner, were they normal. */
const safeSide = 0.674;
/** Of the time that deciding takes alone, about what each of several targets' takes side by side. */
const besideShare = 0.85;
/** Assumed: what held on the validation samples, where their metric tells late, fails on the test samples that often. */
const failsLater = 0.25;
/** What is expected where no table knows: a recipe's own group. */
const unknownGain: Gain = { latency: 0.9, latencySpread: 0.3, size: 0.6, accepted: 0.5 };

/** What the parts of a search are expected to take and to gain: by what was found out before it, and by what it shows. */
export class Estimate {
  #facts: readonly TargetFacts[];
  readonly #counts: ReadonlyMap<TargetName, Counts>;
  readonly #calibration: number;
  readonly #shown = new ShownGains();
  /** What was observed. */
  readonly #calibrated = new Set<string>();
  /** Groups that were learned. */
  readonly #learned = new Set<string>();
  /** Of what was expected, what learning took. */
  #learningScale = 1;
  /** Of what was expected, what candidates of a target have taken. */
  readonly #scales = new Map<TargetName, number>();

  /** @param calibration samples that calibrate */
  constructor(
    facts: readonly TargetFacts[],
    counts: ReadonlyMap<TargetName, Counts>,
    calibration: number,
  ) {
    this.#facts = facts;
    this.#counts = counts;
    this.#calibration = calibration;
  }

  /** What came of a candidate. */
  note(planned: Planned, tookMs: number, latency: number | null, lost: boolean): void {
    const { target, calibrates } = planned;
    this.#shown.note(planned, latency, lost);
    const expected = this.#unscaledMs(planned);
    if (calibrates) this.#calibrated.add(observationKey(planned));
    // Nothing was timed: it was known from an earlier run, which says nothing of what the others will take.
    if (tookMs < this.#knownMs(planned)) return;
    this.#scales.set(
      target,
      clamp(0.7 * this.#scaleOf(target) + (0.3 * tookMs) / expected, 0.5, 3),
    );
  }

  /**
   * What a shared validation sample took when many were run: the first, of code that was still cold, tell too much.
   * @param isOwn of the target's own engines
   */
  answered(target: TargetName, answerMs: number, isOwn: boolean): void {
    this.#facts = this.#facts.map((one) => {
      if (one.target !== target || answerMs >= one.answerMs) return one;
      if (!isOwn) return { ...one, answerMs };
      const now = { ...one, sampleMs: Math.max(one.runMs, answerMs * one.shared) };
      return { ...now, answerMs: sharedMs(now) };
    });
  }

  /** A group was learned: whoever has it too need not do it again, and what is learned later takes as much longer. */
  learned(planned: Planned, tookMs: number): void {
    const expectedMs = this.#learningMs(planned);
    if (expectedMs === 0) return;
    this.#learned.add(lessonKey(planned));
    this.#learningScale = (this.#learningScale * tookMs) / expectedMs;
  }

  /** Whether activations have to be observed for it, which nothing did before. */
  observes(planned: Planned): boolean {
    return planned.calibrates && !this.#calibrated.has(observationKey(planned));
  }

  gainOf(planned: Planned): Gain {
    const { expected, extraMs } = planned;
    // What is a part of something else expects already what that showed.
    if (expected === null || extraMs > 0) return expected ?? unknownGain;
    return this.#shown.expected(planned, expected);
  }

  candidateMs(planned: Planned): number {
    return this.#unscaledMs(planned) * this.#scaleOf(planned.target) + this.#learningMs(planned);
  }

  candidatesMs(planned: readonly Planned[]): number {
    const calibrated = new Set(this.#calibrated);
    const each = planned.map((one) => {
      const key = observationKey(one);
      const calibrates = one.calibrates && !calibrated.has(key);
      if (calibrates) calibrated.add(key);
      return this.#unscaledMs(one, calibrates) * this.#scaleOf(one.target);
    });
    return sum(each) + this.learningMs(planned);
  }

  /**
   * All of a search that is planned, on the safe side: where nothing holds, all candidates are decided, and some of each
   * target's layers are left float.
   */
  searchMs(planned: readonly Planned[]): number {
    const mayCome = this.#facts.flatMap((facts) => [
      this.#partlyFloat(facts, planned),
      this.#secondLook(facts, planned),
    ]);
    const means = mayCome.map(({ share, ms }) => share * ms);
    const spreads = [
      ...mayCome.map(({ share, ms }) => deviation(share) * ms),
      ...planned.map((one) => deviation(decidedShare) * this.#decidingMs(one)),
    ];
    return this.candidatesMs(planned) + sum(means) + safeSide * sum(spreads);
  }

  /**
   * What comes on top where static files of a target are fast and lose too much, and how often that is expected: of those that
   * others are faster than, nothing is left float.
   */
  #partlyFloat(
    facts: TargetFacts,
    planned: readonly Planned[],
  ): { readonly share: number; readonly ms: number } {
    const own = planned.filter(({ target }) => target === facts.target);
    const likely = own
      .filter((one) => !isStatic(one))
      .map(({ expected }) => expected ?? unknownGain)
      .filter(({ accepted }) => accepted >= likelyHeld);
    const all = own.filter(isStatic).map((one) => {
      const gain = one.expected ?? unknownGain;
      const shares = [fasterShare(gain), ...likely.map((other) => fasterShare(gain, other))];
      const share = Math.min(...shares) * (1 - gain.accepted);
      const times = Math.min(usualPartly, Math.log2(Math.max(1, facts.layers)));
      return { share, ms: this.#findingMs(facts) + times * this.#usualMs(facts, gain) };
    });
    // One that loses too much is enough, and they lose together.
    return all.reduce((most, one) => (one.share * one.ms > most.share * most.ms ? one : most), {
      share: 0,
      ms: 0,
    });
  }

  /** Where few validation samples are all there are, and their metric tells late, what holds on them may fail on the others. */
  #secondLook(
    { target, decidesEarly }: TargetFacts,
    planned: readonly Planned[],
  ): { readonly share: number; readonly ms: number } {
    const mayFail = !decidesEarly && planned.some((one) => one.target === target && isStatic(one));
    const ms = this.#countsOf(target).test * this.laterSampleMs(target);
    return { share: mayFail ? failsLater : 0, ms };
  }

  /** The float model on the validation samples, engines side by side. */
  floatMs(): number {
    const each = this.#facts.map(
      ({ target, answerMs }) => this.#countsOf(target).validation * answerMs,
    );
    return Math.max(0, ...each);
  }

  /** More validation samples of a candidate and the float model. */
  samplesMs(target: TargetName, samples: number): number {
    const facts = this.#factsOf(target);
    if (facts === undefined) return Infinity;
    return samples * (facts.answerMs + validationSampleMs(facts, usualLatency));
  }

  /** A look at the test samples with another candidate. */
  secondLookMs(target: TargetName): number {
    const samples = Math.min(this.#countsOf(target).test, fewestAfter);
    return samples * this.laterSampleMs(target);
  }

  /**
   * The test samples of all targets side by side, where none is known.
   * @param latencyOf what is best there, next to the simplified float model
   */
  testMs(tested: TestCounts, latencyOf: (target: TargetName) => number | undefined): number {
    const counts = new Map([...tested].map(([target, test]) => [target, { validation: 0, test }]));
    return testMs(this.#facts, counts, (target) => ({ latency: latencyOf(target), ...noneKnown }));
  }

  /** As many with another candidate on some of them, side by side. */
  nextTestMs(tested: TestCounts, targets: ReadonlySet<TargetName>): number {
    const each = [...targets].map((one) => (tested.get(one) ?? 0) * this.laterSampleMs(one));
    return Math.max(0, ...each);
  }

  /** One test sample of the model as its user has it and of its simplified form. */
  floatTestSampleMs(target: TargetName): number {
    const facts = this.#factsOf(target);
    return facts === undefined ? Infinity : testSampleMs(facts, 1);
  }

  /** One test sample of a candidate that comes after another. */
  laterSampleMs(target: TargetName): number {
    const facts = this.#factsOf(target);
    return facts === undefined ? Infinity : candidateSampleMs(facts, 1) / facts.shared;
  }

  /** Finalists, test samples, published times and files. */
  endingMs(inHand: (target: TargetName) => InHand | undefined = () => undefined): number {
    const finals = this.#facts.map(finalsMs);
    return sum(finals) + testMs(this.#facts, this.#counts, inHand) + writeMs(this.#facts);
  }

  /** Where nothing is tried besides it: what there is to do with the float model. */
  floatAloneMs(): number {
    return this.floatMs() + testMs(this.#facts, this.#counts) + this.publishingMs();
  }

  /** Next to the float model, what is likely to be the best of a target; undefined where nothing is likely to hold. */
  likelyBest(target: TargetName, planned: readonly Planned[]): number | undefined {
    const latencies = planned
      .filter((one) => one.target === target)
      .map((one) => this.gainOf(one))
      .filter(({ accepted }) => accepted >= likelyHeld)
      .map(({ latency }) => latency);
    return latencies.length === 0 ? undefined : Math.min(...latencies);
  }

  /** Published times and files alone. */
  publishingMs(): number {
    const times = this.#facts.map(publishMs);
    return sum(times) + writeMs(this.#facts);
  }

  /**
   * The float model, what the recipe itself asks to learn, the cheapest candidates on each target and the ending: two,
   * because one of them may not hold.
   */
  soundMs(planned: readonly Planned[]): number {
    const learning = planned.filter(({ learningRuns }) => learningRuns > 0);
    const cheapest = this.#facts.flatMap(({ target }) =>
      planned
        .filter((one) => one.target === target && !one.needsData)
        .map((one) => this.#unscaledMs(one))
        .sort((a, b) => a - b)
        .slice(0, 2),
    );
    return this.floatMs() + this.candidatesMs(learning) + sum(cheapest) + this.endingMs();
  }

  /** What learning alone takes, of each group once for all targets. */
  learningMs(planned: readonly Planned[]): number {
    const each = new Map(planned.map((one) => [lessonKey(one), this.#learningMs(one)]));
    return sum([...each.values()]);
  }

  #factsOf(target: TargetName): TargetFacts | undefined {
    return this.#facts.find((one) => one.target === target);
  }

  #countsOf(target: TargetName): Counts {
    return this.#counts.get(target) ?? { validation: 0, test: 0 };
  }

  #scaleOf(target: TargetName): number {
    return this.#scales.get(target) ?? 1;
  }

  #unscaledMs(planned: Planned, calibrates = this.observes(planned)): number {
    const facts = this.#factsOf(planned.target);
    if (facts === undefined) return 0;
    return (
      planned.extraMs +
      (calibrates ? this.#calibration * this.#calibrationMs() : 0) +
      this.#usualMs(facts, this.gainOf(planned))
    );
  }

  /** On the engine that calibrates; 0 where it was learned already. */
  #learningMs(planned: Planned): number {
    if (planned.learningRuns === 0 || this.#learned.has(lessonKey(planned))) return 0;
    return planned.learningRuns * this.#learningScale * this.#referenceRunMs();
  }

  /** What one takes at most whose measurements an earlier run kept. */
  #knownMs(planned: Planned): number {
    const facts = this.#factsOf(planned.target);
    if (facts === undefined) return 0;
    const { makeMs, screenMs } = this.#costOf(facts, this.gainOf(planned));
    return makeMs + screenMs / 2;
  }

  /** Making, timing and, as often as that is usual, deciding. */
  #usualMs(facts: TargetFacts, gain: Gain): number {
    return expectedMs(this.#costOf(facts, gain), decidedShare);
  }

  /** What a candidate takes that is decided, over one that is turned down before. */
  #decidingMs(planned: Planned): number {
    const facts = this.#factsOf(planned.target);
    if (facts === undefined) return 0;
    const cost = this.#costOf(facts, this.gainOf(planned));
    return expectedMs(cost, 1) - expectedMs(cost, 0);
  }

  #costOf(facts: TargetFacts, gain: Gain): CandidateCost {
    const cost = costOf(facts, this.#countsOf(facts.target), gain);
    const isBeside = this.#facts.length > 1 && facts.shared === 1;
    const decideMs = cost.decideMs * (isBeside ? besideShare : 1);
    return { ...cost, decideMs };
  }

  /** One sample through the engine that calibrates: the CPU's, or else the first there is. */
  #calibrationMs(): number {
    return calibrationMs(this.#referenceRunMs());
  }

  #referenceRunMs(): number {
    const { runMs = 0 } = this.#factsOf("cpu") ?? this.#facts[0] ?? {};
    return runMs;
  }

  /** Finding the sensitive layers of a target's files, on the quickest engine that does. */
  #findingMs(own: TargetFacts): number {
    const exact = this.#facts.filter(({ timed, saturates }) => timed && !saturates);
    return Math.min(...[own, ...exact].map((facts) => sensitivityMs(own.layers, facts)));
  }
}

/** Files that ask the same of activations share one observation: by which rule, and of which layers. */
function observationKey({ group }: Planned): string {
  const asked = group.steps.find(({ use }) => use === "quantize-static")?.with;
  const isHalf = group.steps.some(({ use }) => use === "fp16");
  return JSON.stringify([isHalf, asked?.["ranges"] ?? null, asked?.["convolutions"] ?? null]);
}

/** Of what happens in a share of cases. */
function deviation(share: number): number {
  return Math.sqrt(share * (1 - share));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

import { PareError, type SearchTime, type TargetName, throwIfAborted } from "@pare/runtime/format";
import { Fingerprints } from "../analysis/fingerprints.js";
import { recipeHash } from "../pipeline/recipe-data.js";
import type { Planned, State, Tried } from "./candidate.js";
import { choicesFor } from "./planned.js";
import type { FinalsContext } from "./finals-context.js";
import { withQuickestAnswers } from "./quickest-answers.js";
import { interim, publish } from "./publish.js";
import { rankFinalists, type Ranking } from "./rank-finalists.js";
import { testRanked } from "./test-ranked.js";
import { earlierCounts, keepCounts } from "./kept-counts.js";
import { beginning, change, type MakeServices, ordered, type Ordered } from "./make.js";
import { type TooCoarse, tryMixed } from "./mixed.js";
import { openTarget } from "./open-target.js";
import { PartlyFloat, quickestFor } from "./partly-float.js";
import { type Came, defaultBudgetMs, Plan } from "./plan.js";
import { Learned } from "./learned.js";
import { Record } from "./record.js";
import type { Optimized, OptimizeRequest } from "./request.js";
import { take } from "./take.js";
import { isOfOtherSizes, isRefusal } from "./refusal.js";
import { bestOf, latencyNextToFloat, nextToFloat, type TargetState } from "./target-state.js";
import { Progress } from "./progress.js";
import { type Deciding, decideSideBySide } from "./side-by-side.js";
import { expectedText, lookAt } from "./verdict.js";
import { type Outcome, screenCandidate, type TrialContext } from "./trial.js";

/** A candidate that is tried now, on its target as that is now. */
interface Trial {
  readonly planned: Planned;
  readonly state: TargetState;
  /** What it starts from. */
  readonly from: State;
  /** What a group of the recipe is judged against. */
  readonly before: Tried;
  readonly context: TrialContext;
}

/** Samples that calibrate, for the plan: what calibration takes at most. */
const calibrationSamples = 200;
/** An engine that has not answered by the end of the time, and a little more, is taken for hung. */
const graceMs = 5000;
const patienceMs = 60_000;
/** When the time is up, an engine may take so many times as long for an answer as for the float model's. */
const slowdown = 10;

/**
 * The main job: for each device, the smallest or fastest file that keeps the accuracy budget, by the contract's rule of
 * choice. The float model is simplified once; what the recipe and the targets' tables say is tried on forks, what is
 * expected to gain most in a second first, and measured, cheap before dear, as far as the time goes; the finalists are
 * timed against each other, and the best is held against the test samples.
 * @throws PareError ABORTED, ENGINE where no engine can run the model nor its simplified form
 */
export async function optimize(request: OptimizeRequest): Promise<Optimized> {
  return new Search(request, await recipeHash(request.recipe)).run();
}

class Search {
  readonly #request: OptimizeRequest;
  readonly #recipe: Ordered;
  readonly #services: MakeServices;
  readonly #states: TargetState[] = [];
  readonly #partly = new PartlyFloat();
  readonly #record: Record;
  readonly #progress: Progress;
  readonly #improvements: SearchTime["improvements"][number][] = [];
  #plan: Plan | null = null;

  constructor(request: OptimizeRequest, recipeSha256: string) {
    const { activations, examples, training, graph, seed, sizes, signal, clock } = request;
    this.#request = request;
    this.#progress = new Progress(request, this.#states);
    this.#recipe = ordered(request.recipe);
    this.#record = new Record(request, recipeSha256);
    this.#services = {
      activations,
      examples,
      training,
      teacher: graph,
      fingerprints: new Fingerprints(),
      learned: new Learned(),
      seed,
      sizes,
      now: () => clock.now(),
      signal,
      onProgress: (_, what) => this.#progress.within(what),
    };
  }

  async run(): Promise<Optimized> {
    const request = this.#request;
    const { clock, budget } = request;
    this.#progress.step("simplifying");
    const simplified = await beginning(request.graph, this.#recipe.simplify, this.#services);
    await this.#openTargets(simplified);
    const plan = await this.#makePlan(simplified);
    await this.#measureFloat(plan);
    await this.#improved();

    for (
      let round = plan.nextRound(clock.now());
      round.length > 0;
      round = plan.nextRound(clock.now())
    ) {
      const [alone] = round;
      const coarse = alone && this.#partly.wholeOf(alone);
      if (alone && coarse) await this.#tryMixed(alone, coarse, simplified, plan);
      else await this.#tryRound(round, simplified, plan);
    }
    const late = budget.timeBudgetMs ?? defaultBudgetMs;
    for (const left of plan.waiting)
      this.#record.turnDown(
        left.target,
        left,
        "not",
        `not tried: it takes about ${seconds(plan.costMs(left))}, and of ${seconds(Math.max(late, plan.budgetMs))} too little was left${expectedText(left.expected)}`,
        null,
      );
    await this.#finish(plan);
    this.#progress.done();
    return this.#done();
  }

  async #openTargets(simplified: State): Promise<void> {
    const request = this.#request;
    const limitMs = this.#limitMs();
    for (const device of request.devices) {
      throwIfAborted(request.signal);
      this.#progress.step(`${device.target}: the float model`);
      try {
        const opening = {
          request,
          simplified,
          recipe: this.#recipe,
          services: this.#services,
          limitMs,
          record: this.#record,
        };
        this.#states.push(await openTarget(opening, device));
      } catch (error) {
        this.#skip(device.target, error);
      }
    }
    if (this.#states.length === 0) this.#noTarget();
    for (const [index, state] of this.#states.entries())
      this.#states[index] = await withQuickestAnswers(state, this.#states, request, limitMs);
  }

  /** A target that fails is left out while there are others. */
  #skip(target: TargetName, error: unknown): void {
    if (!isRefusal(error) && !isOfOtherSizes(target, error)) throw error;
    if (this.#request.devices.length === 1) throw error;
    this.#record.skip(target, error.message);
  }

  /** As `#skip`, of one that something is planned for. */
  #drop(state: TargetState, error: unknown, plan: Plan): void {
    const { target } = state.device;
    this.#skip(target, error);
    this.#states.splice(this.#states.indexOf(state), 1);
    for (const one of plan.waiting.filter((other) => other.target === target)) plan.withdraw(one);
  }

  #noTarget(): never {
    const reasons = this.#record.skipped.map(({ target, reason }) => `${target}: ${reason}`);
    throw new PareError("ENGINE", `No target could run the model: ${reasons.join("; ")}`);
  }

  async #makePlan(simplified: State): Promise<Plan> {
    const { clock, budget, onPlan, measure } = this.#request;
    const planned: Planned[] = [];
    for (const { device } of this.#states) {
      const choices = choicesFor(this.#request, device, this.#recipe, simplified);
      planned.push(...choices.planned);
      for (const { planned: one, reason } of choices.left)
        this.#record.turnDown(
          device.target,
          one,
          "not",
          `${reason}${expectedText(one.expected)}`,
          null,
        );
    }
    const plan = new Plan({
      facts: this.#states.map(({ facts }) => facts),
      planned,
      nowMs: clock.now(),
      askedMs: budget.timeBudgetMs,
      calibration: Math.min(calibrationSamples, measure.samples("calibration")),
      earlier: await earlierCounts(this.#request),
    });
    await keepCounts(this.#request, plan.counts);
    this.#plan = plan;
    for (const state of this.#states) await this.#noteKnown(state, plan);
    this.#progress.planned(plan);
    onPlan?.(plan.summary);
    return plan;
  }

  /** On the validation samples; targets side by side, because nothing is timed. */
  async #measureFloat(plan: Plan): Promise<void> {
    const { measure, signal, evidence, clock } = this.#request;
    // Where there is no time to try anything, nothing is looked at beside it.
    if (evidence === "none" || plan.deadlineMs <= clock.now()) return;
    this.#progress.step("the float model on the validation samples");
    const states = [...this.#states];
    const looked = await Promise.allSettled(
      states.map(async (state) => {
        const { device, floatAnswers, float } = state;
        const count = plan.countsOf(device.target).validation;
        const ask = {
          ...floatAnswers,
          split: "validation",
          count,
          signal,
          limitMs: this.#limitMs(),
        } as const;
        const accuracy = await measure.accuracy(ask);
        if (state.baseline !== null) state.baseline.accuracy = accuracy;
        state.float = { ...float, accuracy };
        state.required = state.float;
        state.recipe = state.float;
      }),
    );
    for (const [index, state] of states.entries()) {
      const result = looked[index];
      if (result?.status !== "rejected") continue;
      if (!isOfOtherSizes(state.device.target, result.reason)) throw result.reason;
      this.#drop(state, result.reason, plan);
    }
  }

  /** Of each target at most one: made and timed one after the other, and decided side by side, because nothing is timed then. */
  async #tryRound(round: readonly Planned[], simplified: State, plan: Plan): Promise<void> {
    const { clock, signal } = this.#request;
    const screened: (Deciding & { readonly trial: Trial })[] = [];
    for (const planned of round) {
      throwIfAborted(signal);
      const trial = this.#trialOf(planned, simplified, plan);
      await this.#learn(trial, plan);
      const began = clock.now();
      const outcome = await screenCandidate(planned, trial.from, trial.before, trial.context);
      const decide = "decide" in outcome ? outcome.decide : async () => outcome;
      screened.push({ trial, decide, tookMs: clock.now() - began });
    }
    await decideSideBySide(screened, clock, ({ trial }, outcome, ms) =>
      this.#decided(trial, outcome, ms, plan),
    );
  }

  /** What learns is made before its candidate, once for all targets: it is no part of what a candidate takes. */
  async #learn({ planned, from }: Trial, plan: Plan): Promise<void> {
    if (planned.learningRuns === 0) return;
    const { clock, signal } = this.#request;
    const began = clock.now();
    // A failure is told as its candidate's own.
    await change(from, planned.group, planned.precision, this.#services).catch(() => {});
    throwIfAborted(signal);
    plan.learned(planned, clock.now() - began);
  }

  async #decided(trial: Trial, outcome: Outcome, tookMs: number, plan: Plan): Promise<void> {
    const { planned, state, before } = trial;
    const accepted = await this.#take(planned, outcome, state, before);
    await this.#noteKnown(state, plan);
    const tried = outcome.accepted ? outcome.tried : outcome.measured;
    this.#tried(trial, plan, {
      tookMs,
      accepted,
      latency: latencyNextToFloat(state, tried),
      lost: !outcome.accepted && outcome.tooCoarse,
    });
  }

  async #tryMixed(
    planned: Planned,
    coarse: TooCoarse,
    simplified: State,
    plan: Plan,
  ): Promise<void> {
    const { clock } = this.#request;
    const began = clock.now();
    const trial = this.#trialOf(planned, simplified, plan);
    const { state, from, before, context } = trial;
    // Whatever is found out, a candidate comes of it.
    const candidateMs = plan.costMs({ ...planned, extraMs: 0 });
    const isLate = (): boolean => !plan.mayGoOn(planned, began, candidateMs, clock.now());
    const { outcomes, sensitivity } = await tryMixed(
      coarse,
      from,
      before,
      context,
      quickestFor(state, this.#states).device,
      isLate,
    );
    this.#record.sensitivity(sensitivity);
    let accepted = false;
    for (const [one, outcome] of outcomes)
      accepted = (await this.#take(one, outcome, state, before)) || accepted;
    await this.#noteKnown(state, plan);
    const tookMs = clock.now() - began;
    this.#tried(trial, plan, { tookMs, accepted, latency: null, lost: !accepted });
  }

  #trialOf(planned: Planned, simplified: State, plan: Plan): Trial {
    const state = this.#states.find(({ device }) => device.target === planned.target);
    if (state === undefined) throw new RangeError(`Nothing is planned for ${planned.target}.`);
    const what = `${planned.target}: ${planned.name}`;
    this.#progress.step(what);
    // What the table proposes comes after the recipe's steps, as far as these left a float model to propose it for.
    const after = planned.first || state.recipe.precision === "float32";
    const before = after ? state.recipe : state.required;
    const from: State = before === state.float ? simplified : before;
    return { planned, state, from, before, context: this.#trialContext(state, plan, what) };
  }

  #tried({ planned, state }: Trial, plan: Plan, came: Omit<Came, "best" | "isOpen">): void {
    const best = this.#best(state);
    plan.note(planned, {
      ...came,
      best: nextToFloat(state, best),
      isOpen: this.#isOpen(state, best),
    });
    if (this.#request.examples !== undefined)
      this.#partly.plan(planned.target, quickestFor(state, this.#states), plan);
  }

  /** What an earlier run kept need not be looked at again: the search has the more time. */
  async #noteKnown(state: TargetState, plan: Plan): Promise<void> {
    const { measure, evidence } = this.#request;
    if (evidence === "none") return;
    const { device, reference } = state;
    const count = plan.countsOf(device.target).test;
    const ask = { target: device.standIn ?? device.target, split: "test", count } as const;
    const floatIsKnown = await measure.knows({ ...ask, artifact: reference });
    const { artifact } = this.#best(state);
    const bestIsKnown =
      floatIsKnown && (await measure.knows({ ...ask, artifact, float: reference }));
    plan.knows(device.target, { floatIsKnown, bestIsKnown });
  }

  /** Whether the samples that were looked at leave open if it holds, and something else would be next. */
  #isOpen({ device, accepted, screened }: TargetState, best: Tried): boolean {
    const { budget, evidence } = this.#request;
    const { maxDrop } = budget.limits(device.target);
    const { accuracy } = best;
    const hasNext = screened.length > 0 || accepted.some((one) => one !== best);
    return hasNext && accuracy?.drop != null && lookAt(accuracy, { maxDrop, evidence }) === "open";
  }

  async #take(
    planned: Planned,
    outcome: Outcome,
    state: TargetState,
    before: Tried,
  ): Promise<boolean> {
    const wasBest = this.#best(state);
    const coarse = take(planned, outcome, state, before, this.#record);
    if (coarse !== null) this.#partly.lost(coarse);
    if (this.#best(state) !== wasBest) await this.#improved(state);
    return outcome.accepted;
  }

  #trialContext(state: TargetState, plan: Plan, about: string): TrialContext {
    const { clock } = this.#request;
    return {
      request: this.#request,
      device: state.device,
      services: this.#services,
      ending: this.#recipe.ending,
      reference: state.reference,
      floatAnswers: state.floatAnswers,
      best: this.#best(state),
      validation: plan.countsOf(state.device.target).validation,
      affordsMore: (samples, worth) =>
        plan.affords(state.device.target, samples, worth, clock.now()),
      made: state.made,
      limitMs: this.#limitMs(),
      say: (what) => this.#progress.say(`${about}: ${what}`),
    };
  }

  async #finish(plan: Plan): Promise<void> {
    plan.beginEnding(this.#request.clock.now());
    const contexts = this.#states.map((state): FinalsContext => ({
      request: this.#request,
      state,
      record: this.#record,
      validation: plan.countsOf(state.device.target).validation,
      test: plan.testSamples(state.device.target, this.#request.clock.now()),
      affordable: () => plan.affordableAtEnd(state.device.target, this.#request.clock.now()),
      isLate: () => this.#request.clock.now() > plan.budgetMs,
      limitMs: Math.max(this.#limitMs(), slowdown * (state.facts.loadMs + state.facts.runMs)),
      say: (what) => this.#progress.say(`${state.device.target}: ${what}`),
    }));
    const rankings: Ranking[] = [];
    for (const context of contexts) rankings.push(await rankFinalists(context));
    // Nothing is timed while the test samples are looked at: targets side by side.
    this.#progress.step("the test samples");
    const tested = await Promise.allSettled(
      contexts.map(async (context, index) => {
        const ranking = rankings[index];
        return ranking === undefined ? undefined : testRanked(context, ranking, 5000);
      }),
    );
    for (const [index, context] of contexts.entries()) {
      const [ranking, result] = [rankings[index], tested[index]];
      if (ranking === undefined || result === undefined) continue;
      throwIfAborted(this.#request.signal);
      if (result.status === "rejected") this.#skip(context.state.device.target, result.reason);
      else if (result.value !== undefined)
        this.#record.decide(await publish(context, ranking, result.value));
    }
    if (this.#record.isEmpty) this.#noTarget();
  }

  /** Hands over what is best now: of one target or, at first, of all. */
  async #improved(only?: TargetState): Promise<void> {
    const { onImproved, clock } = this.#request;
    for (const state of only === undefined ? this.#states : [only])
      this.#record.decide(await interim(this.#request, state, this.#best(state), this.#record));
    if (only !== undefined) {
      const { name } = this.#best(only);
      this.#improvements.push({ target: only.device.target, name, atMs: clock.now() });
    }
    await onImproved?.(this.#done());
  }

  #done(): Optimized {
    const time: SearchTime | null = this.#plan && {
      budgetMs: this.#plan.budgetMs,
      expectedMs: this.#plan.summary.expectedMs,
      rangeMs: [this.#plan.summary.lowMs, this.#plan.summary.highMs],
      tookMs: this.#request.clock.now(),
      improvements: [...this.#improvements],
    };
    return { ...this.#record.done(), time };
  }

  #best(state: TargetState): Tried {
    return bestOf(state, this.#request.budget.prefer);
  }

  /** How long an engine may take for one answer: until the time is up, and never less than a few seconds. */
  #limitMs(): number {
    const { clock, budget } = this.#request;
    if (this.#plan === null) {
      const given = budget.timeBudgetMs;
      return given === null ? patienceMs : Math.max(graceMs, given - clock.now());
    }
    return Math.max(graceMs, this.#plan.budgetMs - clock.now());
  }
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))} s`;
}

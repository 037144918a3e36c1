import { throwIfAborted } from "@pare/runtime/format";
import type { BestSoFar } from "./best-so-far.js";
import type { Planned, State, Tried } from "./candidate.js";
import { noteKnown } from "./trial/known-answers.js";
import { LearningInTime } from "./learning-in-time.js";
import { type WholeStatic, tryMixed } from "./trial/mixed.js";
import { PartlyFloat, quickestFor } from "./trial/partly-float.js";
import type { Came, Plan } from "./plan/plan.js";
import { answerLimitMs, type Search } from "./search.js";
import { type Deciding, decideSideBySide } from "./trial/side-by-side.js";
import { take } from "./trial/take.js";
import {
  bestOf,
  hasStandIn,
  isOpen,
  latencyNextToFloat,
  nextToFloat,
  overLimitsOf,
  type TargetState,
} from "./trial/target-state.js";
import { notTried, type Outcome, screenCandidate, type TrialContext } from "./trial/trial.js";

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

/** Tries what a plan says, a round at a time, and tells the plan what came of it. */
export class Rounds {
  readonly #search: Search;
  readonly #simplified: State;
  readonly #plan: Plan;
  readonly #bestSoFar: BestSoFar;
  readonly #partly = new PartlyFloat();
  readonly #learning: LearningInTime;
  /** What was put in hand before it was decided. */
  readonly #soFar = new Map<Planned, Tried>();

  /** @param simplified the float model that all begins with */
  constructor(search: Search, simplified: State, plan: Plan, bestSoFar: BestSoFar) {
    this.#search = search;
    this.#simplified = simplified;
    this.#plan = plan;
    this.#bestSoFar = bestSoFar;
    this.#learning = new LearningInTime(search, plan);
  }

  /** Until there is nothing left, or no time for it. */
  async run(): Promise<void> {
    const { clock } = this.#search.request;
    const next = (): readonly Planned[] => this.#plan.nextRound(clock.now());
    for (let round = next(); round.length > 0; round = next()) {
      await this.#bestSoFar.catchUp(false);
      const [alone] = round;
      const whole = alone && this.#partly.wholeOf(alone);
      if (alone && whole) await this.#tryMixed(alone, whole);
      else await this.#tryRound(round);
    }
  }

  /** Of each target at most one: made and timed one after the other, and decided side by side, because nothing is timed then. */
  async #tryRound(round: readonly Planned[]): Promise<void> {
    const { clock, signal } = this.#search.request;
    const screened: (Deciding & { readonly trial: Trial })[] = [];
    for (const planned of round) {
      throwIfAborted(signal);
      const trial = this.#trialOf(planned);
      const tooLong = await this.#learning.make(planned, trial.from);
      const began = clock.now();
      const outcome =
        tooLong === null
          ? await screenCandidate(planned, trial.from, trial.before, trial.context)
          : notTried(tooLong);
      const decide = "decide" in outcome ? outcome.decide : async () => outcome;
      screened.push({ trial, decide, tookMs: clock.now() - began });
    }
    await decideSideBySide(
      screened,
      clock,
      ({ trial }, tried) => this.#inHandSoFar(trial, tried),
      ({ trial }, outcome, ms) => this.#decided(trial, outcome, ms),
    );
  }

  /** Where nothing else is in hand, what holds so far is, while more samples are looked at. */
  async #inHandSoFar({ planned, state }: Trial, tried: Tried): Promise<void> {
    if (planned.first || state.accepted.length > 0) return;
    state.accepted.push(tried);
    this.#soFar.set(planned, tried);
    if (bestOf(state, this.#search.request.budget) === tried) await this.#bestSoFar.improved(state);
  }

  async #decided(trial: Trial, outcome: Outcome, tookMs: number): Promise<void> {
    const { state } = trial;
    const accepted = await this.#take(trial, trial.planned, outcome);
    await noteKnown(this.#search.request, state, this.#plan);
    const tried = outcome.accepted ? outcome.tried : outcome.measured;
    this.#tried(trial, {
      tookMs,
      accepted,
      latency: latencyNextToFloat(state, tried),
      lost: !outcome.accepted && outcome.tooCoarse,
    });
  }

  async #tryMixed(planned: Planned, whole: WholeStatic): Promise<void> {
    const { request, states, record } = this.#search;
    const { clock } = request;
    const began = clock.now();
    const trial = this.#trialOf(planned);
    const { state, from, before, context } = trial;
    // Whatever is found out, a candidate comes of it.
    const candidateMs = this.#plan.costMs({ ...planned, extraMs: 0 });
    const isLate = (): boolean => !this.#plan.mayGoOn(planned, began, candidateMs, clock.now());
    const { outcomes, sensitivity } = await tryMixed(
      whole,
      from,
      before,
      context,
      quickestFor(state, states).device,
      isLate,
    );
    record.sensitivity(sensitivity);
    let accepted = false;
    for (const [one, outcome] of outcomes)
      accepted = (await this.#take(trial, one, outcome)) || accepted;
    await noteKnown(request, state, this.#plan);
    const tookMs = clock.now() - began;
    this.#tried(trial, { tookMs, accepted, latency: null, lost: !accepted });
  }

  #trialOf(planned: Planned): Trial {
    const { states, progress } = this.#search;
    const state = states.find(({ device }) => device.target === planned.target);
    if (state === undefined) throw new RangeError(`Nothing is planned for ${planned.target}.`);
    const what = `${planned.target}: ${planned.name}`;
    progress.step(what);
    // What the table proposes comes after the recipe's steps, as far as these left a float model to propose it for.
    const after = planned.first || state.recipe.precision === "float32";
    const before = after ? state.recipe : state.required;
    const from: State = before === state.float ? this.#simplified : before;
    return { planned, state, from, before, context: this.#trialContext(state, what) };
  }

  #trialContext(state: TargetState, about: string): TrialContext {
    const { request, services, recipe, progress } = this.#search;
    const plan = this.#plan;
    const { device, reference, floatAnswers, made } = state;
    return {
      request,
      device,
      services,
      ending: recipe.ending,
      reference,
      floatAnswers,
      best: bestOf(state, request.budget),
      validation: plan.schedule.countsOf(device.target).validation,
      affordsMore: (samples, worth) =>
        plan.affords(device.target, samples, worth, request.clock.now()),
      over: (one) => overLimitsOf(state, request.budget, one),
      made,
      limitMs: answerLimitMs(request, plan),
      say: (what) => progress.say(`${about}: ${what}`),
    };
  }

  /** @returns whether it was accepted */
  async #take({ state, before }: Trial, planned: Planned, outcome: Outcome): Promise<boolean> {
    const { request, record } = this.#search;
    const wasBest = bestOf(state, request.budget);
    const soFar = this.#soFar.get(planned);
    if (soFar !== undefined) state.accepted.splice(state.accepted.indexOf(soFar), 1);
    const whole = take(planned, outcome, state, before, record);
    if (whole !== null && outcome.accepted) this.#partly.held(outcome.tried, whole);
    else if (whole !== null) this.#partly.lost(whole);
    if (bestOf(state, request.budget) !== wasBest) await this.#bestSoFar.improved(state);
    return outcome.accepted;
  }

  /** Tells the plan, and plans what the result suggests. */
  #tried({ planned, state }: Trial, came: Omit<Came, "best" | "isOpen">): void {
    const { request, states } = this.#search;
    const best = bestOf(state, request.budget);
    const mayFail = isOpen(request, state, best);
    const hasNext = state.screened.length > 0 || state.accepted.some((one) => one !== best);
    this.#plan.note(planned, {
      ...came,
      best: nextToFloat(state, best),
      isOpen: hasNext && mayFail,
    });
    if (request.examples !== undefined)
      this.#partly.plan(
        planned.target,
        mayFail && !hasStandIn(state, best) ? best : null,
        quickestFor(state, states),
        this.#plan,
      );
  }
}

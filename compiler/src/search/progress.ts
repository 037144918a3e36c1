import type { Plan } from "./plan/plan.js";
import type { OptimizeRequest } from "./request.js";
import { defaultBudgetMs } from "./plan/schedule.js";
import { bestOf, type TargetState } from "./trial/target-state.js";

/** So far it may seem before there is a plan: what that says is not known. */
const mostUnknown = 0.1;

/** Tells how far a search is, as a share of what the whole is expected to take; it never falls. */
export class Progress {
  readonly #request: OptimizeRequest;
  readonly #states: readonly TargetState[];
  #plan: Plan | null = null;
  #fraction = 0;
  #step = "";

  /** @param states of the targets that are open, as they come */
  constructor(request: OptimizeRequest, states: readonly TargetState[]) {
    this.#request = request;
    this.#states = states;
  }

  /** Estimates rest on it from here. */
  planned(plan: Plan): void {
    this.#plan = plan;
  }

  /** A step begins. */
  step(what: string): void {
    this.#step = what;
    this.say(what);
  }

  /** Something within the step. */
  within(what: string): void {
    this.say(`${this.#step}: ${what}`);
  }

  say(what: string): void {
    const { clock, budget } = this.#request;
    const now = clock.now();
    const endMs = this.#plan?.expectedEndMs(now) ?? budget.timeBudgetMs;
    if (endMs === null) this.#tell(Math.min(mostUnknown, now / defaultBudgetMs), Infinity, what);
    else this.#tell(Math.min(0.99, now / Math.max(1, endMs)), endMs, what);
  }

  done(): void {
    this.#tell(1, this.#request.clock.now(), "done");
  }

  #tell(fraction: number, endMs: number, what: string): void {
    this.#fraction = Math.max(this.#fraction, fraction);
    const best = this.#bestText();
    this.#request.onProgress?.({ fraction: this.#fraction, endMs, what, best });
  }

  #bestText(): string | null {
    const texts = this.#states.flatMap((state) => {
      const best = bestOf(state, this.#request.budget);
      if (best === state.float) return [];
      const time = best.latency === null ? "" : `${best.latency.ratio.toFixed(2)}×, `;
      const size = Math.round((100 * best.size.brotli) / state.float.size.brotli);
      return [`${state.device.target} ${best.name} ${time}${size} %`];
    });
    return texts.length === 0 ? null : texts.join("; ");
  }
}

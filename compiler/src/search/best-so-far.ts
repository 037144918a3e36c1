import { isPareError, type SearchTime } from "@pare/runtime/format";
import type { Plan } from "./plan/plan.js";
import { interim } from "./finals/publish.js";
import { isRefusal } from "./refusal.js";
import type { Optimized } from "./request.js";
import type { Search } from "./search.js";
import { bestOf, type TargetState } from "./trial/target-state.js";

/** After handing over, so many times as long as that took nothing is handed over: where all is known, better comes after better. */
const rest = 5;

/** Hands over what is best so far when something better is, so that it stays whatever comes after. */
export class BestSoFar {
  readonly #search: Search;
  readonly #plan: Plan;
  readonly #improvements: SearchTime["improvements"][number][] = [];
  /** Something better is there than was handed over. */
  #isBehind = false;
  #restsUntilMs = -Infinity;

  constructor(search: Search, plan: Plan) {
    this.#search = search;
    this.#plan = plan;
  }

  /** At first: the float models of all targets. */
  async begin(): Promise<void> {
    for (const state of this.#search.states) await this.#decide(state);
    await this.#handOver();
  }

  /** Something better was found on a target. */
  async improved(state: TargetState): Promise<void> {
    const { clock, budget } = this.#search.request;
    await this.#decide(state);
    const { name } = bestOf(state, budget);
    const { target } = state.device;
    const last = this.#improvements.findLast((one) => one.target === target);
    if (last?.name !== name) this.#improvements.push({ target, name, atMs: clock.now() });
    this.#isBehind = true;
    await this.catchUp(false);
  }

  /** @param atOnce because what follows takes long, and not when it has rested */
  async catchUp(atOnce: boolean): Promise<void> {
    const hasRested = this.#search.request.clock.now() >= this.#restsUntilMs;
    if (!this.#isBehind || !(atOnce || hasRested)) return;
    try {
      await this.#handOver();
    } catch (error) {
      // What was handed over before stays, and what comes after may do: one file's fault is no end of the search.
      if (!isRefusal(error) && !(isPareError(error) && error.code === "GOLDEN")) throw error;
      this.#isBehind = true;
    }
  }

  /** All that is decided now, and how long it took. */
  done(): Optimized {
    const { summary, budgetMs } = this.#plan.schedule;
    return {
      ...this.#search.record.done(),
      time: {
        budgetMs,
        expectedMs: summary.expectedMs,
        rangeMs: [summary.lowMs, summary.highMs],
        tookMs: this.#search.request.clock.now(),
        improvements: [...this.#improvements],
      },
    };
  }

  async #decide(state: TargetState): Promise<void> {
    const { request, record } = this.#search;
    const best = bestOf(state, request.budget);
    record.decide(await interim(request, state, best, record));
  }

  async #handOver(): Promise<void> {
    const { clock, onImproved } = this.#search.request;
    const beganMs = clock.now();
    this.#isBehind = false;
    try {
      await onImproved?.(this.done());
    } finally {
      const endMs = clock.now();
      this.#restsUntilMs = endMs + rest * (endMs - beganMs);
    }
  }
}

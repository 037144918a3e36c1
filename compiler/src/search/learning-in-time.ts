import { throwIfAborted } from "@pare/runtime/format";
import type { Planned, State } from "./candidate.js";
import { groupKey } from "./make/learned.js";
import { LearningLimit } from "./plan/learning-limit.js";
import { change } from "./make/make.js";
import type { Plan } from "./plan/plan.js";
import type { Search } from "./search.js";

/** Makes what learns before its candidate, once for all targets: it is no part of what a candidate takes. */
export class LearningInTime {
  readonly #search: Search;
  readonly #plan: Plan;
  /** Of groups that there was no time for: why. */
  readonly #tooLong = new Map<string, string>();

  constructor(search: Search, plan: Plan) {
    this.#search = search;
    this.#plan = plan;
  }

  /**
   * @returns why it was not made, where it would take longer than there is time for; null also where it failed, which is
   * told as its candidate's own
   * @throws PareError ABORTED
   */
  async make(planned: Planned, from: State): Promise<string | null> {
    const { group, precision, learningRuns } = planned;
    if (learningRuns === 0) return null;
    const key = groupKey(group);
    const known = this.#tooLong.get(key);
    if (known !== undefined) return known;
    const { request, services, progress } = this.#search;
    const { clock, signal } = request;
    const began = clock.now();
    const endMs = this.#plan.learningEndMs(planned, began);
    this.#plan.learning(planned, began, null);
    const limit = new LearningLimit(clock, endMs, group.steps.length, signal);
    const onProgress = (fraction: number, what: string): void => {
      const untilMs = limit.told(fraction);
      if (untilMs !== null) this.#plan.learning(planned, clock.now(), untilMs);
      progress.within(what);
    };
    const limited = { ...services, signal: limit.signal, onProgress };
    await change(from, group, precision, limited).catch(() => {});
    limit.close();
    throwIfAborted(signal);
    const { tooLateMs } = limit;
    this.#plan.learned(planned, (tooLateMs ?? clock.now()) - began);
    if (tooLateMs === null) return null;
    const why = tooLittleText("learning", tooLateMs - began, this.#plan.schedule.budgetMs);
    this.#tooLong.set(key, why);
    return why;
  }
}

/** Of what was not tried: how long it takes, and of what too little was left. */
export function tooLittleText(what: "it" | "learning", ms: number, budgetMs: number): string {
  return `not tried: ${what} takes about ${seconds(ms)}, and of ${seconds(budgetMs)} too little was left`;
}

export function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))} s`;
}

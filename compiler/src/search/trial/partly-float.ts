import type { TargetName } from "@pare/runtime/format";
import type { Planned, Tried } from "../candidate.js";
import { sensitivityMs } from "../plan/costs.js";
import { mixedPlan, type WholeStatic } from "./mixed.js";
import type { Plan } from "../plan/plan.js";
import { sameFormat, type TargetState } from "./target-state.js";

/**
 * Of the static files of a target that lost too much, the one that lost least is tried with some of it left float. So is
 * the best one where it may fail on the test samples: then something nearly as fast is there.
 */
export class PartlyFloat {
  readonly #lost = new Map<TargetName, WholeStatic>();
  readonly #held = new Map<Tried, WholeStatic>();
  readonly #planned = new Map<Planned, WholeStatic>();

  /** One that lost too much. */
  lost(found: WholeStatic): void {
    const { target } = found.planned;
    const known = this.#lost.get(target);
    if (known === undefined || found.drop < known.drop) this.#lost.set(target, found);
  }

  /** One that was accepted. */
  held(tried: Tried, found: WholeStatic): void {
    this.#held.set(tried, found);
  }

  /**
   * Plans what to try of a target now; what was planned of others is left.
   * @param mayFail what is best there, where that is open
   */
  plan(target: TargetName, mayFail: Tried | null, quickest: TargetState, plan: Plan): void {
    const held = mayFail === null ? undefined : this.#held.get(mayFail);
    const wanted = [this.#lost.get(target), held].filter((one) => one !== undefined);
    for (const [before, whole] of this.#planned)
      if (before.target === target && !wanted.includes(whole) && plan.withdraw(before))
        this.#planned.delete(before);
    const known = [...this.#planned.values()];
    for (const one of wanted) {
      if (known.includes(one)) continue;
      const planned = mixedPlan(one, quickest.facts);
      this.#planned.set(planned, one);
      plan.add(planned, one === held);
    }
  }

  /** What a plan is a part of; undefined where it is none of these. */
  wholeOf(planned: Planned): WholeStatic | undefined {
    return this.#planned.get(planned);
  }
}

/** Where to find out which layers are sensitive: the numbers are the same on all engines whose integers are exact. */
export function quickestFor(state: TargetState, all: readonly TargetState[]): TargetState {
  return all
    .filter((one) => one.facts.timed && !one.facts.saturates && sameFormat(one, state))
    .reduce((best, one) => (trialMs(one) < trialMs(best) ? one : best), state);
}

function trialMs({ facts }: TargetState): number {
  return sensitivityMs(facts.layers, facts);
}

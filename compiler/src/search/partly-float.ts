import type { TargetName } from "@pare/runtime/format";
import type { Planned } from "./candidate.js";
import { sensitivityMs } from "./costs.js";
import { mixedPlan, type TooCoarse } from "./mixed.js";
import type { Plan } from "./plan.js";
import { sameFormat, type TargetState } from "./target-state.js";

/** Of the static files of a target that lost too much, the one that lost least is tried with some of it left float. */
export class PartlyFloat {
  readonly #coarse = new Map<TargetName, TooCoarse>();
  readonly #planned = new Map<Planned, TooCoarse>();

  lost(found: TooCoarse): void {
    const { target } = found.planned;
    const known = this.#coarse.get(target);
    if (known === undefined || found.drop < known.drop) this.#coarse.set(target, found);
  }

  /** Plans it; what was planned of one that lost more is left. */
  plan(target: TargetName, quickest: TargetState, plan: Plan): void {
    const coarse = this.#coarse.get(target);
    if (coarse === undefined || [...this.#planned.values()].includes(coarse)) return;
    for (const [before] of this.#planned) if (before.target === target) plan.withdraw(before);
    const planned = mixedPlan(coarse, quickest.facts);
    this.#planned.set(planned, coarse);
    plan.add(planned);
  }

  /** What a plan is a part of; undefined where it is none of these. */
  wholeOf(planned: Planned): TooCoarse | undefined {
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

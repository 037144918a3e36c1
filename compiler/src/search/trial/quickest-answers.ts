import type { Measured, TargetName } from "@pare/runtime/format";
import { sharedMs } from "../plan/costs.js";
import type { OptimizeRequest } from "../request.js";
import { sameFormat, type TargetState } from "./target-state.js";
import { isRefusal } from "../refusal.js";

/** By how much engines that compute the same in float may differ, of the largest output. */
const sameFloat = 1e-3;
/** Of a candidate, whose roundings fall otherwise now and then: a few steps of an integer output, as often up as down. */
const sameCandidate = 3e-2;
/** What must be saved, at least, for finding out whether they say the same: it takes a load and a few runs. */
const worthMs = 1000;
/** A few samples tell: no label hides what outputs show. */
const compared = { count: 4, atLeast: 2, maxMs: 500 };

/**
 * On the validation samples the quickest engine that says the same as a target's own answers for it: what is asked there
 * decides what is tried, and of several targets' floats one is run. On the test samples each answers itself.
 */
export async function withQuickestAnswers(
  state: TargetState,
  all: readonly TargetState[],
  { measure, evidence, signal }: OptimizeRequest,
  limitMs: number,
): Promise<TargetState> {
  if (evidence === "none" || state.device.standIn !== null) return state;
  const quickest = all
    .filter((one) => one.device.standIn === null && sameFormat(one, state))
    .reduce((best, one) => (sharedMs(one.facts) < sharedMs(best.facts) ? one : best), state);
  const saved = sharedMs(state.facts) - sharedMs(quickest.facts);
  if (state.facts.validation * saved < worthMs) return state;
  const { artifact, target } = quickest.floatAnswers;
  const own = { artifact: state.reference, target: state.device.target, signal, limitMs };
  if (!(await saysTheSame(measure, own, { artifact, target }, sameFloat))) return state;
  return {
    ...state,
    floatAnswers: { artifact, target },
    facts: { ...state.facts, answerMs: sharedMs(quickest.facts) },
  };
}

/** Where a candidate is asked on the validation samples: where the float model is, if it says the same there. */
export async function answering(
  own: Measured,
  quickest: TargetName,
  measure: OptimizeRequest["measure"],
): Promise<Measured> {
  if (quickest === own.target) return own;
  const there = { artifact: own.artifact, target: quickest };
  const same = await saysTheSame(measure, own, there, sameCandidate);
  return same ? { ...own, target: quickest } : own;
}

/** An engine that refuses a file does not say the same. */
async function saysTheSame(
  measure: OptimizeRequest["measure"],
  own: Measured,
  reference: Pick<Measured, "artifact" | "target">,
  within: number,
): Promise<boolean> {
  try {
    const parity = await measure.parity({ ...own, reference, split: "validation", ...compared });
    return parity !== null && parity.maxError <= within;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}

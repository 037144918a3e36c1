import type { OptimizeRequest } from "./request.js";
import type { TargetState } from "./target-state.js";
import { isRefusal } from "./trial.js";

/** By how much engines that compute the same in float may differ, of the largest output. */
const sameWithin = 1e-3;
/** What must be saved, at least, for finding out whether they say the same: it takes a load and a few runs. */
const worthMs = 1000;
/** A few samples tell: no label hides what outputs show. */
const compared = { count: 4, atLeast: 2, maxMs: 500 };

/**
 * On the validation samples the quickest engine that says the same as a target's own answers for its float model: what
 * is asked there decides what is tried, and of several targets' floats one is run. On the test samples each answers itself.
 */
export async function withQuickestAnswers(
  state: TargetState,
  all: readonly TargetState[],
  { measure, evidence, signal }: OptimizeRequest,
  limitMs: number,
): Promise<TargetState> {
  if (evidence === "none" || state.device.standIn !== null) return state;
  const quickest = all
    .filter(({ device }) => device.standIn === null)
    .reduce((best, one) => (one.facts.sampleMs < best.facts.sampleMs ? one : best), state);
  const { validation, sampleMs } = state.facts;
  if (validation * (sampleMs - quickest.facts.sampleMs) < worthMs) return state;
  const { artifact, target } = quickest.floatAnswers;
  try {
    const parity = await measure.parity({
      artifact: state.reference,
      target: state.device.target,
      reference: { artifact, target },
      split: "validation",
      ...compared,
      signal,
      limitMs,
    });
    if (parity === null || parity.maxError > sameWithin) return state;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return state;
  }
  return {
    ...state,
    floatAnswers: { artifact, target },
    facts: { ...state.facts, floatSampleMs: quickest.facts.sampleMs },
  };
}

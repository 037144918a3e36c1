import { sharedMs } from "../plan/costs.js";
import type { OptimizeRequest } from "../request.js";
import type { TargetState } from "./target-state.js";

/** What all samples of a target take, at least, for starting further engines: that takes a second or two. */
const worthMs = 10_000;

/** Has several engines of a target share samples where there is much to run, and that is quicker. */
export async function withSharedSamples(
  state: TargetState,
  { measure, evidence, signal }: OptimizeRequest,
  limitMs: number,
): Promise<TargetState> {
  const { device, facts, reference } = state;
  const { sampleMs, validation, test } = facts;
  if (evidence === "none" || device.standIn !== null) return state;
  if (sampleMs * (validation + test) < worthMs) return state;
  const request = { artifact: reference, target: device.target, signal, limitMs };
  const shared = await measure.shareSamples(request);
  const now = { ...facts, shared };
  return { ...state, facts: { ...now, answerMs: sharedMs(now) } };
}

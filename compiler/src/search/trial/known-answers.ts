import type { Plan } from "../plan/plan.js";
import type { OptimizeRequest } from "../request.js";
import { bestOf, type TargetState } from "./target-state.js";

/** What an earlier run kept of the test samples need not be looked at again: the search has the more time. */
export async function noteKnown(
  { measure, evidence, budget }: OptimizeRequest,
  state: TargetState,
  plan: Plan,
): Promise<void> {
  if (evidence === "none") return;
  const { device, reference } = state;
  const count = plan.schedule.countsOf(device.target).test;
  const ask = { target: device.standIn ?? device.target, split: "test", count } as const;
  const floatIsKnown = await measure.knows({ ...ask, artifact: reference });
  const { artifact } = bestOf(state, budget);
  const bestIsKnown = floatIsKnown && (await measure.knows({ ...ask, artifact, float: reference }));
  plan.schedule.knows(device.target, { floatIsKnown, bestIsKnown });
}

import { dropTarget } from "./open-targets.js";
import type { Plan } from "./plan.js";
import { isOfOtherSizes } from "./refusal.js";
import { answerLimitMs, type Search } from "./search.js";

/** Looks at the float model on the validation samples; targets side by side, because nothing is timed. */
export async function measureFloat(search: Search, plan: Plan): Promise<void> {
  const { request, progress } = search;
  const { measure, signal, evidence, clock } = request;
  // Where there is no time to try anything, nothing is looked at beside it.
  if (evidence === "none" || plan.deadlineMs <= clock.now()) return;
  progress.step("the float model on the validation samples");
  const states = [...search.states];
  const looked = await Promise.allSettled(
    states.map(async (state) => {
      const { device, floatAnswers, float } = state;
      const accuracy = await measure.accuracy({
        ...floatAnswers,
        split: "validation",
        count: plan.countsOf(device.target).validation,
        signal,
        limitMs: answerLimitMs(request, plan),
      });
      if (state.baseline !== null) state.baseline.accuracy = accuracy;
      state.float = { ...float, accuracy };
      state.required = state.float;
      state.recipe = state.float;
    }),
  );
  for (const [index, state] of states.entries()) {
    const result = looked[index];
    if (result?.status !== "rejected") continue;
    if (!isOfOtherSizes(state.device.target, result.reason)) throw result.reason;
    dropTarget(search, plan, state, result.reason);
  }
}

import type { TargetName } from "@pare/runtime/format";
import { dropTarget, noTarget } from "./open-targets.js";
import type { Plan } from "./plan/plan.js";
import { answerLimitMs, type Search } from "./search.js";

/** So many samples tell what one takes, unless they took much less than expected: an earlier run knew them. */
const tellingSamples = 16;
const leastShare = 0.25;

/** Looks at the float model on the validation samples; targets side by side, because nothing is timed. */
export async function measureFloat(search: Search, plan: Plan): Promise<void> {
  const { request, progress } = search;
  const { measure, signal, evidence, clock } = request;
  // Where there is no time to try anything, nothing is looked at beside it.
  if (evidence === "none" || plan.schedule.deadlineMs <= clock.now()) return;
  progress.step("the float model on the validation samples");
  const states = [...search.states];
  const began = clock.now();
  const answerMs = new Map<TargetName, number>();
  const looked = await Promise.allSettled(
    states.map(async (state) => {
      const { device, floatAnswers, float, facts } = state;
      const count = plan.schedule.countsOf(device.target).validation;
      const accuracy = await measure.accuracy({
        ...floatAnswers,
        split: "validation",
        count,
        signal,
        limitMs: answerLimitMs(request, plan),
      });
      const eachMs = (clock.now() - began) / Math.max(1, count - facts.asked);
      const tells =
        floatAnswers.target === device.target &&
        count - facts.asked >= tellingSamples &&
        eachMs >= leastShare * facts.answerMs;
      if (tells) answerMs.set(device.target, eachMs);
      if (state.baseline !== null) state.baseline.accuracy = accuracy;
      state.float = { ...float, accuracy };
      state.required = state.float;
      state.recipe = state.float;
    }),
  );
  for (const { device, floatAnswers } of states) {
    const eachMs = answerMs.get(floatAnswers.target);
    if (eachMs !== undefined)
      plan.answered(device.target, eachMs, floatAnswers.target === device.target);
  }
  for (const [index, state] of states.entries()) {
    const result = looked[index];
    if (result?.status !== "rejected") continue;
    dropTarget(search, plan, state, result.reason);
  }
  if (search.states.length === 0) throw noTarget(search);
}

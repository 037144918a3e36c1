import type { Planned, State } from "./candidate.js";
import { earlierCounts, keepCounts } from "./plan/kept-counts.js";
import { noteKnown } from "./trial/known-answers.js";
import { seconds, tooLittleText } from "./learning-in-time.js";
import { Plan } from "./plan/plan.js";
import { choicesFor } from "./plan/planned.js";
import { defaultBudgetMs } from "./plan/schedule.js";
import type { Search } from "./search.js";
import { expectedText } from "./verdict/verdict.js";

/** Samples that calibrate, for the plan: what calibration takes at most. */
const calibrationSamples = 200;

/** What will be tried on the targets that are open, as the user is told before it is. */
export async function planSearch(
  { request, recipe, states, record, progress }: Search,
  simplified: State,
): Promise<Plan> {
  const { clock, budget, onPlan, measure } = request;
  const planned: Planned[] = [];
  for (const { device } of states) {
    const choices = await choicesFor(request, device, recipe, simplified);
    planned.push(...choices.planned);
    for (const { planned: one, reason } of choices.left)
      record.turnDown(device.target, one, "not", `${reason}${expectedText(one.expected)}`, null);
  }
  const plan = new Plan({
    facts: states.map(({ facts }) => facts),
    planned,
    nowMs: clock.now(),
    askedMs: budget.timeBudgetMs,
    calibration: Math.min(calibrationSamples, measure.samples("calibration")),
    earlier: await earlierCounts(request),
  });
  await keepCounts(request, plan.schedule.counts);
  for (const state of states) await noteKnown(request, state, plan);
  progress.planned(plan);
  onPlan?.(plan.schedule.summary);
  return plan;
}

/** Why a candidate was not tried that is tried only where what was planned leaves time. */
export const besideThePlan = "not tried: what was planned took the time that the plan said";

/** Says of what the time did not reach why it was left. */
export function turnDownWaiting({ request, record }: Search, plan: Plan): void {
  const late = Math.max(request.budget.timeBudgetMs ?? defaultBudgetMs, plan.schedule.budgetMs);
  const { tooShort, leastMs } = plan.schedule.summary;
  const because = tooShort ? ` (the cheapest sound plan takes ${seconds(leastMs)})` : "";
  for (const left of plan.left)
    record.turnDown(
      left.target,
      left,
      "not",
      `${plan.isSpare(left) ? besideThePlan : `${tooLittleText("it", plan.costMs(left), late)}${because}`}${expectedText(left.expected)}`,
      null,
    );
}

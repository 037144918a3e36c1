import type { Planned, Tried } from "../candidate.js";
import { type WholeStatic, wholeStatic } from "./mixed.js";
import { measurementOf, type SearchRecord } from "../record/record.js";
import { latencyNextToFloat, type TargetState } from "./target-state.js";
import type { Outcome } from "./trial.js";

/**
 * Records what came of a candidate and, where it was accepted, gives it its place among those that can be chosen.
 * @param before what a group of the recipe was judged against
 * @returns what more of may hold with some of its layers left float: it lost too much, or may on other samples; null where
 * that is not the matter
 */
export function take(
  planned: Planned,
  outcome: Outcome,
  state: TargetState,
  before: Tried,
  record: SearchRecord,
): WholeStatic | null {
  const { target } = state.device;
  const { name, group } = planned;
  const title = `${name}: ${group.name ?? group.steps.map(({ use }) => use).join(", ")}`;
  if (!outcome.accepted) {
    const { made, far, reason, measured } = outcome;
    if (made !== null && far === "screened" && !planned.first) {
      const { tryOut, latency = null, size } = measured ?? {};
      if (tryOut && size) state.screened.push({ ...made, tryOut, latency, size, accuracy: null });
    }
    const measurement = measured === null ? null : measurementOf(state, measured);
    record.step({
      target,
      name: title,
      kept: false,
      reason,
      before,
      after: made,
      tried: far,
      planned,
      measurement,
    });
    record.turnDown(target, planned, far, reason, measurement);
    if (made === null || !outcome.tooCoarse) return null;
    const drop = measured?.accuracy?.drop ?? Infinity;
    return wholeStatic(planned, made, drop, latencyNextToFloat(state, measured));
  }
  const { tried, reason } = outcome;
  const measurement = measurementOf(state, tried);
  record.step({
    target,
    name: title,
    kept: true,
    reason,
    before,
    after: tried,
    tried: "decided",
    planned,
    measurement,
  });
  if (planned.first && group.required) {
    state.accepted.length = 0;
    state.required = tried;
    state.recipe = tried;
    return null;
  }
  // What the recipe came to before is on the way to this, and no candidate beside it.
  const passed = planned.first ? state.accepted.indexOf(state.recipe) : -1;
  if (passed >= 0) state.accepted.splice(passed, 1);
  if (planned.first) state.recipe = tried;
  state.accepted.push(tried);
  const drop = tried.accuracy?.drop ?? 0;
  return wholeStatic(planned, tried, drop, latencyNextToFloat(state, tried));
}

import { PareError, type TargetName, throwIfAborted } from "@pare/runtime/format";
import type { State } from "./candidate.js";
import { leastTryMs, openTarget } from "./trial/open-target.js";
import type { Plan } from "./plan/plan.js";
import { withQuickestAnswers } from "./trial/quickest-answers.js";
import { withSharedSamples } from "./trial/shared-samples.js";
import { isOfOtherSizes, isRefusal, toBeRun } from "./refusal.js";
import { answerLimitMs, type Search } from "./search.js";
import type { TargetState } from "./trial/target-state.js";

/**
 * Opens the targets of all devices, one after the other because they are timed.
 * @throws PareError ENGINE where none can run the model
 */
export async function openTargets(search: Search, simplified: State): Promise<void> {
  const { request, recipe, services, record, states, progress } = search;
  let hasHung = false;
  for (const device of request.devices) {
    throwIfAborted(request.signal);
    progress.step(`${device.target}: the float model`);
    const allowedMs = answerLimitMs(request, null);
    // What took one engine all the time that there was is not waited for as long of the next.
    const limitMs: number = hasHung ? Math.min(leastTryMs, allowedMs) : allowedMs;
    const began = request.clock.now();
    try {
      const opening = { request, simplified, recipe, services, limitMs, record };
      states.push(await openTarget(opening, device));
    } catch (error) {
      hasHung ||= request.clock.now() - began >= limitMs;
      skipTarget(search, device.target, error);
    }
  }
  if (states.length === 0) throw noTarget(search);
  const limitMs = answerLimitMs(request, null);
  for (const [index, state] of states.entries())
    states[index] = await withSharedSamples(state, request, limitMs);
  for (const [index, state] of states.entries())
    states[index] = await withQuickestAnswers(state, states, request, limitMs);
}

/**
 * A target that fails is left out while there are others.
 * @throws what it failed with, where that is no refusal or there are none
 */
export function skipTarget({ request, record }: Search, target: TargetName, error: unknown): void {
  if (!isRefusal(error) && !isOfOtherSizes(target, error)) throw error;
  if (request.devices.length === 1) throw error;
  record.skip(target, error.message);
}

/** As `skipTarget`, of one that something is planned for. */
export function dropTarget(search: Search, plan: Plan, state: TargetState, error: unknown): void {
  const { target } = state.device;
  skipTarget(search, target, error);
  search.states.splice(search.states.indexOf(state), 1);
  for (const one of plan.waiting.filter((other) => other.target === target)) plan.withdraw(one);
}

/** What to throw where every target failed. */
export function noTarget({ record }: Search): PareError {
  const reasons = record.skipped.map(({ target, reason }) => `${target}: ${reason}`);
  return new PareError("ENGINE", `No target could run the model: ${reasons.join("; ")}`, {
    hint: toBeRun,
  });
}

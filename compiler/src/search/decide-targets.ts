import { throwIfAborted } from "@pare/runtime/format";
import type { TestCounts } from "./plan/counts.js";
import type { FinalsContext, TestContext } from "./finals/finals-context.js";
import { keepCounts } from "./plan/kept-counts.js";
import { noTarget, skipTarget } from "./open-targets.js";
import type { Plan } from "./plan/plan.js";
import { publish } from "./finals/publish.js";
import { rankFinalists, type Ranking } from "./finals/rank-finalists.js";
import { answerLimitMs, type Search } from "./search.js";
import { isOpen, type TargetState } from "./trial/target-state.js";
import { testRanked } from "./finals/test-ranked.js";

/** When the time is up, an engine may take so many times as long for an answer as for the float model's. */
const slowdown = 10;
/** For comparing the chosen file with the reference evaluation, of each target. */
const parityMs = 5000;

/** The end of a search: finalists are timed against each other, held against the test samples, and what stands is timed. */
export async function decideTargets(search: Search, plan: Plan): Promise<void> {
  const { request, record, progress, states } = search;
  plan.schedule.beginEnding(request.clock.now());
  const finals = states.map((state) => finalsContext(search, plan, state));
  const rankings: Ranking[] = [];
  for (const context of finals) rankings.push(await rankFinalists(context));
  const counts = await testCounts(search, plan, rankings);
  const contexts = finals.map((context): TestContext => {
    return { ...context, test: counts.get(context.state.device.target) ?? 0 };
  });
  // Nothing is timed while the test samples are looked at: targets side by side.
  progress.step("the test samples");
  const tested = await Promise.allSettled(
    contexts.map(async (context, index) => {
      const ranking = rankings[index];
      return ranking === undefined ? undefined : testRanked(context, ranking, parityMs);
    }),
  );
  for (const [index, context] of contexts.entries()) {
    const [ranking, result] = [rankings[index], tested[index]];
    if (ranking === undefined || result === undefined) continue;
    throwIfAborted(request.signal);
    try {
      if (result.status === "rejected") throw result.reason;
      if (result.value !== undefined) record.decide(await publish(context, ranking, result.value));
    } catch (error) {
      skipTarget(search, context.state.device.target, error);
    }
  }
  if (record.isEmpty) throw noTarget(search);
}

/** On how many test samples each target is looked at: fixed here, before any is, and kept for who repeats it. */
async function testCounts(
  { request, states }: Search,
  { schedule }: Plan,
  rankings: readonly Ranking[],
): Promise<TestCounts> {
  const open = states.flatMap((state, index) => {
    const best = rankings[index]?.ranked[0];
    return best !== undefined && isOpen(request, state, best) ? [state.device.target] : [];
  });
  const tested = schedule.testCounts(new Set(open), request.clock.now());
  await keepCounts(request, schedule.counted);
  return tested;
}

function finalsContext(
  { request, record, progress }: Search,
  plan: Plan,
  state: TargetState,
): FinalsContext {
  const { clock } = request;
  const { target } = state.device;
  const { loadMs, runMs } = state.facts;
  return {
    request,
    state,
    record,
    validation: plan.schedule.countsOf(target).validation,
    affordable: () => plan.schedule.affordableAtEnd(target, clock.now()),
    isLate: () => clock.now() > plan.schedule.budgetMs,
    limitMs: Math.max(answerLimitMs(request, plan), slowdown * (loadMs + runMs)),
    say: (what) => progress.say(`${target}: ${what}`),
  };
}

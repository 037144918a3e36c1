import { type Accuracy, throwIfAborted } from "@pare/runtime/format";
import type { Tried } from "../candidate.js";
import { fewestAfter, fewestOfFloat } from "../plan/costs.js";
import type { TestContext } from "./finals-context.js";
import type { Ranking } from "./rank-finalists.js";
import { measurementOf } from "../record/record.js";
import { checkAgreement } from "../trial/reference.js";
import { asContender, overLimitsOf, relativeTo } from "../trial/target-state.js";
import { isCandidatesFault } from "../refusal.js";
import { checkAccuracy, choose } from "../verdict/verdict.js";

/** What the test samples say of the best that holds on them. */
export interface Tested {
  readonly chosen: Tried;
  readonly accuracy: Accuracy | null;
  readonly baseline: Accuracy | null;
  readonly agreement: Awaited<ReturnType<typeof checkAgreement>>;
  readonly reason: string;
  /** All that were to be looked at, in order; some were not ranked, and come after what was better failed. */
  readonly looked: readonly Tried[];
  /** What was better in the search and failed on the test samples. */
  readonly failed: ReadonlyMap<string, string>;
}

/**
 * Takes the best candidate that also holds on the test samples; they are looked at once per candidate.
 * @throws PareError ENGINE, ENGINE_CRASHED, NO_MEMORY where the engine refuses all, the float model too
 */
export async function testRanked(
  context: TestContext,
  { ranked }: Ranking,
  parityMs: number,
): Promise<Tested> {
  const { request, state, test, affordable, limitMs, say } = context;
  const { measure, evidence, budget, signal } = request;
  const { device, reference } = state;
  const rule = { maxDrop: budget.limits(device.target).maxDrop, evidence };
  const target = device.standIn ?? device.target;
  const ask = { target, split: "test", count: test, signal, limitMs } as const;
  const failed = new Map<string, string>();
  /** Those of them that the test samples spoke against. */
  const fell: string[] = [];
  const looked: Tried[] = [];
  const baselined =
    state.baseline === null || evidence === "none"
      ? null
      : measure.accuracy({ ...ask, artifact: reference });
  // The first candidate waits for it, and hears of its failure.
  baselined?.catch(() => {});
  let open = [...ranked, state.float];
  for (let candidate = open.shift(); candidate !== undefined; candidate = open.shift()) {
    throwIfAborted(signal);
    say(`the test samples: ${candidate.name}`);
    looked.push(candidate);
    const { artifact } = candidate;
    const isLast = candidate.identity === state.float.identity;
    // What comes after one that failed gets what time there is, fixed before it is looked at; the float model at last.
    const left = failed.size === 0 ? test : Math.min(test, affordable());
    if (left < Math.min(test, fewestAfter) && !isLast) {
      failed.set(candidate.name, "no time was left to look at it on the test samples");
      continue;
    }
    const count = Math.max(left, Math.min(test, fewestOfFloat));
    let answers;
    try {
      // On an emulated GPU the one waits for the CPU engine, and the other for the GPU's.
      answers = await Promise.all([
        baselined,
        evidence === "none"
          ? null
          : measure.accuracy({ ...ask, count, artifact, float: reference }),
        checkAgreement(request, device, candidate, parityMs, limitMs),
      ]);
    } catch (error) {
      // A model that fails by itself has no candidates at fault.
      await baselined;
      if (isLast || !isCandidatesFault(error)) throw error;
      failed.set(candidate.name, `best in the search, but then: ${error.message}`);
      open = await withScreened(context, open);
      continue;
    }
    const [baseline, accuracy, agreement] = answers;
    const verdict = checkAccuracy(accuracy, rule);
    // Where the device's own engine was measured for accuracy, that decides.
    const agrees = agreement.verdict.accepted || (evidence !== "none" && device.standIn === null);
    if (isLast || (verdict.accepted && agrees)) {
      const after = fell.length === 0 ? "" : afterText(fell, isLast);
      const where = evidence === "none" ? "" : "on the test samples: ";
      const reason = `${where}${verdict.reason}${after}`;
      return { chosen: candidate, accuracy, baseline, agreement, reason, looked, failed };
    }
    const why = verdict.accepted ? agreement.verdict.reason : verdict.reason;
    failed.set(candidate.name, `best in the search, but on the test samples: ${why}`);
    fell.push(candidate.name);
    open = await withScreened(context, open);
  }
  throw new RangeError("The float model is always taken.");
}

function afterText(fell: readonly string[], isFloat: boolean): string {
  // Nothing chose it: it is what is left.
  const bias = isFloat ? "" : ", which makes its drop look a little better than it is";
  return `; taken after ${fell.join(", ")} failed on these samples${bias}`;
}

/** What was turned down next to one that failed now is looked at after all, where it is better than what comes next. */
async function withScreened(
  { request, state, record, validation, test, affordable, limitMs, say }: TestContext,
  open: readonly Tried[],
): Promise<Tried[]> {
  const { measure, evidence, budget, signal } = request;
  const { device, floatAnswers } = state;
  const { maxDrop } = budget.limits(device.target);
  const all = [...open];
  for (const one of state.screened.splice(0)) {
    throwIfAborted(signal);
    if (overLimitsOf(state, budget, one) !== null) continue;
    const isNext = all[0] !== undefined && isBetter(one, all[0], budget.prefer);
    if (!isNext || affordable() < validation + Math.min(test, fewestAfter)) {
      // It may be when what comes next fails, too.
      state.screened.push(one);
      continue;
    }
    say(`${one.name}, after all`);
    let accuracy: Accuracy | null = null;
    try {
      if (evidence !== "none")
        accuracy = await measure.accuracy({
          artifact: one.artifact,
          float: floatAnswers.artifact,
          floatOn: floatAnswers.target,
          target: device.standIn ?? device.target,
          split: "validation",
          count: validation,
          signal,
          limitMs,
        });
    } catch (error) {
      if (!isCandidatesFault(error)) throw error;
      continue;
    }
    const verdict = checkAccuracy(accuracy, { maxDrop, evidence });
    if (!verdict.accepted) continue;
    const tried: Tried = { ...one, accuracy };
    const title = `${one.name}, after what was better failed`;
    const planned = { group: one.groups.at(-1) ?? { steps: [], required: false }, expected: null };
    const measurement = measurementOf(state, tried);
    const { reason } = verdict;
    record.step({
      target: device.target,
      name: title,
      kept: true,
      reason,
      before: state.float,
      after: one,
      tried: "decided",
      planned,
      measurement,
    });
    const at = all.findIndex((other) => isBetter(tried, other, budget.prefer));
    all.splice(at < 0 ? all.length - 1 : at, 0, tried);
  }
  return all;
}

/** By the rule of choice, on the times of the search. */
function isBetter(one: Tried, other: Tried, prefer: "latency" | "size"): boolean {
  const both = [one, other];
  const [best] = choose(both.map(asContender), (a, b) => relativeTo(both[a], both[b]), prefer);
  return best === 0;
}

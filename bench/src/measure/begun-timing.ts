import { earlier, type EarlierResults, type ResultName } from "./earlier-results.js";
import type { BegunTiming } from "./latency.js";

/** What an earlier run left of the timing of so many models, if anything; what is kept may hold anything. */
export async function begunTiming(
  results: EarlierResults,
  name: ResultName & { readonly kind: "blocks" },
  models: number,
): Promise<BegunTiming | undefined> {
  const begun = await earlier(results, name);
  if (begun === undefined || begun.blocks.length === 0) return undefined;
  const { plan, blocks } = begun;
  const lists = [plan.batch, plan.units, plan.unseen, ...blocks];
  return lists.every(({ length }) => length === models) ? begun : undefined;
}

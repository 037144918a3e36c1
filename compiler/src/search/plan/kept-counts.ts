import { findFault, type JsonSchema, type TargetName } from "@pare/runtime/format";
import { recipeHash } from "../../pipeline/recipe-data.js";
import { CacheKey } from "../../pipeline/cache-key.js";
import type { Kept } from "../../pipeline/services.js";
import type { KnownCounts } from "./costs.js";
import { keepJson, keptJson } from "./kept-json.js";
import type { OptimizeRequest } from "../request.js";

/** On how many samples an earlier run of the same search looked, by target. */
export type EarlierCounts = ReadonlyMap<TargetName, KnownCounts>;

const count: JsonSchema = { type: "integer", minimum: 0, maximum: 1e9 };
const schema: JsonSchema = {
  type: "object",
  properties: { validation: count, test: count, tested: count, spentMs: count },
  required: ["validation", "test"],
};

/** What `keepCounts` kept of an earlier run; empty where nothing is. */
export async function earlierCounts(request: OptimizeRequest): Promise<EarlierCounts> {
  const { kept, devices } = request;
  const found = new Map<TargetName, KnownCounts>();
  if (kept === undefined) return found;
  for (const { target } of devices) {
    const key = await keyOf(request, target, kept);
    const counts = await keptJson(kept.cache, key, isKnownCounts);
    if (counts !== undefined) found.set(target, counts);
  }
  return found;
}

export async function keepCounts(request: OptimizeRequest, counts: EarlierCounts): Promise<void> {
  const { kept } = request;
  if (kept === undefined) return;
  for (const [target, one] of counts)
    await keepJson(kept.cache, await keyOf(request, target, kept), one);
}

/** Another recipe takes other time: what one was interrupted at says nothing of the other. */
async function keyOf(
  { originalSha256, devices, budget, recipe }: OptimizeRequest,
  target: TargetName,
  { setting }: Kept,
): Promise<CacheKey> {
  return CacheKey.of("counts", {
    setting,
    target,
    model: originalSha256,
    engines: devices.map((device) => [device.target, device.engine]),
    timeBudgetMs: budget.timeBudgetMs,
    maxDrop: budget.limits(target).maxDrop,
    prefer: budget.prefer,
    recipe: await recipeHash(recipe),
  });
}

function isKnownCounts(value: unknown): value is KnownCounts {
  return findFault(value, schema) === null;
}

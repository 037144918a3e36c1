import type { TargetName } from "@pare/runtime/format";
import { CacheKey } from "../pipeline/cache-key.js";
import type { Kept } from "../pipeline/services.js";
import type { Counts } from "./costs.js";
import type { OptimizeRequest } from "./request.js";

/** On how many samples an earlier run of the same search looked, by target. */
export type EarlierCounts = ReadonlyMap<TargetName, Counts>;

/** What `keepCounts` kept of an earlier run; empty where nothing is. */
export async function earlierCounts(request: OptimizeRequest): Promise<EarlierCounts> {
  const { kept, devices } = request;
  const found = new Map<TargetName, Counts>();
  if (kept === undefined) return found;
  for (const { target } of devices) {
    const counts = countsIn(await kept.cache.get(keyOf(request, target, kept)));
    if (counts !== undefined) found.set(target, counts);
  }
  return found;
}

export async function keepCounts(request: OptimizeRequest, counts: EarlierCounts): Promise<void> {
  const { kept } = request;
  if (kept === undefined) return;
  for (const [target, { validation, test, tested }] of counts) {
    const text = [validation, test, tested ?? []].flat().join(" ");
    const bytes = new TextEncoder().encode(text);
    await kept.cache.put(keyOf(request, target, kept), bytes);
  }
}

function keyOf(
  { originalSha256, devices, budget }: OptimizeRequest,
  target: TargetName,
  { setting }: Kept,
): CacheKey {
  return CacheKey.of("counts", {
    setting,
    target,
    model: originalSha256,
    engines: devices.map((device) => [device.target, device.engine]),
    timeBudgetMs: budget.timeBudgetMs,
    maxDrop: budget.limits(target).maxDrop,
  });
}

/** What a cache holds may be anything. */
function countsIn(bytes: Uint8Array | undefined): Counts | undefined {
  const text = bytes === undefined ? "" : new TextDecoder().decode(bytes);
  const [, validation, test, tested] = /^(\d{1,9}) (\d{1,9})(?: (\d{1,9}))?$/.exec(text) ?? [];
  if (validation === undefined || test === undefined) return undefined;
  const counts = { validation: Number(validation), test: Number(test) };
  return tested === undefined ? counts : { ...counts, tested: Number(tested) };
}

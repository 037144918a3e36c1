import { artifactBytes } from "@pare/runtime/format";
import type { Tried } from "./candidate.js";
import type { Limits } from "./request.js";
import { round } from "./verdict.js";

/**
 * What of a candidate is more than the user allows; null where nothing is.
 * @param floatMs the median of what its latency is against: its own first runs are slower than those that follow
 */
export function overLimits(
  { artifact, latency }: Tried,
  limits: Limits,
  floatMs: number,
): string | null {
  const bytes = artifactBytes(artifact);
  const { maxSizeBytes, maxLatencyMs } = limits;
  if (maxSizeBytes !== undefined && bytes > maxSizeBytes)
    return `its files have ${bytes} bytes, over --max-size ${maxSizeBytes}`;
  const ms = latency === null ? 0 : latency.ratio * floatMs;
  if (maxLatencyMs !== undefined && ms > maxLatencyMs)
    return `it takes ${round(ms)} ms, over --max-latency ${maxLatencyMs}`;
  return null;
}

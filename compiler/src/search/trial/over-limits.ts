import { artifactBytes } from "@pare/runtime/format";
import type { Tried } from "../candidate.js";
import type { Limits } from "../request.js";
import { round } from "../verdict/verdict.js";

/**
 * What of a candidate is more than the user allows; null where nothing is.
 * @param floatMs the median of what its latency is against: its own first runs are slower than those that follow
 */
export function overLimits(
  { artifact, latency }: Pick<Tried, "artifact" | "latency">,
  limits: Limits,
  floatMs: number,
): string | null {
  const bytes = artifactBytes(artifact);
  const { maxSizeBytes, maxLatencyMs } = limits;
  if (maxSizeBytes !== undefined && bytes > maxSizeBytes)
    return `its files have ${bytes} bytes, over --max-size ${maxSizeBytes}`;
  // What is not timed, on an emulated GPU, has no median to be held against it.
  if (maxLatencyMs === undefined || latency === null) return null;
  const ms = latency.ratio * floatMs;
  return ms > maxLatencyMs ? `it takes ${round(ms)} ms, over --max-latency ${maxLatencyMs}` : null;
}

import { artifactBytes } from "@pare/runtime/format";
import type { Tried } from "./candidate.js";
import type { Limits } from "./request.js";
import { round } from "./verdict.js";

/** What of a candidate is more than the user allows; null where nothing is. */
export function overLimits({ artifact, tryOut }: Tried, limits: Limits): string | null {
  const bytes = artifactBytes(artifact);
  const { maxSizeBytes, maxLatencyMs } = limits;
  if (maxSizeBytes !== undefined && bytes > maxSizeBytes)
    return `its files have ${bytes} bytes, over --max-size ${maxSizeBytes}`;
  if (maxLatencyMs !== undefined && tryOut.runMs > maxLatencyMs)
    return `it takes ${round(tryOut.runMs)} ms, over --max-latency ${maxLatencyMs}`;
  return null;
}

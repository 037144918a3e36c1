import type { ExpectedGain, ReportCandidate, ReportStep, SearchTime } from "@pare/runtime/format";
import { percent } from "./figures.js";

/** How far something was looked at, in words; what was decided is measured like all the rest, and needs none. */
export function triedText(tried: ReportCandidate["tried"]): string {
  if (tried === "not") return "not measured";
  return tried === "screened" ? "timed and no more" : "";
}

/** The passes that were done as one, where the step's name does not say them. */
export function groupText({ name, group = [] }: ReportStep): string {
  return group.every((use) => name.includes(use)) ? "" : group.join(" + ");
}

/** `expected: 0.55× the time, 28.0 % of the download` */
export function expectedText(gain: ExpectedGain | null | undefined): string {
  if (gain === null || gain === undefined) return "";
  return `expected: ${gain.latency.toFixed(2)}× the time, ${percent(gain.size)} of the download`;
}

/** What the search took next to what it was said to take, and when something better was in hand. */
export function timeText(time: SearchTime): string {
  const [low, high] = time.rangeMs.map(seconds);
  const took = `It took ${seconds(time.tookMs)} s of ${seconds(time.budgetMs)} s; ${low} to ${high} s were expected.`;
  if (time.improvements.length === 0)
    return `${took} Nothing better than the float model was found.`;
  const better = time.improvements.map(
    ({ target, name, atMs }) => `${name} on ${target} after ${seconds(atMs)} s`,
  );
  return `${took} In hand: ${better.join(", ")}.`;
}

function seconds(ms: number): string {
  return String(Math.round(ms / 1000));
}

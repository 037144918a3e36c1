import type { WindowAxis } from "../../ops/families/window.js";

/** Places of a window on one axis that reach the same part of it: a run of results, and the taps within the input. */
export interface Span {
  readonly start: number;
  readonly count: number;
  readonly firstTap: number;
  readonly taps: number;
  /** Taps that a mean counts. */
  readonly counted: number;
}

/** Windows at the edges reach less: results are cut into spans whose windows are alike, so that no pads are read. */
export function spansOf(axis: WindowAxis, countPadding: boolean): readonly Span[] {
  const { stride, dilation } = axis;
  const [kernel, before, output] = [Number(axis.kernel), Number(axis.before), Number(axis.output)];
  const end = Number(axis.size) + Number(axis.after);
  const size = Math.min(Number(axis.size), end);
  const lastWhole = Math.floor((size - 1 - (kernel - 1) * dilation + before) / stride);
  const spans: Span[] = [];
  for (let start = 0; start < output;) {
    const from = start * stride - before;
    /** How many taps lie before a place. */
    const tapsBefore = (place: number): number =>
      Math.min(Math.max(0, Math.ceil((place - from) / dilation)), kernel);
    const firstTap = tapsBefore(0);
    const taps = Math.max(0, tapsBefore(size) - firstTap);
    // All whole windows are alike: they are not looked at one by one.
    const count = taps === kernel ? Math.min(lastWhole + 1, output) - start : 1;
    const span = { start, count, firstTap, taps, counted: countPadding ? tapsBefore(end) : taps };
    const last = spans.at(-1);
    const isAlike =
      last?.firstTap === firstTap && last.taps === taps && last.counted === span.counted;
    if (last === undefined || !isAlike) spans.push(span);
    else spans[spans.length - 1] = { ...last, count: last.count + count };
    start += count;
  }
  return spans;
}

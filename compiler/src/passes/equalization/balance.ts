import { throwIfAborted } from "@pare/runtime/format";
import type { PassContext } from "../../pipeline/pass.js";
import type { Layer } from "./layer.js";
import type { Link } from "./links.js";

export interface Pair extends Link {
  readonly source: Layer;
  readonly reader: Layer;
}

const sweepLimit = 100;
/** A sweep that moves no range by more has nothing left to do. */
const settled = 1e-3;

/** Eq. 11 over all pairs, again and again until none changes: a layer in the middle belongs to two of them. */
export function balance(pairs: readonly Pair[], { signal, onProgress }: PassContext): void {
  for (let sweep = 0; sweep < sweepLimit; sweep += 1) {
    throwIfAborted(signal);
    onProgress?.(sweep / sweepLimit, `round ${sweep + 1}`);
    const moved = pairs.map(balancePair);
    if (moved.every((factor) => factor < settled)) return;
  }
}

/**
 * A channel that is never made or never read has no range to be matched: it is scaled as the others are on average, so that
 * beside them its activations are no larger than before, which have one scale together.
 * @returns the largest |log s| of the pair's channels
 */
function balancePair({ source, reader, each }: Pair): number {
  const read = reader.inputRanges();
  const factors = source.outputRanges().map((r1, channel) => {
    const r2 = read
      .subarray(channel * each, (channel + 1) * each)
      .reduce((most, range) => Math.max(most, range), 0);
    return r1 === 0 || r2 === 0 ? NaN : Math.sqrt(r1 / r2);
  });
  const logs = factors.filter((s) => !Number.isNaN(s)).map(Math.log);
  const average = logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length);
  for (const [channel, s] of factors.entries())
    scaleChannel({ source, reader, each }, channel, Number.isNaN(s) ? Math.exp(average) : s);
  return logs.reduce((most, log) => Math.max(most, Math.abs(log)), 0);
}

function scaleChannel(
  { source, reader, each }: Pick<Pair, "source" | "reader" | "each">,
  channel: number,
  s: number,
): void {
  source.outputs[channel] = (source.outputs[channel] as number) / s;
  for (let at = channel * each; at < (channel + 1) * each; at += 1)
    reader.inputs[at] = (reader.inputs[at] as number) * s;
}

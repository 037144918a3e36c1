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

/** @returns the largest |log s| of the pair's channels */
function balancePair({ source, reader, each }: Pair): number {
  const made = source.outputRanges();
  const read = reader.inputRanges();
  let largest = 0;
  for (let channel = 0; channel < made.length; channel += 1) {
    const r1 = made[channel] as number;
    const r2 = read
      .subarray(channel * each, (channel + 1) * each)
      .reduce((most, range) => Math.max(most, range), 0);
    // A channel that is never made or never read has no range to be matched.
    if (r1 === 0 || r2 === 0) continue;
    const s = Math.sqrt(r1 / r2);
    scaleChannel({ source, reader, each }, channel, s);
    largest = Math.max(largest, Math.abs(Math.log(s)));
  }
  return largest;
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

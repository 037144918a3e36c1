import type { Gain } from "../../targets/gains.js";
import type { Planned } from "../candidate.js";

/** Between logarithms of latencies, about, over the models of the table of gains: of static files on one target, on two. */
export const correlation = { sameTarget: 0.85, otherTarget: 0.7 };
/** Where one static file lost too much, another one of its target holds so much more rarely than its table says: one of eight. */
const lostBeside = 0.25;
/** Assumed: what rounds activations too, or the same weights for another engine, holds that rarely where they lost alone. */
const lostWithWeights = 0.1;

/** What one way to a file showed on this model. */
interface Shown {
  readonly planned: Planned;
  /** How far its latency was from what was expected, in standard deviations; null where it was not timed. */
  readonly off: number | null;
  /** It lost too much. */
  readonly lost: boolean;
}

/**
 * What ways showed on this model tells of those like them: integers that are quick on it in one file are in another, and
 * on another engine.
 */
export class ShownGains {
  readonly #shown: Shown[] = [];

  /** @param latency next to the simplified float model; null where it was not timed */
  note(planned: Planned, latency: number | null, lost: boolean): void {
    const { expected } = planned;
    if (expected === null) return;
    const off =
      latency === null ? null : Math.log(latency / expected.latency) / expected.latencySpread;
    this.#shown.push({ planned, off, lost });
  }

  /** What the table expects, given what was seen: of two normal variables that correlate, the mean and spread of the one. */
  expected(planned: Planned, gain: Gain): Gain {
    let [nearest, off] = [0, 0];
    let { accepted } = gain;
    for (const shown of this.#shown) {
      const correlated = correlationOf(planned, shown.planned);
      if (shown.off !== null && correlated >= nearest) [nearest, off] = [correlated, shown.off];
      if (!shown.lost) continue;
      if (roundsWeightsAlone(shown.planned) && roundsWeights(planned)) accepted *= lostWithWeights;
      else if (correlated === correlation.sameTarget) accepted *= lostBeside;
    }
    const latency = gain.latency * Math.exp(nearest * off * gain.latencySpread);
    const latencySpread = gain.latencySpread * Math.sqrt(1 - nearest ** 2);
    return { ...gain, latency, latencySpread, accepted };
  }
}

function correlationOf(one: Planned, other: Planned): number {
  const alike = one.name === other.name || (isStatic(one) && isStatic(other));
  if (!alike) return 0;
  return one.target === other.target ? correlation.sameTarget : correlation.otherTarget;
}

/** It rounds activations by what was observed of them. */
export function isStatic({ group }: Pick<Planned, "group">): boolean {
  return group.steps.some(({ use }) => use === "quantize-static" || use === "quantize-aware");
}

/** It makes integers of weights, and of nothing else. */
function roundsWeightsAlone({ group }: Planned): boolean {
  return group.steps.every(({ use }) => use === "quantize-weights");
}

/** It makes integers of weights, whatever else it does. */
function roundsWeights({ group }: Planned): boolean {
  return group.steps.some(({ use }) => use.startsWith("quantize-"));
}

import { PareError } from "@pare/runtime/format";
import { Fingerprints } from "../analysis/fingerprints.js";
import type { Graph } from "../ir/index.js";
import type { Activations, Observed, ObserveOptions, Wanted } from "../pipeline/activations.js";
import {
  observationKeys,
  observedFrom,
  statisticKeys,
  type Statistics,
  together,
} from "./measured-activations.js";

const nothingObserved: Observed = { ranges: new Map(), channelMeans: new Map() };

/** Activations for what cannot do without: where nothing was observed of the others, nothing is now. */
export function ofNeedAlone(activations: Activations): Activations {
  return {
    observe: async (graph, wanted, options) =>
      options.optional === true ? nothingObserved : activations.observe(graph, wanted, options),
  };
}

/** Statistics that were measured before and are all that is known: a lock's, which needs neither data nor an engine. */
export class RecordedActivations implements Activations {
  readonly #known: ReadonlyMap<string, readonly number[]>;
  readonly #fingerprints: Fingerprints;

  constructor(known: ReadonlyMap<string, readonly number[]>, fingerprints = new Fingerprints()) {
    this.#known = known;
    this.#fingerprints = fingerprints;
  }

  async observe(
    graph: Graph,
    wanted: readonly Wanted[],
    { pass, beside, optional }: ObserveOptions,
  ): Promise<Observed> {
    const ways = [
      await observationKeys(graph, together(wanted, beside), this.#fingerprints),
      // Earlier locks hold answers to questions beside which nothing else was observed,
      await observationKeys(graph, wanted, this.#fingerprints),
      // and the first ones do not say what was asked together.
      await statisticKeys(graph, wanted, this.#fingerprints),
    ];
    const keys = wanted.map((_, index) => {
      const names = ways.map((way) => way[index] ?? "");
      return names.find((name) => this.#known.has(name)) ?? "";
    });
    const missing = keys.findIndex((key) => !this.#known.has(key));
    if (missing >= 0 && optional === true) return nothingObserved;
    if (missing >= 0) {
      const value = wanted[missing]?.value;
      const name = value === undefined ? "?" : graph.value(value).name;
      throw new PareError(
        "LOCK",
        `The lock file does not hold what ${pass} needs to know of "${name}": it was written for another model or version.`,
        { where: pass, hint: "Run without --frozen to decide anew." },
      );
    }
    return observedFrom(wanted, keys, this.#known);
  }
}

/** Passes questions on and notes the answers: what a file's bytes rest on. */
export class NotedActivations implements Activations {
  readonly #inner: Activations;
  readonly #fingerprints: Fingerprints;
  readonly noted: Statistics = new Map();

  constructor(inner: Activations, fingerprints: Fingerprints) {
    this.#inner = inner;
    this.#fingerprints = fingerprints;
  }

  async observe(
    graph: Graph,
    wanted: readonly Wanted[],
    options: ObserveOptions,
  ): Promise<Observed> {
    const observed = await this.#inner.observe(graph, wanted, options);
    const all = together(wanted, options.beside);
    const keys = await observationKeys(graph, all, this.#fingerprints);
    for (const [index, one] of wanted.entries())
      this.noted.set(keys[index] ?? "", numbersIn(observed, one));
    return observed;
  }
}

/** What was observed of one value, as numbers: the inverse of `observedFrom`. */
export function numbersIn(observed: Observed, { value, statistic }: Wanted): readonly number[] {
  if (statistic.kind === "channel-means")
    return Array.from(observed.channelMeans.get(value)?.get(statistic.axis) ?? []);
  const range = observed.ranges.get(value);
  if (range === undefined) return [];
  return [range.min, range.max, ...(range.sqnr === null ? [] : [range.sqnr])];
}

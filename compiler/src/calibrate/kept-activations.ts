import { findFault, type JsonSchema } from "@pare/runtime/format";
import { Fingerprints } from "../analysis/fingerprints.js";
import type { Graph } from "../ir/index.js";
import type { Activations, Observed, ObserveOptions, Wanted } from "../pipeline/activations.js";
import { CacheKey, type KeyPart } from "../pipeline/cache-key.js";
import type { Cache } from "../pipeline/services.js";
import {
  observationKeys,
  observedFrom,
  type Statistics,
  together,
} from "./measured-activations.js";
import { numbersIn } from "./recorded-activations.js";

const schema: JsonSchema = {
  type: "object",
  additionalProperties: { type: "array", items: { type: "number" } },
};

/** Statistics kept between runs: what an earlier one observed is not observed again. */
export class KeptActivations implements Activations {
  readonly #inner: Activations;
  readonly #cache: Cache;
  readonly #key: CacheKey;
  readonly #fingerprints: Fingerprints;
  #known: Promise<Statistics> | undefined;

  /** @param setting all that statistics depend on besides the computation: engine, processor, samples, their order */
  constructor(
    inner: Activations,
    cache: Cache,
    setting: KeyPart,
    fingerprints = new Fingerprints(),
  ) {
    this.#inner = inner;
    this.#cache = cache;
    this.#key = CacheKey.of("activations", { setting });
    this.#fingerprints = fingerprints;
  }

  async observe(
    graph: Graph,
    wanted: readonly Wanted[],
    options: ObserveOptions,
  ): Promise<Observed> {
    const known = await (this.#known ??= this.#read());
    const all = together(wanted, options.beside);
    const keys = await observationKeys(graph, all, this.#fingerprints);
    if (!keys.every((key) => known.has(key))) {
      const observed = await this.#inner.observe(graph, wanted, options);
      for (const [index, one] of all.entries())
        known.set(keys[index] ?? "", numbersIn(observed, one));
      await this.#cache.put(
        this.#key,
        new TextEncoder().encode(JSON.stringify(Object.fromEntries(known))),
      );
    }
    return observedFrom(all, keys, known);
  }

  async #read(): Promise<Statistics> {
    const bytes = await this.#cache.get(this.#key);
    if (bytes === undefined) return new Map();
    try {
      const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
      return isStatistics(found) ? new Map(Object.entries(found)) : new Map();
    } catch {
      return new Map();
    }
  }
}

function isStatistics(value: unknown): value is Readonly<Record<string, readonly number[]>> {
  return findFault(value, schema) === null;
}

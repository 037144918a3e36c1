import { bytesOf, isTypedArray, type SampleSet, type Tensors } from "@pare/runtime/format";
import type { FeedSizes } from "./answer-limits.js";
import type { WireSample } from "./protocol.js";

/** A sample that an engine keeps. */
interface Resident {
  readonly ref: number;
  readonly sizes: FeedSizes;
}

/** How many bytes of samples an engine keeps between candidates, and one beside it; what is over goes with each run. */
export const residentBytes = { first: 512 * 2 ** 20, beside: 128 * 2 ** 20 };

/** Which samples an engine has. */
export class ResidentSamples {
  readonly #held = new Map<SampleSet, Map<number, Resident>>();
  #bytes = 0;
  #nextRef = 1;
  readonly #most: number;

  /** @param most bytes */
  constructor(most: number) {
    this.#most = most;
  }

  held(samples: SampleSet, index: number): Resident | undefined {
    return this.#held.get(samples)?.get(index);
  }

  /** The engine has started anew. */
  forget(): void {
    this.#held.clear();
    this.#bytes = 0;
  }

  /** A sample by number where the engine has it, with its feeds where not: an engine that started anew has none. */
  async ticket(samples: SampleSet, index: number, read: Tensors | undefined): Promise<WireSample> {
    let known = this.#held.get(samples);
    if (!known) this.#held.set(samples, (known = new Map()));
    const held = known.get(index);
    if (held !== undefined) return { ref: held.ref };
    const feeds = read ?? (await samples.sample(index)).feeds;
    const sizes = feedSizes(feeds);
    const bytes = bytesOfAll(sizes);
    const keep = this.#bytes + bytes <= this.#most;
    const ref = this.#nextRef++;
    if (keep) {
      known.set(index, { ref, sizes });
      this.#bytes += bytes;
    }
    return { ref, feeds: sendable(feeds), keep };
  }
}

export function feedSizes(tensors: Tensors): FeedSizes {
  return Object.values(tensors).map(({ data }) =>
    isTypedArray(data) ? bytesOf(data).byteLength : data.length * 16,
  );
}

export function bytesOfAll(sizes: FeedSizes): number {
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Samples that an engine sees once. */
export function sentOnce(feeds: readonly Tensors[]): WireSample[] {
  return feeds.map((tensors) => ({ ref: 0, feeds: sendable(tensors) }));
}

/** Plain objects with type, dims and data: onnxruntime's tensors are classes that do not travel. */
function sendable(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, dims, data }]) => [
      name,
      { type, dims: [...dims], data },
    ]),
  );
}

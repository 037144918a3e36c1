import type { CallOptions } from "./call-within.js";

/** The engine is given so much work before it answers: a caller hears of its progress, and can end it. */
export const answerMs = 250;
/** For what was asked for by how long answers took, an engine that takes so long hangs, and so many times as long. */
const hungMs = 20 * answerMs;
const hungTimes = 8;

/**
 * The limit of a call for what takes as long as what was done before.
 * @param beforeMs that took; null where nothing was done yet
 */
export function asBefore({ signal, limitMs }: CallOptions, beforeMs: number | null): CallOptions {
  if (beforeMs === null) return { signal, limitMs };
  const mostMs = Math.max(hungMs, hungTimes * beforeMs);
  return { signal, limitMs: Math.min(limitMs ?? mostMs, mostMs) };
}

/** The limit of a call that by itself takes `allowedMs`. */
export function longerBy({ signal, limitMs }: CallOptions, allowedMs: number): CallOptions {
  return { signal, limitMs: limitMs === undefined ? undefined : limitMs + allowedMs };
}

/** Bytes of each of a sample's feeds. */
export type FeedSizes = readonly number[];

/** What is known of one model's answers: how long they took, and of how large samples. */
export class AnswersSoFar {
  #longestMs: number | null = null;
  readonly #largest: number[] = [];

  took(ms: number, samples: readonly FeedSizes[]): void {
    this.#longestMs = Math.max(ms, this.#longestMs ?? 0);
    for (const sizes of samples)
      for (const [at, size] of sizes.entries())
        this.#largest[at] = Math.max(size, this.#largest[at] ?? 0);
  }

  /** The limit of a call: of a longer sample than any before nothing is known, as of a first one. */
  limit(options: CallOptions, samples: readonly FeedSizes[]): CallOptions {
    const areKnown = samples.every((sizes) =>
      sizes.every((size, at) => size <= (this.#largest[at] ?? 0)),
    );
    return asBefore(options, areKnown ? this.#longestMs : null);
  }
}

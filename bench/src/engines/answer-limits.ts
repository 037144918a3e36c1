import type { CallOptions } from "./call-within.js";

/** The engine is given so much work before it answers: a caller hears of its progress, and can end it. */
export const answerMs = 250;
/** For what was asked for by how long the last answer took, an engine that takes so long hangs, and so many times as long. */
const hungMs = 20 * answerMs;
const hungTimes = 8;

/**
 * The limit of a call for what takes as long as what was done before.
 * @param lastMs that took; null where nothing was done yet
 */
export function asBefore({ signal, limitMs }: CallOptions, lastMs: number | null): CallOptions {
  if (lastMs === null) return { signal, limitMs };
  const mostMs = Math.max(hungMs, hungTimes * lastMs);
  return { signal, limitMs: Math.min(limitMs ?? mostMs, mostMs) };
}

/** The limit of a call that by itself takes `allowedMs`. */
export function longerBy({ signal, limitMs }: CallOptions, allowedMs: number): CallOptions {
  return { signal, limitMs: limitMs === undefined ? undefined : limitMs + allowedMs };
}

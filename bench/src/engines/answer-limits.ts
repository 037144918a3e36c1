import type { CallOptions } from "./call-within.js";

/** The engine is given so much work before it answers: a caller hears of its progress, and can end it. */
export const answerMs = 250;
/** For what was asked for by how long the last answers took, an engine that takes so long hangs. */
const hungMs = 20 * answerMs;

/** The limit of a call for what takes as long as what was done before. */
export function asBefore({ signal, limitMs }: CallOptions, done: number): CallOptions {
  return { signal, limitMs: done > 0 ? Math.min(limitMs ?? hungMs, hungMs) : limitMs };
}

/** The limit of a call that by itself takes `allowedMs`. */
export function longerBy({ signal, limitMs }: CallOptions, allowedMs: number): CallOptions {
  return { signal, limitMs: limitMs === undefined ? undefined : limitMs + allowedMs };
}

import type { Clock } from "../request.js";

/** From here on the pace of a step tells when it ends. */
const tellingShare = 0.05;

/**
 * Ends learning that would not be over in time, as soon as its pace tells: what it began is lost, and what comes after it
 * keeps its time.
 */
export class LearningLimit {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #steps: number;
  readonly #outer: AbortSignal | undefined;
  /** Where the step that runs now was first seen to go on. */
  #began: { readonly step: number; readonly share: number; readonly atMs: number } | null = null;
  #tooLateMs: number | null = null;

  /**
   * @param endMs when it must be over, on the clock; Infinity: whenever it is
   * @param steps of the group; all are as large a part of what is told
   * @param outer ends it as well
   */
  constructor(clock: Clock, endMs: number, steps: number, outer: AbortSignal | undefined) {
    this.#clock = clock;
    this.#endMs = endMs;
    this.#steps = steps;
    this.#outer = outer;
    outer?.addEventListener("abort", this.#end);
    if (outer?.aborted) this.#end();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** When it would have been over, where that is too late; null where it was not ended. */
  get tooLateMs(): number | null {
    return this.#tooLateMs;
  }

  /**
   * @param fraction of the whole group that is done
   * @returns when the step that runs will be over; null where its pace does not tell yet
   */
  told(fraction: number): number | null {
    const step = Math.min(this.#steps - 1, Math.floor(fraction * this.#steps));
    const share = fraction * this.#steps - step;
    const atMs = this.#clock.now();
    // What a step does before it says that it goes on (reading, asking a teacher) is none of its pace.
    if (this.#began?.step !== step) this.#began = share > 0 ? { step, share, atMs } : null;
    if (this.#began === null) {
      this.#demand(atMs);
      return null;
    }
    const [done, tookMs] = [share - this.#began.share, atMs - this.#began.atMs];
    const untilMs = done < tellingShare ? null : atMs + ((1 - share) * tookMs) / done;
    this.#demand(untilMs ?? atMs);
    return untilMs;
  }

  #demand(overMs: number): void {
    if (overMs <= this.#endMs || this.#abort.signal.aborted) return;
    this.#tooLateMs = overMs;
    this.#end();
  }

  close(): void {
    this.#outer?.removeEventListener("abort", this.#end);
  }

  readonly #end = (): void => this.#abort.abort(this.#outer?.reason);
}

/** Between two checkpoints at least. */
const everyMs = 20_000;
/** Passing them on may take this share of the time. */
const mostShare = 0.02;

/**
 * When a checkpoint is due between epochs. A step of a large model takes longer than anyone waits after Ctrl-C: what is left
 * then is the last that was made.
 */
export class CheckpointPace {
  readonly #now: () => number;
  #made: number;
  #waitMs = everyMs;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#made = now();
  }

  get isDue(): boolean {
    return this.#now() - this.#made >= this.#waitMs;
  }

  /** Passes one on that was made. */
  pass(tell: () => void): void {
    const began = this.#now();
    tell();
    this.#made = this.#now();
    this.#waitMs = Math.max(everyMs, (this.#made - began) / mostShare);
  }
}

/** A turn takes two or three microseconds: some milliseconds in all. */
export const mostTurns = 2000;

/**
 * Lets a thread's event loop spin for a while before it blocks. One that blocks hears of a message a tenth of a millisecond
 * later, and milliseconds later where other processes wait for its core; threads that share the steps of a training wait for
 * each other twice a step. Turns are counted and not time: what the thread computes in between takes nothing off.
 */
export class EventLoopSpin {
  #left = 0;

  /** From here on, until it is stopped or has turned that often for nothing. */
  start(): void {
    const spins = this.#left > 0;
    this.#left = mostTurns;
    if (!spins) setImmediate(this.#turn);
  }

  stop(): void {
    // The turn that is due finds that it is the last one.
    this.#left = Math.min(this.#left, 1);
  }

  readonly #turn = (): void => {
    this.#left -= 1;
    if (this.#left > 0) setImmediate(this.#turn);
  };
}

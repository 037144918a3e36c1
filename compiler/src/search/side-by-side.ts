import type { Clock } from "./request.js";
import type { Outcome } from "./trial.js";

/** A candidate that is made and timed. */
export interface Deciding {
  /** What that took. */
  readonly tookMs: number;
  readonly decide: () => Promise<Outcome>;
}

/**
 * Decides candidates of different targets at once. What is decided is handed over as soon as it is, one after the other;
 * whichever fails first, the others are waited for.
 * @param take with the time that it is charged: its own, and a part of that in which others were open beside it
 */
export async function decideSideBySide<One extends Deciding>(
  all: readonly One[],
  clock: Clock,
  take: (one: One, outcome: Outcome, chargedMs: number) => Promise<void>,
): Promise<void> {
  let [before, sharedMs, open] = [clock.now(), 0, all.length];
  let taking = Promise.resolve();
  const deciding = all.map(async (one) => {
    const outcome = await one.decide();
    const now = clock.now();
    sharedMs += (now - before) / open;
    [before, open] = [now, open - 1];
    const chargedMs = one.tookMs + sharedMs;
    taking = taking.then(() => take(one, outcome, chargedMs));
    await taking;
  });
  await Promise.allSettled(deciding);
  await Promise.all(deciding);
}

import type { Clock } from "../request.js";
import type { Tried } from "../candidate.js";
import type { Outcome, SoFar } from "./trial.js";

/** A candidate that is made and timed. */
export interface Deciding {
  /** What that took. */
  readonly tookMs: number;
  readonly decide: (soFar: SoFar) => Promise<Outcome>;
}

/**
 * Decides candidates of different targets at once. What is decided is handed over as soon as it is, one after the other;
 * whichever fails first, the others are waited for.
 * @param takeSoFar what is accepted and looked at further
 * @param take with the time that it is charged: its own, and a part of that in which others were open beside it
 */
export async function decideSideBySide<One extends Deciding>(
  all: readonly One[],
  clock: Clock,
  takeSoFar: (one: One, tried: Tried) => Promise<void>,
  take: (one: One, outcome: Outcome, chargedMs: number) => Promise<void>,
): Promise<void> {
  let [before, sharedMs, open] = [clock.now(), 0, all.length];
  let taking = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => (taking = taking.then(work));
  const deciding = all.map(async (one) => {
    const outcome = await one.decide((tried) => inTurn(() => takeSoFar(one, tried)));
    const now = clock.now();
    sharedMs += (now - before) / open;
    [before, open] = [now, open - 1];
    const chargedMs = one.tookMs + sharedMs;
    await inTurn(() => take(one, outcome, chargedMs));
  });
  await Promise.allSettled(deciding);
  await Promise.all(deciding);
}

import { appendFileSync } from "node:fs";

/**
 * How many cases a property draws: a third of what it names, so that `npm test` stays quick. `PARE_CASES=1` draws all of
 * them, as the nightly workflow and the proof `aot/every-operator` do, which counts them by a file, `PARE_CASES_COUNTED`.
 */
export function cases(named: number): number {
  const drawn = Math.ceil(named * Number(process.env.PARE_CASES ?? 1 / 3));
  const counted = process.env.PARE_CASES_COUNTED;
  if (counted !== undefined) appendFileSync(counted, `${drawn}\n`);
  return drawn;
}

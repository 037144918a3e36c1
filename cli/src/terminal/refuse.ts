import { PareError } from "@pare/runtime/format";

/** @throws PareError ARGUMENT */
export function refuse(message: string, where: string, hint: string): never {
  throw new PareError("ARGUMENT", message, { where, hint });
}

/**
 * For options that say something of another one, which is not given: that they count for nothing is said before anything is done.
 * @param given by flag, what was given; undefined where nothing was
 * @param needs the flag that they are of
 * @throws PareError ARGUMENT at the first that was given
 */
export function refuseWithout(needs: string, given: Readonly<Record<string, unknown>>): void {
  for (const [flag, value] of Object.entries(given))
    if (value !== undefined)
      refuse(`${flag} needs ${needs}.`, flag, `Add ${needs}, or leave ${flag} out.`);
}

import type { BindShapesOptions } from "@pare/compiler";
import { type Feeds, isTypedArray, PareError } from "@pare/runtime/format";

/**
 * Feeds without those of inputs that became constants: data is of the model as it was before.
 * @param constants `--const`, by input
 * @throws PareError DATA_MISMATCH where a sample has another number there
 */
export function withoutConstants(
  feeds: Feeds,
  constants: BindShapesOptions["constants"],
  sample: string,
): Feeds {
  const left = Object.entries(feeds).filter(([name, feed]) => {
    const constant = Object.hasOwn(constants, name) ? constants[name] : undefined;
    if (constant === undefined) return true;
    const data = Array.from<number | bigint | string>(isTypedArray(feed) ? feed : feed.data);
    const numbers = typeof constant === "object" ? constant : data.map(() => Number(constant));
    const other = data.find((value, at) => Number(value) !== numbers[at]);
    if (other === undefined) return false;
    throw new PareError(
      "DATA_MISMATCH",
      `Sample "${sample}" gives "${name}" as ${other}, and --const has it as ${String(constant)}.`,
      {
        where: `sample "${sample}", ${name}`,
        hint: `Leave --const ${name} out for samples that differ in it, or give those that have this number.`,
      },
    );
  });
  return Object.fromEntries(left);
}

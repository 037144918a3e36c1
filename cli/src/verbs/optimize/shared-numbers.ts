import {
  elementCount,
  type GoldenChoice,
  isTypedArray,
  type SampleSet,
  type ValueInfo,
} from "@pare/runtime/format";

/** As many samples tell whether a number is of all of them. */
const looked = 16;

/**
 * Whole numbers that stand alone in an input and are the same in every sample, as a sampling rate is: no data but how the
 * model is called, for which noise may stand for nothing that it takes.
 * @param indexes of the samples that are looked at, the first few of them
 */
export async function sharedNumbers(
  inputs: readonly ValueInfo[],
  samples: SampleSet,
  indexes: readonly number[],
): Promise<Readonly<Record<string, GoldenChoice>>> {
  const whole = inputs.filter(({ type }) => /^u?int|^bool$/.test(type));
  if (whole.length === 0) return {};
  const found = new Map<string, number>();
  const others = new Set<string>();
  for (const index of indexes.slice(0, looked)) {
    const { feeds } = await samples.sample(index);
    for (const { name } of whole) {
      const tensor = feeds[name];
      if (tensor === undefined || elementCount(tensor.dims) !== 1) continue;
      const number = isTypedArray(tensor.data) ? Number(tensor.data[0]) : Number.NaN;
      if (!Number.isSafeInteger(number) || (found.get(name) ?? number) !== number) others.add(name);
      found.set(name, number);
    }
  }
  const shared = [...found].filter(([name]) => !others.has(name));
  return Object.fromEntries(shared.map(([name, number]) => [name, { values: [number] }]));
}

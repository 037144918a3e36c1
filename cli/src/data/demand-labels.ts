import { PareError } from "@pare/runtime/format";
import type { SampleEntry } from "./sample-writer.js";
import type { Splits } from "./splits.js";

/**
 * All samples have a label, or none has. Those that only train may have none where the others have: what a teacher says of
 * them is enough to learn from.
 * @throws PareError DATA_INVALID
 */
export function demandLabels(
  entries: readonly Pick<SampleEntry, "labelled">[],
  { training = [] }: Pick<Splits, "training">,
  where: string,
): void {
  const isLabelled = (index: number): boolean => entries[index]?.labelled === true;
  const excused = new Set(training.some(isLabelled) ? [] : training);
  const others = [...entries.keys()].filter((index) => !excused.has(index));
  const labels = others.filter(isLabelled).length;
  if (labels === 0 || labels === others.length) return;
  throw new PareError(
    "DATA_INVALID",
    `Only ${labels} of the ${others.length} samples in ${where}${excused.size > 0 ? " that do not only train" : ""} have a label.`,
    { where, hint: "Give all of them a label, or none; all of `splits.training` may have none." },
  );
}

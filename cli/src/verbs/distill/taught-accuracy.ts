import type { Accuracy } from "@pare/runtime/format";
import { figureText, intervalText, testedText } from "../../workbench/training/tested-accuracy.js";

/** `top1 on 1999 test samples: teacher 0.985, student 0.102 before and 0.979 (0.971 to 0.985) after.` */
export function taughtAccuracyText(tested: ReadonlyMap<string, Accuracy>): string | null {
  const [teacher, before, after] = ["teacher", "before", "after"].map((name) => tested.get(name));
  if (before === undefined || after === undefined) return null;
  const taught = teacher === undefined ? "" : `teacher ${figureText(teacher)}, `;
  return `${testedText(after)}: ${taught}student ${figureText(before)} before and ${intervalText(after)} after.`;
}

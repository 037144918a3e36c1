import { expect, it } from "vitest";
import { taughtAccuracyText } from "./taught-accuracy.js";

it("says the accuracy of all three, with how many samples", () => {
  const of = (value: number) => ({
    metric: "top1",
    direction: "higher" as const,
    value,
    n: 200,
    measuredOn: "cpu" as const,
    interval: [value - 0.01, value + 0.01] as const,
    drop: null,
    dropInterval: null,
    flips: null,
  });
  const all = new Map([
    ["teacher", of(0.98)],
    ["before", of(0.1)],
    ["after", of(0.97)],
  ]);
  expect(taughtAccuracyText(all)).toBe(
    "top1 on 200 test samples: teacher 0.98, student 0.1 before and 0.97 (0.96 to 0.98) after.",
  );
  all.delete("teacher");
  expect(taughtAccuracyText(all)).toContain("samples: student 0.1 before");
  expect(taughtAccuracyText(new Map())).toBeNull();
});

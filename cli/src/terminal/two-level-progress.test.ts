import { expect, it } from "vitest";
import { twoLevelProgress } from "./two-level-progress.js";

it("says of a phase which step it belongs to, and how far the whole is", () => {
  const said: string[] = [];
  const { step, phase } = twoLevelProgress({
    progress: (fraction, what) => void said.push(`${fraction} ${what}`),
  });
  phase({ target: "cpu", phase: "loading", done: 0, total: 1 });
  step(0.5, "cpu: int8-static");
  phase({ target: "cpu", phase: "accuracy", done: 46, total: 200 });
  expect(said).toEqual([
    "0 cpu: loading",
    "0.5 cpu: int8-static",
    "0.5 cpu: int8-static: accuracy 46/200",
  ]);
});

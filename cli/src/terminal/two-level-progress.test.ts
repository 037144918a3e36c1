import { expect, it } from "vitest";
import { twoLevelProgress } from "./two-level-progress.js";

it("says of a phase which step it belongs to, and how far the whole is", () => {
  const said: string[] = [];
  const { step, phase } = twoLevelProgress({
    progress: (fraction, what) => void said.push(`${fraction} ${what}`),
  });
  phase({ target: "cpu", phase: "loading", done: 0, total: 1 });
  step({ fraction: 0.5, what: "cpu: int8-static", best: "cpu float16" });
  phase({ target: "cpu", phase: "accuracy", done: 46, total: 200 });
  expect(said).toEqual([
    "0 cpu: loading",
    "0.5 cpu: int8-static | best: cpu float16",
    "0.5 cpu: int8-static: accuracy 46/200 | best: cpu float16",
  ]);
});

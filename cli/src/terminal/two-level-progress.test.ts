import { expect, it } from "vitest";
import { twoLevelProgress } from "./two-level-progress.js";

it("says of a phase which step it belongs to, and how far the whole is by then", () => {
  const said: string[] = [];
  let now = 100;
  const { step, phase } = twoLevelProgress(
    { progress: (fraction, what) => void said.push(`${fraction} ${what}`) },
    () => now,
  );
  phase({ target: "cpu", phase: "loading", done: 0, total: 1 });
  now = 500;
  step({ fraction: 0.5, endMs: 1000, what: "cpu: int8-static", best: "cpu float16" });
  now = 600;
  phase({ target: "cpu", phase: "accuracy", done: 46, total: 200 });
  now = 700;
  step({ fraction: 0.5, endMs: 2000, what: "wasm: int8-static", best: "cpu float16" });
  now = 2500;
  phase({ target: "wasm", phase: "accuracy", done: 46, total: 200 });
  expect(said).toEqual([
    "0 cpu: loading",
    "0.5 cpu: int8-static | best: cpu float16",
    "0.6 cpu: int8-static: accuracy 46/200 | best: cpu float16",
    "0.6 wasm: int8-static | best: cpu float16",
    "0.99 wasm: int8-static: accuracy 46/200 | best: cpu float16",
  ]);
});

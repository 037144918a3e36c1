import { expect, it } from "vitest";
import { planText } from "./plan-text.js";

const cpu = { target: "cpu", candidates: 3, validation: 200, test: 16, ofTest: 700 } as const;
const plan = {
  lowMs: 4000,
  highMs: 7000,
  expectedMs: 5000,
  leastMs: 6000,
  budgetMs: 8000,
  tooShort: false,
  targets: [cpu],
};
const short = { ...plan, tooShort: true, leastMs: 29_600 };

it("says how long it takes, and on how many samples", () => {
  expect(planText(plan)).toBe(
    "Plan: about 4 to 7 s in all, of 8 s (--time-budget). cpu: 3 to try on 200 samples, 16 or more of 700 to test on.",
  );
});

it("says of a budget below the cheapest sound plan what that takes and what is tried", () => {
  expect(planText(short)).toBe(
    "Plan: the cheapest sound plan takes about 30 s, more than the 8 s given (--time-budget): the bundle may hold little more than the float model. Candidates are tried as far as time is left. For more: --time-budget 30s.",
  );
  const over = {
    ...short,
    lowMs: 12_000,
    highMs: 17_000,
    targets: [cpu, { ...cpu, target: "wasm" as const }],
  };
  const none = { ...over, targets: [{ ...cpu, candidates: 0 }] };
  expect(planText(none)).toBe(
    "Plan: the cheapest sound plan takes about 30 s, more than the 8 s given (--time-budget). Timing that and writing it takes about 12 to 17 s all the same.",
  );
  expect(planText(over)).toBe(
    "Plan: the cheapest sound plan takes about 30 s, more than the 8 s given (--time-budget): the bundle may hold little more than the float model. Timing that and writing it takes about 12 to 17 s all the same. Candidates are tried as far as time is left. For more: --time-budget 30s, or fewer targets: --target.",
  );
});

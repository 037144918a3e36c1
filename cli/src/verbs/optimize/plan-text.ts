import type { PlanSummary } from "@pare/compiler";

/** What will be done and how long it takes, before it is done. */
export function planText(plan: PlanSummary): string {
  const { lowMs, highMs, budgetMs, tooShort, targets } = plan;
  if (tooShort) return shortText(plan);
  const each = targets.map(({ target, candidates, validation, test, ofTest }) => {
    const tested = test < ofTest ? `${test} or more of ${ofTest}` : String(test);
    return `${target}: ${candidates} to try on ${validation} samples, ${tested} to test on`;
  });
  const range = `${seconds(lowMs)} to ${seconds(highMs)} s`;
  return `Plan: about ${range} in all, of ${seconds(budgetMs)} s (--time-budget). ${each.join("; ")}.`;
}

function shortText({ lowMs, highMs, leastMs, budgetMs, targets }: PlanSummary): string {
  const candidates = targets.reduce((sum, one) => sum + one.candidates, 0);
  const done = [
    ...(highMs > budgetMs
      ? [
          `Timing that and writing it takes about ${seconds(lowMs)} to ${seconds(highMs)} s all the same.`,
        ]
      : []),
    ...(candidates > 0 ? ["Candidates are tried as far as time is left."] : []),
  ].map((each) => ` ${each}`);
  const fewer = targets.length > 1 ? ", or fewer targets: --target" : "";
  const more =
    candidates === 0 ? "" : ` For more: --time-budget ${Math.ceil(leastMs / 1000)}s${fewer}.`;
  return `Plan: the cheapest sound plan takes about ${seconds(leastMs)} s, more than the ${seconds(budgetMs)} s given (--time-budget)${candidates === 0 ? "." : ": the bundle may hold little more than the float model."}${done.join("")}${more}`;
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}

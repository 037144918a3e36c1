import type { Optimized, StepGroup } from "@pare/compiler";
import { expect, it } from "vitest";
import { requirementChecks } from "./requirement-checks.js";

const group = (use: string, required: boolean): StepGroup => ({ steps: [{ use }], required });
const row = { target: "cpu", name: "float" } as const;

/** What was made of a recipe, by the groups that are in the variant for cpu. */
function optimized(...groups: readonly StepGroup[]): Pick<Optimized, "variants" | "steps"> {
  const reverted = { target: "cpu", name: "own: distill", group: ["distill"], verdict: "reverted", reason: "it diverged" }; // prettier-ignore
  return { variants: [{ target: "cpu", groups }], steps: [reverted] } as never;
}

const groups = [group("simplify", false), group("distill", true), group("lower-opset", true)];

it("are none where all that is required is in a variant, or nothing is", () => {
  expect(requirementChecks(row, { groups }, optimized(...groups))).toEqual([]);
  const free = { groups: groups.slice(0, 1) };
  expect(requirementChecks(row, free, optimized())).toEqual([]);
});

it("say which step is not, and why", () => {
  const [check] = requirementChecks(row, { groups }, optimized(group("lower-opset", true)));
  expect(check).toMatchObject({ target: "cpu", what: "recipe", outcome: "missed" });
  expect(check?.reason).toBe("What the recipe requires is not in it. own: distill: it diverged");
});

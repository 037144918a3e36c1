import type { Optimized, Recipe } from "@pare/compiler";
import type { ReportCheck, ReportRow } from "@pare/runtime/format";

/** Whether what a recipe requires is in a variant: where a required step came to nothing, the float model stands in. */
export function requirementChecks(
  { target, name }: Pick<ReportRow, "target" | "name">,
  { groups }: Pick<Recipe, "groups">,
  { variants, steps }: Pick<Optimized, "variants" | "steps">,
): readonly ReportCheck[] {
  const wanted = groups.filter(({ required }) => required);
  const own = variants.find((one) => one.target === target)?.groups ?? [];
  if (own.filter(({ required }) => required).length >= wanted.length) return [];
  const passes = new Set(wanted.map((group) => group.steps.map(({ use }) => use).join()));
  const reasons = steps.flatMap((step) => {
    const isOfThem = step.target === target && passes.has(step.group?.join() ?? "");
    return step.verdict === "reverted" && isOfThem ? [`${step.name}: ${step.reason}`] : [];
  });
  const reason = ["What the recipe requires is not in it.", ...reasons].join(" ");
  return [{ target, name, what: "recipe", outcome: "missed", reason }];
}

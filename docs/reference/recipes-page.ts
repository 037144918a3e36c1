import { readFile } from "node:fs/promises";
import { passes, type PassStep } from "../../compiler/src/passes/index.js";
import type { PassDefinition } from "../../compiler/src/pipeline/pass.js";
import type { Recipe } from "../../compiler/src/pipeline/recipe.js";
import type { StepGroup } from "../../compiler/src/pipeline/step.js";
import { presets } from "../../compiler/src/recipes/presets.js";

const presetsHeading = "## Presets\n";
const passesHeading = "## Passes and their options\n";

/** `recipes.md`: what is written there of recipes, and after it every preset, and every pass with its options. */
export async function recipesPage(): Promise<string> {
  const text = await readFile(new URL("recipes.md", import.meta.url), "utf8");
  const prose = text.slice(0, text.indexOf(presetsHeading));
  const parts = [`${prose}${presetsHeading}`, presetTable(), passesHeading, ...passes.map(section)];
  return `${parts.join("\n").trimEnd()}\n`;
}

function presetTable(): string {
  const rows = Object.values<Recipe<PassStep>>(presets).map(
    ({ name, summary, groups, propose }) => {
      const steps = groups.map(groupText);
      const all = propose ? [...steps, "what each target proposes"] : steps;
      return `| \`${name}\` | ${summary} | ${all.join("; ")} |`;
    },
  );
  return ["| preset | is | its steps |", "|---|---|---|", ...rows, ""].join("\n");
}

/** `prune` (keepFlops 0.6) with `distill`: measured as one. */
function groupText({ steps }: StepGroup<PassStep>): string {
  return steps
    .map(({ use, with: options = {} }) => {
      const given = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`);
      return given.length === 0 ? `\`${use}\`` : `\`${use}\` (${given.join(", ")})`;
    })
    .join(" together with ");
}

function section({ name, summary, options }: PassDefinition<string, unknown>): string {
  const rows = Object.entries(options.described).map(([option, { kind, fallback, says }]) => {
    const standing = fallback === undefined ? "" : `\`${JSON.stringify(fallback)}\``;
    return `| \`${option}\` | ${kind.said} | ${standing} | ${says} |`;
  });
  const table = ["| option | must be | where not given | is |", "|---|---|---|---|", ...rows, ""];
  const end = rows.length === 0 ? ["It takes no options.", ""] : table;
  return [`### \`${name}\``, "", `${capital(summary)}.`, "", ...end].join("\n");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

import { readFile } from "node:fs/promises";
import { passes } from "../../compiler/src/passes/index.js";
import type { PassDefinition } from "../../compiler/src/pipeline/pass.js";

const heading = "## Passes and their options\n";

/** `recipes.md`: what is written there of recipes, and after it every pass with its options. */
export async function recipesPage(): Promise<string> {
  const text = await readFile(new URL("recipes.md", import.meta.url), "utf8");
  const prose = text.slice(0, text.indexOf(heading));
  return `${[`${prose}${heading}`, ...passes.map(section)].join("\n").trimEnd()}\n`;
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

import { readFileSync } from "node:fs";

function facts(): { readonly version?: unknown; readonly homepage?: unknown } {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
}

/** This package's version, from its package.json. */
export function version(): string {
  return String(facts().version);
}

/** Where the command line is documented: at the package's homepage, where it has one. */
export function docsText({ homepage } = facts()): string {
  const place = typeof homepage === "string" ? `at ${homepage}` : "in Pare's repository";
  return `Docs: docs/reference/cli.md ${place}`;
}

import { readFileSync } from "node:fs";

/** This package's version, from its package.json. */
export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version: found }: { version?: unknown } = JSON.parse(text);
  return String(found);
}

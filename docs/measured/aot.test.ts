import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const { measuredPage, page } = (await import(
  new URL("bench/proofs/aot/support/page.mjs", root).href
)) as { measuredPage(root: string): string; page: string };

it("shows what was measured last (UPDATE_GOLDENS=1 writes it, and so do the proofs)", async () => {
  const file = new URL(page, root);
  const text = measuredPage(fileURLToPath(root));
  if (process.env["UPDATE_GOLDENS"] === "1") await writeFile(file, text);
  expect(await readFile(file, "utf8")).toBe(text);
  expect(text).toMatch(/\| model \| module, ms \| engine, ms \|/);
});

import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";

const published = [
  "bench/schema/report.schema.json",
  "cli/schema/pare.config.schema.json",
  "compiler/schema/recipe.schema.json",
  "runtime/schema/manifest.schema.json",
];

it.each(published)("%s is a JSON Schema to other validators", async (path) => {
  const text = await readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
  const { $schema: _, ...schema } = JSON.parse(text) as Record<string, unknown>;
  expect(() => new Ajv2020({ strict: false }).compile(schema)).not.toThrow();
});

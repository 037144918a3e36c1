import { readFile, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { cliPage } from "./cli-page.js";
import { compiledOperatorsPage } from "./compiled-operators-page.js";
import { convolutionLoopsPicture } from "./convolution-loops.js";
import { errorsPage } from "./errors-page.js";
import { gradientsPage } from "./gradients-page.js";
import { recipesPage } from "./recipes-page.js";
import { tensorflowJsPage } from "./tensorflow-js-page.js";

it.each([
  ["errors.md", errorsPage],
  ["cli.md", cliPage],
  ["compiled-operators.md", compiledOperatorsPage],
  ["convolution-loops.svg", convolutionLoopsPicture],
  ["gradients.md", gradientsPage],
  ["recipes.md", recipesPage],
  ["tensorflow-js.md", tensorflowJsPage],
])("%s is what the code says (UPDATE_GOLDENS=1 writes it)", async (name, page) => {
  const file = new URL(name, import.meta.url);
  const text = await page();
  if (process.env["UPDATE_GOLDENS"] === "1") await writeFile(file, text);
  expect(await readFile(file, "utf8")).toBe(text);
});

// Writes the published schema of recipes from the options of the passes: node compiler/scripts/write-schema.mjs
import { writeFile } from "node:fs/promises";
import { passes, recipeSchema } from "../dist/index.js";

await writeFile(
  new URL("../schema/recipe.schema.json", import.meta.url),
  `${JSON.stringify(recipeSchema(passes), null, 2)}\n`,
);

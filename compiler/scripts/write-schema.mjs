// Writes the published schema of recipes from the options of the passes: node compiler/scripts/write-schema.mjs
import { writeFormatted } from "../../.ci/write-formatted.mjs";
import { passes, recipeSchema } from "../dist/index.js";

await writeFormatted(
  new URL("../schema/recipe.schema.json", import.meta.url),
  JSON.stringify(recipeSchema(passes), null, 2),
);

// Writes the published schema from the one that the runtime validates with: node runtime/scripts/write-schema.mjs
import { writeFile } from "node:fs/promises";
import { manifestSchema } from "../dist/format/bundle/manifest-schema.js";

await writeFile(
  new URL("../schema/manifest.schema.json", import.meta.url),
  `${JSON.stringify(manifestSchema, null, 2)}\n`,
);

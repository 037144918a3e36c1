// Writes the published schema from the one that the runtime validates with: node runtime/scripts/write-schema.mjs
import { writeFormatted } from "../../.ci/write-formatted.mjs";
import { manifestSchema } from "../dist/format/bundle/manifest-schema.js";

await writeFormatted(
  new URL("../schema/manifest.schema.json", import.meta.url),
  JSON.stringify(manifestSchema, null, 2),
);

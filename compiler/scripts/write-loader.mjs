// Writes src/bundle/loader-text.ts, the loader that goes into bundles, from runtime/src/backends/aot-loader.ts:
//   node compiler/scripts/write-loader.mjs
import { writeFormatted } from "../../.ci/write-formatted.mjs";
import { loaderTexts } from "./loader-text.mjs";

await writeFormatted(
  new URL("../src/bundle/loader-text.ts", import.meta.url),
  `// Written by scripts/write-loader.mjs from runtime/src/backends/aot-loader.ts.
export const loaderTexts = ${JSON.stringify(await loaderTexts())};
`,
);

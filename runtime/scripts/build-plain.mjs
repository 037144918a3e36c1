// Builds dist/pare.js: the runtime for a page without a bundler. node runtime/scripts/build-plain.mjs
import { fileURLToPath } from "node:url";
import { bundlePlain } from "./bundle-plain.mjs";

await bundlePlain(fileURLToPath(new URL("../dist/pare.js", import.meta.url)));

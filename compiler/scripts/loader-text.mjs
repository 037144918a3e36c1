import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The loader of modules that are models, as one script that imports nothing: without choosing, for models of one size. */
export async function loaderTexts() {
  return { one: await loaderText(false), several: await loaderText(true) };
}

async function loaderText(hasSeveralSizes) {
  const { outputFiles } = await build({
    entryPoints: [
      fileURLToPath(new URL("../../runtime/src/backends/aot-loader.ts", import.meta.url)),
    ],
    bundle: true,
    define: { hasSeveralSizes: String(hasSeveralSizes) },
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * The loader of modules that are models, as one script that imports nothing: with what it needs for models of several sizes,
 * and for such as take or give text.
 */
export async function loaderTexts() {
  return {
    one: await loaderText({ hasSeveralSizes: false, hasText: false }),
    several: await loaderText({ hasSeveralSizes: true, hasText: false }),
    oneOfText: await loaderText({ hasSeveralSizes: false, hasText: true }),
    severalOfText: await loaderText({ hasSeveralSizes: true, hasText: true }),
  };
}

async function loaderText(flags) {
  const { outputFiles } = await build({
    entryPoints: [
      fileURLToPath(new URL("../../runtime/src/backends/aot-loader.ts", import.meta.url)),
    ],
    bundle: true,
    define: Object.fromEntries(Object.entries(flags).map(([name, is]) => [name, String(is)])),
    minify: true,
    // Of its own objects alone: what the compiler writes and what callers see keeps its names.
    mangleProps: /^(array|held|labels|to)$/,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

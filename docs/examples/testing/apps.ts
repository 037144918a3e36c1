import { execFile } from "node:child_process";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, createServer } from "vite";
import { transform } from "esbuild";
import webpack from "webpack";
import { writeDigitsBundle, writeTinyBundle } from "./digits-bundle.js";
import { serve, type Server, strictHeaders } from "./serve.js";

const example = (part: string): string =>
  fileURLToPath(new URL(`../browser/${part}`, import.meta.url));
// Below the repository, so that packages are found by walking up; git ignores the folder.
const workplace = fileURLToPath(new URL("../../../.cache/examples", import.meta.url));

export type Place = "inside" | "outside" | "installed";
export type Bundler = "vite-dev" | "vite-build" | "webpack";

export interface AppSource {
  /** Files and folders that the app consists of. */
  readonly parts: readonly string[];
  /** The name of the bundle as a package. */
  readonly bundle: string;
  /** The bundle's folder. */
  readonly folder: string;
  writeBundle(folder: string): Promise<void>;
}

/**
 * What every app shares with the example.
 * @public of the proof that the bundle runs everywhere, which loads this file by its path
 */
export const bundlerConfigs = ["vite.config.js", "webpack.config.js"].map(example);

const digits: AppSource = {
  parts: [...bundlerConfigs, example("index.html"), example("src")],
  bundle: "digits",
  folder: "digits.pare",
  writeBundle: writeDigitsBundle,
};

/** A copy of the example with its bundle inside the app's folder, beside it, or installed as a package. */
export async function makeApp(name: string, place: Place, source = digits): Promise<string> {
  const app = join(workplace, name, "app");
  await rm(dirname(app), { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  for (const part of source.parts) await cp(part, join(app, basename(part)), { recursive: true });
  await writeFile(
    join(app, "package.json"),
    JSON.stringify({ name, private: true, type: "module" }),
  );
  const { folder } = source;
  const bundle = join(app, place === "inside" ? folder : `../${folder}`);
  await source.writeBundle(bundle);
  await cp(bundle, join(app, "public", folder), { recursive: true });
  if (place === "outside")
    await writeFile(
      join(app, "src/bundle.js"),
      `export { default } from "../../${folder}/index.js";\n`,
    );
  if (place === "installed") {
    await promisify(execFile)(
      "npm",
      ["install", "--offline", "--no-audit", "--no-fund", `../${folder}`],
      { cwd: app },
    );
    await writeFile(join(app, "src/bundle.js"), `export { default } from "${source.bundle}";\n`);
  }
  return app;
}

/** An app around a model so small that Vite puts it into the script as a data: URL. */
export async function makeTinyApp(name: string): Promise<string> {
  const app = join(workplace, name, "app");
  await rm(dirname(app), { recursive: true, force: true });
  await mkdir(join(app, "src"), { recursive: true });
  for (const part of ["index.html", "vite.config.js"]) await cp(example(part), join(app, part));
  await writeTinyBundle(join(app, "tiny.pare"));
  const main = `import { load } from "@pare/runtime";
import { wasm } from "@pare/runtime/ort-web";
import tiny from "../tiny.pare/index.js";

const model = await load(tiny, { backends: [wasm()] });
const { y } = await model.run({ x: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) }, shift: Float32Array.of(1, 1, 1) });
const inlined = Object.values(tiny.files).every((url) => url.protocol === "data:");
document.querySelector("output").dataset.result = JSON.stringify({ y: [...y.data], inlined, proven: model.selection.proven });
`;
  await writeFile(join(app, "src/main.js"), main);
  return app;
}

/**
 * Builds an app and serves what was built; or serves it as Vite does in development.
 * @param minifier of webpack: its own takes seven seconds for the engine's code
 */
export async function serveApp(
  app: string,
  bundler: Bundler,
  minifier: "webpack" | "esbuild" = "webpack",
): Promise<Server> {
  switch (bundler) {
    case "vite-dev": {
      // Vite's own client is a websocket to the same host, which connect-src 'self' allows.
      const server = await createServer({
        root: app,
        logLevel: "error",
        server: { host: "127.0.0.1", headers: strictHeaders, hmr: false },
      });
      await server.listen(0);
      return { url: server.resolvedUrls?.local[0] ?? "", close: () => server.close() };
    }
    case "vite-build":
      await build({ root: app, logLevel: "error" });
      return serve(join(app, "dist"));
    case "webpack": {
      const { default: config } = (await import(join(app, "webpack.config.js"))) as {
        default: webpack.Configuration;
      };
      const own = minifier === "esbuild" && { optimization: { minimizer: [minifyByEsbuild] } };
      await runWebpack({ ...config, context: app, ...own });
      const output = join(app, "dist-webpack");
      await writeFile(
        join(output, "index.html"),
        '<!doctype html><canvas width="28" height="28"></canvas><button></button><output></output><script type="module" src="main.js"></script>',
      );
      await cp(join(app, "public"), output, { recursive: true });
      return serve(output);
    }
    default:
      return bundler satisfies never;
  }
}

/** Stops serving an app and removes it. */
export async function closeApp(app: string, server: Server | undefined): Promise<void> {
  await server?.close();
  await rm(dirname(app), { recursive: true, force: true });
}

function minifyByEsbuild(compiler: webpack.Compiler): void {
  const { Compilation, sources } = compiler.webpack;
  const tapped = { name: "esbuild", stage: Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE };
  compiler.hooks.compilation.tap("esbuild", (compilation) =>
    compilation.hooks.processAssets.tapPromise(tapped, async (assets) => {
      for (const [name, asset] of Object.entries(assets)) {
        if (!/\.m?js$/.test(name)) continue;
        const { code } = await transform(asset.source().toString(), { minify: true });
        compilation.updateAsset(name, new sources.RawSource(code));
      }
    }),
  );
}

async function runWebpack(config: webpack.Configuration): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    webpack(config, (error, stats) => {
      if (error) reject(error);
      else if (stats?.hasErrors()) reject(new Error(stats.toString("errors-only")));
      else resolve();
    });
  });
}

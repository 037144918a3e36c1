// Published models of TensorFlow.js as modules, beside TensorFlow.js on its WebAssembly backend: time, and what a page
// downloads.
import { readFileSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { importModel } from "../../../compiler/dist/index.js";
import { isPareError } from "../../../runtime/dist/format/index.js";
import { unpacked } from "../known-models.mjs";
import { run, scratch } from "../shell.mjs";
import {
  apply,
  fixSizes,
  publishedModels,
  shardsOf,
  sourceOf,
} from "../support/tensorflow-js/published-models.mjs";
import { asModule, isModule } from "./support/compiled.mjs";

/** Of the version that is read with; it is no dependency, for nothing but this needs it. */
const backend = "@tensorflow/tfjs-backend-wasm@4.22.0";
const budgetMs = 4000;
/** Of time: the geometric mean, and of the model that gains the least the upper end of its interval. */
const [mostTime, mostOfOne] = [0.7, 1];
/** Of bytes to download, after brotli. */
const mostBytes = 0.5;
const shown = "blazeface-front.json";
const script = fileURLToPath(new URL("support/time-beside-tensorflow.mjs", import.meta.url));

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const { files, reason } = await unpacked(backend, folder);
    if (reason !== null) throw new Error(reason);
    const peer = join(files, "package");
    const { paths, missing } = await publishedModels(folder);
    for (const one of missing) inform("a package that cannot be had here", { value: one });
    const found = [];
    for (const path of paths) {
      const name = basename(path, ".json");
      if (!(await isRead(path))) continue;
      const { code, stdout, stderr } = await run(process.execPath, [script, path, peer, budgetMs]);
      if (code !== 0) {
        inform(`${name}: TensorFlow.js has no time`, { value: lastOf(stderr) });
        continue;
      }
      const { own, others, simd } = JSON.parse(stdout.trim().split("\n").at(-1));
      const ratios = own.map((ms, at) => ms / others[at]);
      const interval = bootstrapInterval(ratios, median, {
        confidence: 0.95,
        resamples: 1000,
        seed: 1,
      });
      found.push({ name, ratio: median(ratios), interval });
      inform(`${name}: time of the module, of TensorFlow.js's`, {
        value: median(ratios),
        n: ratios.length,
        interval,
        note: `${median(own).toFixed(2)} ms, ${median(others).toFixed(2)} ms${simd ? "" : ", which has no SIMD here"}`,
      });
    }
    const logs = found.map(({ ratio }) => Math.log(ratio));
    const mean = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
    claim("time of a module, of TensorFlow.js's on WebAssembly, one thread, geometric mean", {
      value: mean,
      bound: `≤ ${mostTime}`,
      n: found.length,
      met: found.length > 0 && mean <= mostTime,
    });
    const worst = found.toSorted((a, b) => b.interval[1] - a.interval[1])[0];
    if (worst !== undefined)
      claim("the same of the model that gains the least: the upper end of its interval", {
        value: worst.interval[1],
        bound: `≤ ${mostOfOne}`,
        met: worst.interval[1] <= mostOfOne,
        note: worst.name,
      });
    const path = paths.find((one) => basename(one) === shown);
    if (path !== undefined) await proveDownload(path, peer, folder, root);
  });

  async function proveDownload(path, peer, folder, root) {
    const graph = await importModel(sourceOf(path));
    await fixSizes(graph);
    await apply(graph, "simplify");
    const { files } = await asModule(graph);
    const module = Math.max(...files.filter(isModule).map(({ bytes }) => packed(bytes)));
    const weights = files.filter((file) => !isModule(file));
    const model = weights.reduce((sum, { bytes }) => sum + packed(bytes), module);
    const own = await app(
      `import { load } from "@pare/runtime"; import { aot } from "@pare/runtime/aot"; globalThis.run = { load, aot };`,
      root,
    );
    const theirs = await app(
      `import { setBackend, tensor } from "@tensorflow/tfjs-core"; import { loadGraphModel } from "@tensorflow/tfjs-converter"; import ${JSON.stringify(peer)}; globalThis.run = { setBackend, tensor, loadGraphModel };`,
      folder,
    );
    const theirModel = [path, ...shardsOf(path)].reduce(
      (sum, file) => sum + packed(readFileSync(file)),
      packed(readFileSync(join(peer, "dist/tfjs-backend-wasm-simd.wasm"))),
    );
    const [ours, before] = [own + model, theirs + theirModel];
    claim(
      `what a page downloads for ${basename(path, ".json")}, of what it does with TensorFlow.js`,
      {
        value: ours / before,
        bound: `≤ ${mostBytes}`,
        met: ours / before <= mostBytes,
        note: `${ours} bytes, of which ${own} of JavaScript; ${before}, of which ${theirs} of JavaScript; each file after brotli`,
      },
    );
  }
}

/** Can it be compiled at all? Its refusal is another proof's matter. */
async function isRead(path) {
  try {
    await importModel(sourceOf(path));
    return true;
  } catch (error) {
    if (isPareError(error)) return false;
    throw error;
  }
}

function packed(bytes) {
  return brotliCompressSync(bytes).length;
}

/** Bytes of a page's script after brotli, as a bundler makes it. */
async function app(contents, resolveDir) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  return packed(outputFiles[0].contents);
}

function lastOf(text) {
  const lines = text.trim().split("\n");
  return lines.find((line) => /Error/.test(line)) ?? lines.at(-1) ?? "";
}

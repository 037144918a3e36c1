import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { run, scratch } from "../shell.mjs";
import { asOnnx, fixedGraph, inputsOf, reasonsOf } from "./support/compiled.mjs";
import { writeModuleBundle } from "./support/module-bundle.mjs";
import { startsInChromium } from "./support/starts-in-chromium.mjs";

/** Under 1 MB. */
const models = [
  "latency/mnist",
  "latency/kws-dscnn",
  "mnist-cnn",
  "latency/cifar-resnet8",
  "blazeface-front",
  "ocr-direction",
  "latency/enc-64x128",
  "latency/vww-mbv1-025-96",
];
const times = 9;
const [leastStart, leastDownload] = [20, 20];
const script = fileURLToPath(new URL("support/starts.mjs", import.meta.url));

// From nothing that is loaded to the first answer, and all bytes that it takes, against onnxruntime-web 1.30 on one thread.
export async function prove({ claim, inform }) {
  await scratch(async (folder) => {
    const prepared = [];
    for (const name of models) {
      const { path, reason } = await modelPath(name);
      if (path === null) inform(`${name} cannot be had here`, { value: reason });
      else if (statSync(path).size < 1e6) {
        const own = await prepare({ name, path }, folder);
        if (typeof own === "string") inform(`${name} is not compiled`, { value: own });
        else prepared.push({ name, ...own });
      }
    }
    const engine = engineBytes();
    inform("bytes of the engine after brotli", { value: engine });
    for (const { name, module, onnx } of prepared)
      claim(`${name}: how much less is downloaded, the engine included`, {
        value: (engine + onnx) / module,
        bound: `≥ ${leastDownload}`,
        met: (engine + onnx) / module >= leastDownload,
        note: `${module} bytes after brotli instead of ${engine + onnx}`,
      });
    const inNode = async (way, name) => {
      const args = [script, way, join(folder, name)];
      const { code, stdout, stderr } = await run(process.execPath, args);
      if (code !== 0) throw new Error(stderr.slice(-500));
      return Number(stdout);
    };
    await compareStarts(claim, prepared, inNode, `Node ${process.versions.node}`);
    const seen = await startsInChromium(folder, async (startOnce, browser) => {
      await compareStarts(claim, prepared, startOnce, browser);
      return browser;
    });
    if (seen === null) inform("a Chromium", { value: "there is none here" });
  });
}

/** In turns, each from the start; medians. */
async function compareStarts(claim, prepared, startOnce, place) {
  for (const { name, folder } of prepared) {
    const taken = { module: [], engine: [] };
    for (let turn = 0; turn < times; turn += 1)
      for (const way of turn % 2 === 0 ? ["module", "engine"] : ["engine", "module"])
        taken[way].push(await startOnce(way, folder));
    const [module, engine] = [median(taken.module), median(taken.engine)];
    claim(`${name}, ${place}: how much earlier the first result is there`, {
      value: engine / module,
      bound: `≥ ${leastStart}`,
      n: times,
      met: engine / module >= leastStart,
      note: `${module.toPrecision(3)} ms instead of ${engine.toPrecision(3)} ms`,
    });
  }
}

/** Both forms of a model in a folder, and what they are after brotli; a text that says why where it is not compiled. */
async function prepare(model, parent) {
  const graph = await fixedGraph(model);
  const reasons = await reasonsOf(graph);
  if (reasons.length > 0) return reasons.join("; ");
  const folder = model.name.replaceAll("/", "-");
  const own = join(parent, folder);
  mkdirSync(own);
  const files = await writeModuleBundle(graph, own);
  const [{ bytes }] = (await asOnnx(graph)).files;
  writeFileSync(join(own, "model.onnx"), bytes);
  const facts = inputsOf(graph).map(({ name, dims }) => ({
    name,
    dims,
    count: dims.reduce((product, size) => product * size, 1),
  }));
  writeFileSync(join(own, "facts.json"), JSON.stringify(facts));
  const after = (path) => brotliCompressSync(readFileSync(join(own, path))).length;
  return {
    folder,
    module: files.reduce((sum, path) => sum + after(path), 0),
    onnx: after("model.onnx"),
  };
}

/** Of the engine's smallest build: its script and its WebAssembly. */
function engineBytes() {
  const place = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
  return ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"].reduce(
    (sum, name) => sum + brotliCompressSync(readFileSync(join(place, name))).length,
    0,
  );
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

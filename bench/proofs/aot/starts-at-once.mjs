import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { run, scratch } from "../shell.mjs";
import { asOnnx, fixedGraph, inputsOf, reasonsOf } from "./support/compiled.mjs";
import { asEngineIntegers, asIntegers, integerNetworks } from "./support/integers.mjs";
import { engineBytes } from "./support/engine-bytes.mjs";
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

// From nothing that is loaded to the first answer, and all bytes that it takes, against onnxruntime-web 1.30 on one thread:
// as floats, and convolutional networks as integers too, where the best of what the engine takes counts.
export async function prove({ claim, inform }) {
  await scratch(async (folder) => {
    const prepared = [];
    for (const name of models) {
      const { path, reason } = await modelPath(name);
      if (path === null) inform(`${name} cannot be had here`, { value: reason });
      else if (statSync(path).size < 1e6) {
        const graph = await fixedGraph({ name, path });
        const reasons = await reasonsOf(graph);
        if (reasons.length > 0) inform(`${name} is not compiled`, { value: reasons.join("; ") });
        else prepared.push(...(await formsOf(name, graph, folder)));
      }
    }
    const engine = engineBytes();
    inform("bytes of the engine after brotli", { value: engine });
    for (const { name, module, onnx } of prepared) {
      const all = engine + Math.min(...onnx);
      claim(`${name}: how much less is downloaded, the engine included`, {
        value: all / module,
        bound: `≥ ${leastDownload}`,
        met: all / module >= leastDownload,
        note: `${module} bytes after brotli instead of ${all}; ${Math.floor(all / leastDownload)} would be ${leastDownload} times less`,
      });
    }
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
  for (const { name, folder, onnx } of prepared) {
    const ways = ["module", ...onnx.map((_, at) => onnxName(at))];
    const taken = ways.map(() => []);
    for (let turn = 0; turn < times; turn += 1)
      for (const turned of ways.keys()) {
        const which = (turn + turned) % ways.length;
        taken[which].push(await startOnce(ways[which], folder));
      }
    const [module, ...engines] = taken.map(median);
    const engine = Math.min(...engines);
    claim(`${name}, ${place}: how much earlier the first result is there`, {
      value: engine / module,
      bound: `≥ ${leastStart}`,
      n: times,
      met: engine / module >= leastStart,
      note: `${module.toPrecision(3)} ms instead of ${engine.toPrecision(3)} ms`,
    });
  }
}

const onnxName = (at) => `${at}.onnx`;

/** A model as it is, and as integers if it is one of those. */
async function formsOf(name, graph, parent) {
  const float = await prepare({ name, graph, engine: [graph] }, parent);
  if (!integerNetworks.includes(name)) return [float];
  const engine = [graph, await asEngineIntegers(graph)];
  const integers = { name: `${name} as integers`, graph: await asIntegers(graph), engine };
  return [float, await prepare(integers, parent)];
}

/** A model's module, and what the engine takes, in a folder, and what each is after brotli. */
async function prepare({ name, graph, engine }, parent) {
  const folder = name.replaceAll(/[/ ]/g, "-");
  const own = join(parent, folder);
  mkdirSync(own);
  const after = (bytes) => brotliCompressSync(bytes).length;
  const files = await writeModuleBundle(graph, own);
  const onnx = [];
  for (const [at, form] of engine.entries()) {
    const [{ bytes }] = (await asOnnx(form)).files;
    writeFileSync(join(own, onnxName(at)), bytes);
    onnx.push(after(bytes));
  }
  const facts = inputsOf(graph).map(({ name: input, dims }) => ({
    name: input,
    dims,
    count: dims.reduce((product, size) => product * size, 1),
  }));
  writeFileSync(join(own, "facts.json"), JSON.stringify(facts));
  const module = files.reduce((sum, path) => sum + after(readFileSync(join(own, path))), 0);
  return { name, folder, module, onnx };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

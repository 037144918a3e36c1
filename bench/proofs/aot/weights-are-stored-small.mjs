// Modules that compute in floats with their weights stored as bytes, or as float16: how much less is downloaded, that they
// take no more memory, are as fast, start as soon, and give what the same weights as floats give: to the bit, and as onnxruntime
// computes with the same file.
import { readFileSync } from "node:fs";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { edit, findPass } from "../../../compiler/dist/index.js";
import { compileToWasm } from "../../../compiler/dist/wasm/index.js";
import { decodeConstants } from "../../../compiler/dist/wasm/lower/quantized/decoded-constants.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { asModule, inputsOf, noiseFor, outputsOfEngine, rangeOf } from "./support/compiled.mjs";
import { engineBytes } from "./support/engine-bytes.mjs";
import { relativeError } from "./support/relative-error.mjs";
import {
  brotliBytes,
  claimSmaller,
  claimTime,
  downloadOf,
  ofEach,
  resultsOf,
} from "./support/modules-side-by-side.mjs";

const models = [
  "mnist-cnn",
  "latency/kws-dscnn",
  "latency/cifar-resnet8",
  "latency/vww-mbv1-025-96",
  "latency/mbv2-100-96",
  "latency/enc-64x128",
  "latency/enc-128x384x1",
  "ocr-direction",
  "ocr-recognition",
  "silero-vad-v5",
  "minilm",
];
const starts = 9;
const most = { bytes: 0.35, halves: 0.56, apart: 1e-4, time: 1.03, memory: 1.05 };

export async function prove({ claim, inform }) {
  await ofEach(models, inform, async ({ name, path, graph }) => {
    const floats = await asModule(graph);
    const rounded = await withIntegers(graph, {});
    const stored = await asModule(rounded);
    const decoded = rounded.fork();
    await decodeConstants(decoded);
    dropUnread(decoded);

    claimSmaller(claim, name, stored, floats, most.bytes);
    const memory = (await memoryOf(rounded)) / (await memoryOf(graph));
    claim(`${name}: memory, of that of the module with floats`, {
      value: memory,
      bound: `≤ ${most.memory}`,
      n: 1,
      met: memory <= most.memory,
    });
    const bytes = downloadOf(stored);
    inform(`${name}: how much less than the engine and its file with floats`, {
      value: (engineBytes() + brotliBytes(readFileSync(path))) / bytes,
    });
    for (const [granularity, of] of [
      ["channel", "for each channel"],
      ["block", "in blocks of 32"],
    ]) {
      const fewer = await asModule(await withIntegers(graph, { bits: 4, granularity }));
      inform(`${name}: what is downloaded with four bits ${of}, of that with eight`, {
        value: downloadOf(fewer) / bytes,
      });
    }

    const halves = await withHalves(graph);
    const asHalves = await asModule(halves);
    claimSmaller(claim, `${name} in float16`, asHalves, floats, most.halves);

    const feeds = noiseFor(inputsOf(graph), 3, rangeOf(name));
    const error = relativeError(await outputsOfEngine(halves, feeds), await resultsOf(asHalves, feeds)); // prettier-ignore
    claim(`${name} in float16: largest difference to onnxruntime with the same file`, {
      value: error,
      bound: `≤ ${most.apart}`,
      n: 1,
      met: error <= most.apart,
    });
    const own = await resultsOf(await compiled(rounded), feeds);
    const theirs = await resultsOf(await compiled(decoded), feeds);
    claim(`${name}: numbers that are others than those of the same weights as floats`, {
      value: others(own, theirs),
      bound: 0,
      n: Object.values(own).reduce((sum, { data }) => sum + data.length, 0),
      met: others(own, theirs) === 0,
    });

    await claimTime(claim, name, stored, floats, feeds, most.time);
    const [first, other] = [await startOf(stored), await startOf(floats)];
    inform(`${name}: milliseconds to compile and start it, what was downloaded being there`, {
      value: first,
      n: starts,
      note: `with floats ${other.toPrecision(3)}`,
    });
  });
}

/** As it is: with weights that are constants more could be simplified, and rounded otherwise. */
async function compiled(graph) {
  const { simd, relaxed, weights } = await compileToWasm(graph);
  const files = [["model.wasm", simd], ["relaxed.wasm", relaxed], ["weights.bin", weights]]; // prettier-ignore
  return {
    format: "wasm",
    files: files.flatMap(([name, bytes]) => (bytes === undefined ? [] : [{ name, bytes }])),
    session: {},
    requires: { features: ["simd"] },
  };
}

async function memoryOf(graph) {
  return (await compileToWasm(graph)).memory.memoryBytes;
}

function others(own, theirs) {
  let count = 0;
  for (const [name, { data }] of Object.entries(own))
    data.forEach((value, at) => (count += Object.is(value, theirs[name].data[at]) ? 0 : 1));
  return count;
}

async function startOf(artifact) {
  const times = [];
  for (let start = 0; start < starts; start += 1) {
    const began = performance.now();
    const session = await aot().load(artifact);
    times.push(performance.now() - began);
    await session.dispose();
  }
  return median(times);
}

const withIntegers = (graph, options) =>
  changed(graph, "quantize-weights", { decode: "dequantize", ...options });
const withHalves = (graph) => changed(graph, "fp16-weights", {});

async function changed(graph, name, options) {
  const rounded = graph.fork();
  const pass = findPass(name);
  await pass.create(pass.parse(options)).run(rounded, {});
  return rounded;
}

/** What a pass left behind without a reader. */
function dropUnread(graph) {
  for (const node of [...graph.order()].reverse()) {
    const isRead = node.outputs.some((id) => id !== null && graph.value(id).uses.length > 0);
    if (!isRead) edit(graph, "proof", (editor) => editor.remove(node.id));
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EngineHost, executor, openHosts, openNodeChannel } from "../../../bench/dist/index.js";
import { countConstantBytes } from "../../../compiler/dist/analysis/index.js";
import { storedWeights } from "../../../compiler/dist/analysis/stored-weights.js";
import { decodeModel, encodeModel, findPass, inferNode } from "../../../compiler/dist/index.js";
import { pack, unpack } from "../../../compiler/dist/quantize/pack.js";
import { chooseScales } from "../../../compiler/dist/quantize/range.js";
import { dequantize, quantize } from "../../../compiler/dist/quantize/round.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { byteSource, onnxArtifact } from "../../../runtime/dist/format/index.js";
import { scratch } from "../shell.mjs";

const propertyCases = 4000;
const samplesEach = 4;
const models = ["mnist-cnn", "ocr-recognition"];
const dataOf = { "mnist-cnn": "mnist", "ocr-recognition": "ocr-recognition" };
const ways = [
  { name: "int4 per channel", with: {}, most: 0.14 },
  { name: "int4 per block of 32", with: { granularity: "block" }, most: 0.17 },
];

// One type for quantized integers: it does as a slow reference; and 4-bit weights written with it load on every engine of
// a CPU, folded at load or not, are as small as they should be, and mean the same in both forms.
export async function prove({ claim }) {
  const random = randomFrom(20);
  let equal = 0;
  let first;
  for (let index = 0; index < propertyCases; index += 1) {
    const one = randomCase(random);
    if (agrees(one)) equal += 1;
    else first ??= JSON.stringify(one);
  }
  claim("random tensors in random formats that come out as by the slow reference", {
    value: equal,
    bound: propertyCases,
    n: propertyCases,
    met: equal === propertyCases,
    note: first,
  });

  const { hosts, skipped } = await openHosts(["cpu", "wasm"]);
  const inNode = await EngineHost.start("wasm", () => openNodeChannel("wasm"));
  const engines = [...hosts.values(), inNode];
  try {
    const inBrowser = engines.find(({ engine }) => engine.includes("Chrom"));
    claim("engines: onnxruntime-node, onnxruntime-web in Chromium and in Node", {
      value: engines.map(({ engine }) => engine).join(", "),
      bound: 3,
      n: engines.length,
      met: engines.length === 3 && inBrowser !== undefined,
      note: skipped.map(({ reason }) => reason).join("; ") || undefined,
    });
    for (const model of models) await proveModel(claim, engines, model);
  } finally {
    await inNode.dispose();
    for (const host of hosts.values()) await host.dispose();
  }
}

async function proveModel(claim, engines, model) {
  const { path, reason } = await modelPath(model);
  if (path === null) throw new Error(reason);
  const bytes = new Uint8Array(readFileSync(path));
  const float = await decodeModel(sourceOf(bytes), { infer: inferNode });
  await apply(float, "simplify");
  const written = (await encodeModel(float.fork())).proto;
  const weights = storedWeights(float, 1024).reduce((sum, one) => sum + one.tensor.byteLength, 0);
  const rest = countConstantBytes(float) - weights;
  const feeds = await firstSamples(model);

  for (const { name, with: options, most } of ways) {
    const files = {};
    for (const decode of ["fold", "dequantize"]) {
      const graph = float.fork();
      await apply(graph, "quantize-weights", { bits: 4, ...options, decode });
      const share = (countConstantBytes(graph) - rest) / weights;
      files[decode] = (await encodeModel(graph)).proto;
      claim(`${model}, ${name}, ${decode}: bytes over those of float weights`, {
        value: share,
        bound: most,
        n: 1,
        met: share <= most,
        note: `${bytes.length} → ${files[decode].length} bytes of the whole file`,
      });
    }
    const kept = await operatorsAfterLoading(written);
    const left = await operatorsAfterLoading(files.fold);
    claim(`${model}, ${name}, fold: operators that the engine is left with`, {
      value: left.length,
      bound: kept.length,
      n: kept.length,
      met: left.join() === kept.join(),
      note: "as many as of the float model, and the same",
    });
    for (const host of engines) {
      const answers = {};
      for (const [decode, file] of Object.entries({ float: written, ...files }))
        answers[decode] = await answersOf(host, file, feeds);
      const between = sqnr(answers.fold, answers.dequantize);
      // The CPU engine makes MatMulNBits of DequantizeLinear and MatMul, which rounds activations to 8 bits.
      const bound = host.target === "cpu" ? 30 : 100;
      claim(`${model}, ${name}, ${host.engine}: both forms agree, dB`, {
        value: between,
        bound,
        n: feeds.length,
        met: between >= bound,
        note: `with the float model ${sqnr(answers.float, answers.fold).toFixed(1)} and ${sqnr(answers.float, answers.dequantize).toFixed(1)} dB`,
      });
    }
  }
}

const sourceOf = (bytes) => ({ proto: byteSource(bytes), external: new Map() });

async function apply(graph, use, options = {}) {
  const pass = findPass(use);
  await pass.create(pass.parse(options)).run(graph, {});
}

async function firstSamples(model) {
  const module = await import(`../../../fixtures/data/${dataOf[model]}.mjs`);
  const feeds = [];
  for await (const sample of module.samples()) {
    feeds.push(sample.feeds);
    if (feeds.length === samplesEach) break;
  }
  return feeds;
}

async function answersOf(host, file, feeds) {
  const session = await executor(host).load(onnxArtifact(file));
  const answers = [];
  for (const one of feeds) answers.push(...Object.values(await session.run(one)));
  await session.dispose();
  return answers;
}

/** What onnxruntime makes of a file when it loads it, by operator. */
async function operatorsAfterLoading(file) {
  const { InferenceSession } = await import("onnxruntime-node");
  return scratch(async (folder) => {
    const optimizedModelFilePath = join(folder, "loaded.onnx");
    const options = {
      optimizedModelFilePath,
      graphOptimizationLevel: "basic",
      logSeverityLevel: 3,
    };
    await (await InferenceSession.create(file, options)).release();
    const loaded = sourceOf(new Uint8Array(readFileSync(optimizedModelFilePath)));
    const graph = await decodeModel(loaded, { infer: () => [] });
    return [...graph.allNodes()].map(({ op }) => op).sort();
  });
}

function sqnr(expected, actual) {
  let signal = 0;
  let noise = 0;
  expected.forEach(({ data }, at) =>
    data.forEach((x, i) => {
      signal += x * x;
      noise += (x - actual[at].data[i]) ** 2;
    }),
  );
  return noise === 0 ? 300 : 10 * Math.log10(signal / noise);
}

function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomCase(random) {
  const dims = Array.from({ length: 1 + random(4) }, () => 1 + random(7));
  const count = dims.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, () =>
    [() => 0, () => (random(81) - 40) / 2, () => (random(2 ** 20) / 2 ** 20 - 0.5) * 20][
      random(3)
    ](),
  );
  const axis = random(dims.length);
  const granularity = [
    { kind: "tensor" },
    { kind: "channel", axis },
    { kind: "block", axis, size: 1 + random(8) },
  ][random(3)];
  const dtype = ["int8", "uint8", "int4", "uint4", "int2", "uint2"][random(6)];
  const reduceRange = dtype.endsWith("8") && random(3) === 0;
  return { dims, values, format: { dtype, symmetric: random(2) === 0, granularity, reduceRange } };
}

/** Scales, zero points, integers, packed bytes and what comes back, against formulas written out for each element. */
function agrees({ dims, values, format }) {
  const scales = chooseScales(values, dims, format, "minmax");
  const made = quantize(values, dims, format, scales);
  const back = dequantize(made);
  const bits = Number(format.dtype.match(/\d+/)[0]);
  const packed = pack(format.dtype, made.data);
  const unpacked = unpack(format.dtype, packed, values.length);
  const groups = new Map();
  values.forEach((_, i) => {
    const key = groupOf(i, dims, format.granularity);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  if (made.scales.length !== groups.size) return false;
  if (packed.length !== Math.ceil((values.length * bits) / 8)) return false;
  const [least, most] = integersOf(format, bits);
  for (const elements of groups.values()) {
    const numbers = elements.map((i) => values[i]);
    let [low, high] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
    if (format.symmetric) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
    const exact = (high - low) / (most - least);
    const fits = exact >= 2 ** -126;
    const scale = fits ? Math.fround(exact) : 1;
    const middle = format.symmetric ? (least + most) / 2 : least - low / exact;
    const zero = fits ? halfEven(middle) : 0;
    for (const i of elements) {
      const q = halfEven(Math.fround(values[i] / scale)) + zero;
      const integer = Math.min(most, Math.max(least, q));
      if (made.data[i] !== integer + 0 || unpacked[i] !== made.data[i]) return false;
      if (back[i] + 0 !== Math.fround((integer - zero) * scale) + 0) return false;
      const inByte = (i * bits) % 8;
      const byte = packed[Math.floor((i * bits) / 8)] & 255;
      if (((byte >> inByte) & (2 ** bits - 1)) !== (integer & (2 ** bits - 1))) return false;
    }
  }
  return true;
}

function integersOf({ dtype, symmetric, reduceRange }, bits) {
  if (dtype === "int8" && reduceRange) return [-64, 64];
  if (dtype === "int8" && symmetric) return [-127, 127];
  const count = 2 ** bits / (reduceRange ? 2 : 1);
  return dtype.startsWith("u") ? [0, count - 1] : [-count / 2, count / 2 - 1];
}

function groupOf(element, dims, granularity) {
  if (granularity.kind === "tensor") return "all";
  const index = [];
  let rest = element;
  for (const size of [...dims].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const { axis } = granularity;
  if (granularity.kind === "channel") return String(index[axis]);
  index[axis] = Math.floor(index[axis] / granularity.size);
  return index.join();
}

function halfEven(x) {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

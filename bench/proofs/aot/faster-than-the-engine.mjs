import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { knownModels } from "../known-models.mjs";
import { run, scratch } from "../shell.mjs";
import {
  asModule,
  asOnnx,
  fixedGraph,
  inputsOf,
  noiseFor,
  reasonsOf,
} from "./support/compiled.mjs";
import { dotProbe } from "./support/dot-probe.mjs";
import { asIntegers, asEngineIntegers, timedNetworks } from "./support/integers.mjs";
import { timedInChromium } from "./support/time-in-chromium.mjs";

export { partByProcessor as part } from "../without-vnni.mjs";

const convolutional = [
  ...timedNetworks,
  "mnist-cnn",
  "ocr-recognition",
  "characters-nms",
  "centerface",
  "mlsd_320x320_tiny",
];
const encoders = ["latency/enc-64x128", "latency/enc-128x384x1", "minilm"];
const recurrent = ["silero-vad-v5"];
const all = [...convolutional, ...encoders, ...recurrent];
const budgetMs = 4000;

/** Geometric means, and the least of a single model, of the engine's median latency over the module's. */
const bounds = {
  "relaxed SIMD": { convolutional: 3, encoders: 1.7, least: 2 },
  SIMD: { convolutional: 2, encoders: 1.2, least: 1 },
};

/** The same of integers, over the faster of the engine's floats and integers: geometric means by what the machine has. */
const integerBounds = { "relaxed SIMD with VNNI": 7, "relaxed SIMD without VNNI": 4, SIMD: 2.5 };
/** Below it, a dot product of bytes is one instruction. */
const mostOfOneInstruction = 1.6;

// Each model as a module and on onnxruntime-web 1.30, in one process, one thread, in turns: ratios of medians.
export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const reason of missing) inform("a model that cannot be had here", { value: reason });
    const prepared = [];
    for (const model of models)
      if (all.includes(model.name))
        prepared.push({ name: model.name, folder: await prepare(model, folder, inform) });
    const compiled = prepared.filter(({ folder: own }) => own !== null);
    const inNode = [];
    for (const { folder: own } of compiled) inNode.push(await timedInNode(own));
    report(claim, inform, `Node ${process.versions.node}`, compiled, inNode);
    const page = await timedInChromium(
      compiled.map(({ folder: own }) => own),
      budgetMs,
    );
    if (page === null) inform("a Chromium", { value: "there is none here" });
    else report(claim, inform, page.browser, compiled, page.answers);
    await proveIntegers({ claim, inform }, folder);
  });
}

/** Convolutional networks as integers, both of the engine's forms beside them. */
async function proveIntegers({ claim, inform }, folder) {
  const prepared = [];
  for (const name of timedNetworks) {
    const { path } = await modelPath(name);
    if (path !== null)
      prepared.push({ name, folder: await prepareIntegers({ name, path }, folder) });
  }
  const folders = prepared.map(({ folder: own }) => own);
  const inNode = [];
  for (const own of folders) inNode.push(await timedInNode(own));
  reportIntegers(claim, inform, `Node ${process.versions.node}`, prepared, inNode);
  const page = await timedInChromium(folders, budgetMs);
  if (page !== null) reportIntegers(claim, inform, page.browser, prepared, page.answers);
}

function reportIntegers(claim, inform, place, models, answers) {
  const kinds = answers.map(({ engine, dot }) => {
    if (!/relaxed/.test(engine)) return "SIMD";
    return `relaxed SIMD ${dot < mostOfOneInstruction ? "with" : "without"} VNNI`;
  });
  const [kind] = kinds;
  for (const [at, { ratio, medians, dot, blocks }] of answers.entries()) {
    const [own, floats, integers] = medians.map((ms) => ms.toPrecision(3));
    inform(`${models[at].name} as integers, ${place}, ${kind}: onnxruntime-web over the module`, {
      value: ratio,
      n: blocks,
      note: `${own} ms; the engine's floats ${floats}, its integers ${integers}; a dot over pairs ${dot}`,
    });
  }
  const logs = answers.map(({ ratio }) => Math.log(ratio));
  const mean = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  claim(`integers, ${kind}: geometric mean of how much faster`, {
    value: mean,
    bound: `≥ ${integerBounds[kind]}`,
    n: answers.length,
    met: answers.length === timedNetworks.length && mean >= integerBounds[kind],
  });
  const slowest = Math.min(...answers.map(({ ratio }) => ratio));
  claim(`integers, ${kind}: how much faster the network that gains the least is`, {
    value: slowest,
    bound: "≥ 1",
    n: answers.length,
    met: slowest >= 1,
    note: models[answers.findIndex(({ ratio }) => ratio === slowest)]?.name,
  });
}

/** Writes a network as integers: as a module, and for the engine as floats and as its own integers. */
async function prepareIntegers(model, folder) {
  const float = await fixedGraph(model);
  const own = join(folder, `${model.name.replaceAll("/", "-")}-integers`);
  mkdirSync(own);
  const forms = [float, await asEngineIntegers(float)];
  const onnx = [];
  for (const graph of forms) onnx.push((await asOnnx(graph)).files[0].bytes);
  writeFolder(own, float, await asModule(await asIntegers(float)), onnx, dotProbe());
  return own;
}

function report(claim, inform, place, models, answers) {
  const ratios = new Map();
  let kind = "SIMD";
  for (const [at, { engine, ratio, medians, blocks }] of answers.entries()) {
    kind = /relaxed/.test(engine) ? "relaxed SIMD" : "SIMD";
    const { name } = models[at];
    ratios.set(name, ratio);
    inform(`${name}, ${place}, ${kind}: onnxruntime-web over the module`, {
      value: ratio,
      n: blocks,
      note: `${medians.map((ms) => ms.toPrecision(3)).join(" and ")} ms`,
    });
  }
  claimKind(claim, kind, ratios);
}

function claimKind(claim, kind, ratios) {
  const { least, ...means } = bounds[kind];
  const families = { convolutional, encoders };
  for (const [family, bound] of Object.entries(means)) {
    const own = families[family].flatMap((name) => ratios.get(name) ?? []);
    const mean = Math.exp(own.reduce((sum, ratio) => sum + Math.log(ratio), 0) / own.length);
    claim(`${kind}: geometric mean of how much faster, ${family}`, {
      value: mean,
      bound: `≥ ${bound}`,
      n: own.length,
      met: own.length === families[family].length && mean >= bound,
    });
  }
  claimLeast(claim, `${kind}: how much faster the convolutional network that gains the least is`, {
    ratios: convolutional.map((name) => [name, ratios.get(name) ?? 0]),
    bound: least,
  });
  claimLeast(claim, `${kind}: how much faster the model that gains the least is`, {
    ratios: all.map((name) => [name, ratios.get(name) ?? 0]),
    bound: 1,
  });
}

function claimLeast(claim, what, { ratios, bound }) {
  const [[name, value]] = ratios.toSorted(([, one], [, two]) => one - two);
  claim(what, {
    value,
    bound: `≥ ${bound}`,
    n: ratios.length,
    met: value >= bound,
    note: name,
  });
}

/** Writes a model in both forms, with its feeds; null where it is not compiled. */
async function prepare(model, folder, inform) {
  const graph = await fixedGraph(model);
  const reasons = await reasonsOf(graph);
  if (reasons.length > 0) {
    inform(`${model.name} is not compiled`, { value: reasons.join("; ") });
    return null;
  }
  const own = join(folder, model.name.replaceAll("/", "-"));
  mkdirSync(own);
  const [onnx] = (await asOnnx(graph)).files;
  writeFolder(own, graph, await asModule(graph), [onnx.bytes]);
  return own;
}

function writeFolder(own, graph, artifact, onnx, probe) {
  for (const { name, bytes } of artifact.files) writeFileSync(join(own, name), bytes);
  onnx.forEach((bytes, at) => writeFileSync(join(own, `${at}.onnx`), bytes));
  if (probe !== undefined) writeFileSync(join(own, "probe.wasm"), probe);
  const feeds = {};
  for (const [at, [name, { type, dims, data }]] of Object.entries(
    noiseFor(inputsOf(graph), 1),
  ).entries()) {
    writeFileSync(join(own, `${at}.bin`), data);
    feeds[name] = { type, dims, file: `${at}.bin` };
  }
  const files = artifact.files.map(({ name }) => name);
  const facts = {
    artifact: { ...artifact, files },
    onnx: onnx.map((_, at) => `${at}.onnx`),
    ...(probe !== undefined && { probe: "probe.wasm" }),
    feeds,
  };
  writeFileSync(join(own, "facts.json"), JSON.stringify(facts));
}

async function timedInNode(folder) {
  const script = fileURLToPath(new URL("support/time-in-node.mjs", import.meta.url));
  const { code, stdout, stderr } = await run(process.execPath, [script, folder, `${budgetMs}`]);
  if (code !== 0) throw new Error(stderr.slice(-500));
  return JSON.parse(stdout);
}

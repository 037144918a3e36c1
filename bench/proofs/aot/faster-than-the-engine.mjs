import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { run, scratch } from "../shell.mjs";
import {
  asModule,
  asOnnx,
  fixedGraph,
  inputsOf,
  noiseFor,
  reasonsOf,
} from "./support/compiled.mjs";
import { timedInChromium } from "./support/time-in-chromium.mjs";

const convolutional = [
  "latency/mnist",
  "latency/kws-dscnn",
  "latency/cifar-resnet8",
  "latency/vww-mbv1-025-96",
  "latency/mbv2-100-96",
  "latency/mbv2-100-224",
  "ocr-direction",
  "blazeface-front",
];
const encoders = ["latency/enc-64x128", "latency/enc-128x384x1"];
const budgetMs = 4000;

/** Geometric means, and the least of a single model, of the engine's median latency over the module's. */
const bounds = {
  "relaxed SIMD": { convolutional: 3, encoders: 1.7, least: 2 },
  SIMD: { convolutional: 2, encoders: 1.2, least: 1 },
};

// Each model as a module and on onnxruntime-web 1.30, in one process, one thread, in turns: ratios of medians.
export async function prove({ claim, inform }) {
  await scratch(async (folder) => {
    const prepared = [];
    for (const name of [...convolutional, ...encoders]) {
      const { path, reason } = await modelPath(name);
      if (path === null) inform(`${name} cannot be had here`, { value: reason });
      else prepared.push({ name, folder: await prepare({ name, path }, folder, inform) });
    }
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
  });
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
  const all = [...ratios].filter(([name]) => convolutional.includes(name));
  const slowest = all.reduce((one, two) => (two[1] < one[1] ? two : one), ["", Infinity]);
  claim(`${kind}: how much faster the convolutional network that gains the least is`, {
    value: slowest[1],
    bound: `≥ ${least}`,
    n: all.length,
    met: slowest[1] >= least,
    note: slowest[0],
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
  const artifact = await asModule(graph);
  for (const { name, bytes } of artifact.files) writeFileSync(join(own, name), bytes);
  const [onnx] = (await asOnnx(graph)).files;
  writeFileSync(join(own, "model.onnx"), onnx.bytes);
  const feeds = {};
  for (const [at, [name, { type, dims, data }]] of Object.entries(
    noiseFor(inputsOf(graph), 1),
  ).entries()) {
    writeFileSync(join(own, `${at}.bin`), data);
    feeds[name] = { type, dims, file: `${at}.bin` };
  }
  const files = artifact.files.map(({ name }) => name);
  const facts = { artifact: { ...artifact, files }, onnx: "model.onnx", feeds };
  writeFileSync(join(own, "facts.json"), JSON.stringify(facts));
  return own;
}

async function timedInNode(folder) {
  const script = fileURLToPath(new URL("support/time-in-node.mjs", import.meta.url));
  const { code, stdout, stderr } = await run(process.execPath, [script, folder, `${budgetMs}`]);
  if (code !== 0) throw new Error(stderr.slice(-500));
  return JSON.parse(stdout);
}

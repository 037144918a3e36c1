// node bench/price-kernels.mjs [--chromium] [--integers] <model or .onnx>…: what each kernel of a model's module takes, one
// thread; with --integers of the model as the target proposes it in integers. Of products and convolutions also billions of
// multiplications a second. Wants a quiet machine, and a build before it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emitSteps } from "../compiler/dist/wasm/emit-steps.js";
import { engines } from "../compiler/dist/wasm/engine.js";
import { planOf } from "../compiler/dist/wasm/compile.js";
import { planMemory } from "../compiler/dist/wasm/plan/memory-plan.js";
import { modelPath } from "../fixtures/scripts/assets.mjs";
import { fixedGraph } from "./proofs/aot/support/compiled.mjs";
import { asIntegers } from "./proofs/aot/support/integers.mjs";
import { withPage } from "./proofs/aot/support/open-page.mjs";
import { timeSteps } from "./proofs/aot/support/time-steps.mjs";
import { scratch } from "./proofs/shell.mjs";

const budgetMs = 2000;
const inChromium = process.argv.includes("--chromium");
const inIntegers = process.argv.includes("--integers");
const names = process.argv.slice(2).filter((name) => !name.startsWith("--"));

await scratch(async (folder) => {
  const models = [];
  for (const name of names) models.push(await prepare(name, join(folder, `${models.length}`)));
  if (!inChromium) {
    for (const model of models) {
      const fits = model.modules.findLast((bytes) => WebAssembly.validate(bytes));
      print(model, await timeSteps(fits, model.inputs, budgetMs));
    }
    return;
  }
  const folders = models.map((model) => model.folder);
  const found = await withPage(folders, async (open) => {
    for (const [index, model] of models.entries()) {
      const page = await open();
      print(model, await page.evaluate(onPage, { index, inputs: model.inputs, budgetMs }));
      await page.close();
    }
  });
  if (found === null) console.log("There is no Chromium here.");
});

/** A model's plan, and a module of its steps for each engine, the plainest first. */
async function prepare(name, folder) {
  const { path } = name.endsWith(".onnx") ? { path: name } : await modelPath(name);
  const float = await fixedGraph({ name, path });
  const plan = await planOf(inIntegers ? await asIntegers(float) : float);
  const memory = planMemory(plan);
  const modules = engines.map((engine) => emitSteps(plan, memory, engine));
  mkdirSync(folder);
  modules.forEach((bytes, at) => writeFileSync(join(folder, `${at}.wasm`), bytes));
  const inputs = plan.inputs.map(({ place, dims }) => ({
    at: memory.addressOf(place),
    count: countOf(dims),
  }));
  return { name, folder, modules, inputs, steps: plan.steps };
}

/** Runs on the page. */
async function onPage({ index, inputs, budgetMs: budget }) {
  const { timeSteps: time } = await import("/support/time-steps.mjs");
  let fits;
  for (const at of [0, 1]) {
    const bytes = await (await fetch(`/${index}/${at}.wasm`)).arrayBuffer();
    if (WebAssembly.validate(bytes)) fits = bytes;
  }
  return time(fits, inputs, budget);
}

function print({ name, steps }, times) {
  const all = times.reduce((sum, ms) => sum + ms, 0);
  console.log(`${name}: ${steps.length} steps, ${(1000 * all).toFixed(0)} µs`);
  const byKernel = new Map();
  for (const [at, { kernel }] of steps.entries())
    byKernel.set(kernel, (byKernel.get(kernel) ?? 0) + times[at]);
  const kernels = [...byKernel].sort(([, one], [, other]) => other - one);
  console.log(kernels.map(([kernel, ms]) => `${kernel} ${(1000 * ms).toFixed(1)}`).join(", "));
  for (const [at, { kernel, key }] of steps.entries()) {
    const options = JSON.parse(key.slice(kernel.length + 1));
    const ms = times[at];
    const products = productsOf(kernel, options);
    const rate = products === 0 ? "" : `${(products / ms / 1e6).toFixed(1)} G/s`;
    const cells = [(1000 * ms).toFixed(1), `${((100 * ms) / all).toFixed(1)} %`, rate];
    console.log(cells.map((cell) => cell.padStart(10)).join(""), ` ${kernel}`, shapeOf(options));
  }
}

function productsOf(kernel, { batch, rows, columns, taps, run, outputs, vectors, channels }) {
  if (!/^(matrix|depthwise)(-i8)?$/.test(kernel)) return 0;
  const summed = loops([...batch, rows, columns, ...taps]);
  const ofOne = {
    matrix: () => run.count * outputs,
    depthwise: () => 4 * vectors,
    "matrix-i8": () => run * outputs,
    "depthwise-i8": () => channels,
  };
  return summed * ofOne[kernel]();
}

function shapeOf({ rows, columns, axes, taps, run, outputs, channels, vectors, lanes, epilogue }) {
  const parts = {
    rows: rows?.count,
    columns: columns?.count,
    axes: list(axes),
    taps: list(taps),
    run: run?.count ?? run,
    outputs,
    channels,
    vectors,
    lanes,
    followed: epilogue?.map(({ kind }) => kind).join(" "),
  };
  const said = Object.entries(parts).filter(([, part]) => part !== undefined && part !== "");
  return said.map(([what, part]) => `${what} ${part}`).join(", ");
}

function list(axes) {
  return axes?.map(({ count }) => count).join("×");
}

function loops(axes) {
  return countOf(axes.map(({ count }) => count));
}

function countOf(dims) {
  return dims.reduce((product, size) => product * size, 1);
}

// What the runs of capabilities share: a model as a graph, its data, the command line, and what a bundle answers.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { json, manifestOf, pare, reportOf } from "../../shell.mjs";

/** Of the copy that this file lies in. */
export const root = fileURLToPath(new URL("../../../../", import.meta.url));
const built = (path) => import(join(root, path));

export const { applyGroup, edit, encodeModel, findPass, importModel, passes, Tensor } =
  await built("compiler/dist/index.js");
export const { byteSource, findFault, onnxArtifact } = await built("runtime/dist/format/index.js");
export const { cpu } = await built("runtime/dist/backends/ort-node.js");

export const mnist = "fixtures/models/mnist-cnn.onnx";
export const digits = "fixtures/data/mnist.mjs";
export const work = join(root, ".cache/capability");
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

export function sourceOf(path) {
  return {
    name: basename(path),
    main: byteSource(new Uint8Array(readFileSync(join(root, path)))),
    beside: new Map(),
  };
}

/** A split of a data module, as passes see the calibration split. */
export async function examplesOf(data, split, count) {
  const module = await built(data);
  const wanted = new Set(module.splits[split]);
  const every = Math.floor(wanted.size / count);
  const found = [];
  let index = 0;
  for await (const sample of module.samples())
    if (wanted.has(sample.id) && index++ % every === 0 && found.length < count) found.push(sample);
  return {
    executor: cpu(),
    count: found.length,
    async *read() {
      yield* found;
    },
  };
}

/** Numbers in [0, 1), the same in every run. */
export function random() {
  let state = 7;
  return () => {
    state = (Math.imul(state, 48271) >>> 0) % 2147483647;
    return state / 2147483647;
  };
}

export async function sessionOf(graph) {
  return cpu().load(onnxArtifact((await encodeModel(graph)).proto));
}

/** How many of the examples a graph classifies right. */
export async function rightOf(graph, examples) {
  const session = await sessionOf(graph);
  let right = 0;
  for await (const { feeds, label } of examples.read()) {
    const [{ data }] = Object.values(await session.run(feeds));
    if (data.indexOf(Math.max(...data)) === label) right += 1;
  }
  await session.dispose();
  return right / examples.count;
}

/** Reads a recipe as the schema of this copy says it, writes it, and lets `pare optimize` follow it. */
export async function optimize(name, recipe, model, options) {
  const fault = findFault(recipe, json(join(root, "compiler/schema/recipe.schema.json")));
  if (fault !== null) throw new Error(`The schema refuses the recipe: ${JSON.stringify(fault)}`);
  const file = join(work, `${name}.json`);
  writeFileSync(file, JSON.stringify(recipe));
  const bundle = join(work, `${name}.pare`);
  const args = [model, "--recipe", file, "--no-cache", "-o", bundle, ...options];
  const { code, stdout, stderr } = await pare(root, ["optimize", ...args]);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr.slice(-800)}${stdout.slice(-800)}`);
  const [variant] = manifestOf(bundle).variants;
  return { bundle, variant, report: reportOf(bundle), lock: join(bundle, "pare.lock.json") };
}

/** What an app gets of a bundle: loaded with its golden check, and asked. */
export async function answersOf(bundle, backend, examples) {
  const { load } = await built("runtime/dist/index.js");
  const model = await load(bundle, { backends: [backend] });
  let right = 0;
  for await (const { feeds, label } of examples.read()) {
    const [{ data }] = Object.values(await model.run(feeds));
    if (data.indexOf(Math.max(...data)) === label) right += 1;
  }
  await model.dispose();
  return right / examples.count;
}

/** The schema of recipes, written anew: the new steps are in it. */
export async function rewriteSchema() {
  await built("compiler/scripts/write-schema.mjs");
}

const claims = [];
export function claim(name, { value, bound, met, n = 1, note }) {
  claims.push({ name, value, bound, met, n, note });
}
export function done() {
  console.log(JSON.stringify(claims));
}

// Pruned well under half and taught again by what they were: how right they stay, and how much quicker they get.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyStep, encodeModel, passes } from "../../../../compiler/dist/index.js";
import { run, scratch } from "../../shell.mjs";
import { keptModel } from "./kept-model.mjs";
import { bytesOf } from "./networks.mjs";
import { accuracyOf, examplesOf, graphOf, mean, splitsOf, spread, taught } from "./teach.mjs";

export const seeds = [1, 2, 3];
/** Of the multiplications saved, the share by which latency must fall at least. */
const leastShare = 0.6;

/** A fixture's data module, by its name. */
export const dataOf = (root, name) =>
  splitsOf(new URL(`fixtures/data/${name}.mjs`, `file://${root}`).href);

/** Articles of clothing, as many of those that there are to learn from: a third where not given. */
export async function clothesOf(root, count = 18_000) {
  const data = await dataOf(root, "fashion-mnist");
  return { ...data, training: data.training.slice(0, count) };
}

/** A network that nobody has trained, taught by labels alone: an article of clothing each. */
export async function trained(root, name, network, data, options) {
  const start = await bytesOf(network);
  const from = [start, `${data.training.length} clothes`, JSON.stringify(options)];
  return keptModel(root, name, from, async () => {
    const lesson = { samples: data.training, seed: 1, options, isShared: true };
    return (await taught(start, lesson)).bytes;
  });
}

/**
 * Cuts a model, lets it teach what is left with three seeds, and times the two.
 *
 * @param {{ claim: Function, inform: Function, root: string }} proof
 * @param {object} how
 * @param {string} how.name
 * @param {Uint8Array} how.float
 * @param {object} how.step options of the pass `prune`
 * @param {Record<string, object[]>} how.data its splits
 * @param {object} how.options of the training
 * @param {number} how.points that may be lost
 * @param {string} [how.shape] of what is timed
 */
export async function recovered(proof, { name, float, step, data, options, points, shape }) {
  const { claim } = proof;
  const before = await accuracyOf(float, data.test);
  await afterTheCut(proof, { name, float, step, data, before });
  const cut = await pruned(float, step, data);
  const rights = [];
  const lesson = { samples: data.training, teacher: float, options, isShared: true };
  for (const seed of seeds) {
    const { bytes } = await taught(cut, { ...lesson, seed });
    rights.push(await accuracyOf(bytes, data.test));
  }
  const drops = rights.map((right) => 100 * (before - right));
  claim(`${name}: points lost once taught, mean of three seeds`, {
    value: mean(drops),
    bound: points,
    n: data.test.length,
    interval: spread(drops),
    met: mean(drops) <= points,
    note: `${data.training.length} samples to learn from, ${options.epochs} epochs; the interval is the three's spread`,
  });
  await quicker(proof, { name, float, cut, shape });
}

/** What a cut costs before anything is taught, with what reads it as it was and fitted. */
export async function afterTheCut({ inform }, { name, float, step, data, before }) {
  const plain = await pruned(float, { ...step, reconstruct: false }, data);
  const fitted = await pruned(float, { ...step, reconstruct: true }, data);
  inform(`${name}: top-1 as it came, cut, and cut and fitted, without labels or training`, {
    value: [before, await accuracyOf(plain, data.test), await accuracyOf(fitted, data.test)],
    n: data.test.length,
  });
}

/** Claims that latency falls by as large a share as it should of the multiplications saved, on both engines. */
export async function quicker({ claim, root }, { name, float, cut, shape }) {
  for (const { target, macs, latencyMs, baseline } of await timed(root, float, cut, shape)) {
    const saved = 1 - macs / baseline.macs;
    const { ratio, ratioInterval, n, baselineP50 } = latencyMs;
    const bound = 1 - leastShare * saved;
    claim(`${name}, ${target}: latency over that of the model as it came`, {
      value: ratio,
      bound,
      interval: ratioInterval,
      n,
      met: ratioInterval[1] <= bound,
      note: `${Math.round(100 * saved)} % of the multiplications saved; ${baselineP50} ms before`,
    });
  }
}

/**
 * Two files interleaved on the CPU engine and on WebAssembly, by the verb `bench`.
 *
 * @param {string} [shape] of the input, `name=dims`, where it has sizes that are free
 */
export async function timed(root, float, cut, shape) {
  return scratch(async (folder) => {
    const files = [join(folder, "float.onnx"), join(folder, "cut.onnx")];
    writeFileSync(files[0], float);
    writeFileSync(files[1], cut);
    const options = ["--target", "cpu,wasm", ...(shape ? ["--shape", shape] : []), "--json"];
    const { code, stdout, stderr } = await run(
      process.execPath,
      [join(root, "cli/bin/pare.js"), "bench", ...files, ...options],
      { cwd: root },
    );
    if (code !== 0) throw new Error(`bench: exit ${code}: ${stderr.slice(-500)}`);
    return JSON.parse(stdout).variants;
  });
}

/** A model cut by the pass `prune`; what it fits, it fits to the samples that are learned from. */
export async function pruned(float, options, { training }) {
  const { graph } = await applyStep(
    await graphOf(float),
    { use: "prune", with: options },
    { examples: examplesOf(some(training, 200)) },
    passes,
  );
  return (await encodeModel(graph)).proto;
}

/** So many samples from everywhere among them: a step of a large prime falls in with no order in which they may stand. */
function some(samples, count) {
  const all = Math.min(count, samples.length);
  return Array.from({ length: all }, (_, index) => samples[(index * 7919) % samples.length]);
}

// Training as the verb does it, in this process: labelled samples in memory, the CPU engine on one thread or, where batches
// are shared, on as many as pay.
import { availableParallelism } from "node:os";
import { engineThreads } from "../../../../cli/dist/workbench/training/engine-threads.js";
import {
  decodeModel,
  distill,
  distillGraph,
  encodeModel,
  inferNode,
  randomOf,
} from "../../../../compiler/dist/index.js";
import { byteSource, onnxArtifact } from "../../../../runtime/dist/format/index.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";

/**
 * A data module's samples by its splits, all in memory.
 *
 * @param {string} module its URL
 * @returns {Promise<Record<string, { feeds: object, label: unknown }[]>>}
 */
export async function splitsOf(module) {
  const { samples, splits } = await import(module);
  const byId = new Map();
  for await (const sample of samples()) byId.set(sample.id, sample);
  return Object.fromEntries(
    Object.entries(splits).map(([name, ids]) => [name, ids.map((id) => byId.get(id))]),
  );
}

/** Pictures, and each of them moved by some pixels to every side: what a digit is does not depend on where it lies. */
export function moved(samples, pixels = 2, side = 28) {
  const by = (sample, right, down) => {
    const { x } = sample.feeds;
    const data = new Float32Array(side * side);
    for (let row = 0; row < side; row += 1)
      for (let column = 0; column < side; column += 1) {
        const [fromRow, fromColumn] = [row - down, column - right];
        const isInside = [fromRow, fromColumn].every((at) => at >= 0 && at < side);
        if (isInside) data[row * side + column] = x.data[fromRow * side + fromColumn];
      }
    return { ...sample, feeds: { x: { ...x, data } } };
  };
  return samples.flatMap((sample) => [
    sample,
    by(sample, pixels, 0),
    by(sample, -pixels, 0),
    by(sample, 0, pixels),
    by(sample, 0, -pixels),
  ]);
}

/**
 * Trains a copy of an ONNX file.
 *
 * @param {Uint8Array} bytes
 * @param {{ samples: object[], validation?: object[], teacher?: Uint8Array, seed: number, options: object, isShared?: boolean }} how
 */
export async function taught(
  bytes,
  { samples, validation, teacher, seed, options, isShared = false },
) {
  const graph = await graphOf(bytes);
  const workers = engineThreads("cpu", availableParallelism(), 1);
  const { history } = await distillGraph(graph, distill.parse(options), {
    examples: { ...examplesOf(samples), ...(isShared && { workers }) },
    chooseWorkers: isShared,
    ...(validation && { validation: examplesOf(validation) }),
    ...(teacher && { teacher: await graphOf(teacher) }),
    random: (name) => randomOf(seed, name),
  });
  return { bytes: (await encodeModel(graph)).proto, history };
}

/** The share of samples whose class has the highest score. */
export async function accuracyOf(bytes, samples) {
  const classes = await classesOf(bytes, samples);
  return samples.filter(({ label }, at) => classes[at] === label).length / samples.length;
}

/** The class with the highest score, of each sample. */
export async function classesOf(bytes, samples, session = {}) {
  const scores = await scoresOf(bytes, samples, session);
  return scores.map((row) => row.indexOf(Math.max(...row)));
}

/**
 * The first output of each sample.
 *
 * @param {object} [session] options of the engine's session
 */
export async function scoresOf(bytes, samples, session = {}) {
  const loaded = await cpu().load(onnxArtifact(bytes, session));
  const scores = [];
  for (const { feeds } of samples) scores.push(Object.values(await loaded.run(feeds))[0].data);
  await loaded.dispose();
  return scores;
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The least and the greatest. */
export const spread = (values) => [Math.min(...values), Math.max(...values)];

export function graphOf(bytes) {
  return decodeModel({ proto: byteSource(bytes), external: new Map() }, { infer: inferNode });
}

export function examplesOf(samples) {
  return {
    executor: cpu(),
    count: samples.length,
    async *read() {
      yield* samples;
    },
  };
}

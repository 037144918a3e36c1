// Training by blocks of steps: the trainer as it is, held after each epoch until the next is asked for.
import { availableParallelism } from "node:os";
import { engineThreads } from "../../../../cli/dist/workbench/training/engine-threads.js";
import { distill, distillGraph, randomOf } from "../../../../compiler/dist/index.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { shuffled } from "../../../../compiler/dist/train/shuffle.js";
import { examplesOf } from "./teach.mjs";

/** What all are trained with. Batches are all of one size, and gradients are not clipped. */
export const rate = 0.001;
const weightDecay = 0.01;
const seed = 1;

/** The order in which the samples of a block come, as the trainer draws it. */
export function orderOf(block, count) {
  return shuffled(count, randomOf(seed, `shuffle ${block}`));
}

/**
 * @param {object} graph it is trained in place
 * @param {{ samples: object[], batch: number, workers?: number, executor?: object, recompute?: boolean }} how an epoch over the samples is a block
 * @returns {{ block(): Promise<{ ms: number, loss: number }>, close(): Promise<void> }} milliseconds a step, and the mean loss
 */
export function blocksOfSteps(
  graph,
  { samples, batch, workers = 1, executor = cpu(), recompute = false },
) {
  const stop = new AbortController();
  const options = {
    epochs: 100_000,
    batch,
    rate,
    weightDecay,
    workers,
    recompute,
    clip: 0,
    schedule: "constant",
  };
  const most = Math.max(workers, availableParallelism());
  let [begun, ended, epochs, loss] = [0, 0, 0, NaN];
  let asked = null;
  let go = null;
  const held = () => new Promise((resolve) => (go = resolve));
  const training = held().then(() =>
    distillGraph(graph, distill.parse(options), {
      examples: { ...examplesOf(samples), executor, workers: engineThreads("cpu", most, 1) },
      random: (name) => randomOf(seed, name),
      signal: stop.signal,
      onProgress({ history }) {
        if (history.length === epochs) ended = performance.now();
        else epochs = history.length;
        loss = history.at(-1)?.loss ?? NaN;
      },
      async onCheckpoint() {
        if (stop.signal.aborted) return;
        asked?.resolve({ ms: (ended - begun) / (samples.length / batch), loss });
        await held();
        begun = performance.now();
      },
    }),
  );
  training.catch((error) => asked?.reject(error));
  return {
    block() {
      const answer = new Promise((resolve, reject) => (asked = { resolve, reject }));
      begun = performance.now();
      go();
      return answer;
    },
    async close() {
      stop.abort();
      go();
      await training.catch(() => {});
    },
  };
}

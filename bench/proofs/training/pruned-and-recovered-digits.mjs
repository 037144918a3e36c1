import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, idle } from "./support/networks.mjs";
import { dataOf, pruned, recovered, timed } from "./support/prune-and-recover.mjs";

/** Pictures of one run, where what comes with every run is shared by them. */
const together = 32;

export async function prove(proof) {
  const { inform, root } = proof;
  const data = await dataOf(root, "mnist-training");
  const float = readFileSync(join(root, "fixtures/models/mnist-cnn.onnx"));
  for (const [times, points] of [
    [5.5, 1],
    [11.8, 2],
  ]) {
    const name = `digits, ${times}× fewer parameters`;
    const step = { keepParams: 1 / times, reconstruct: true };
    await recovered(proof, {
      name,
      float,
      step,
      data,
      options: { epochs: 12, batch: 32, rate: 0.003 },
      points,
    });
    const cut = await pruned(float, step, data);
    const shape = `x=${together}x1x28x28`;
    for (const { target, latencyMs } of await timed(root, float, cut, shape))
      inform(
        `${name}, ${target}, ${together} at a time: latency over that of the model as it came`,
        {
          value: latencyMs.ratio,
          interval: latencyMs.ratioInterval,
          n: latencyMs.n,
        },
      );
  }
  // So small a network spends most of a run on what is not multiplied: no cut gets below what a run of nothing takes.
  for (const { target, latencyMs } of await timed(root, float, await bytesOf(idle())))
    inform(`digits, ${target}: latency of a network that does nothing, over that of the model`, {
      value: latencyMs.ratio,
      interval: latencyMs.ratioInterval,
      n: latencyMs.n,
    });
}

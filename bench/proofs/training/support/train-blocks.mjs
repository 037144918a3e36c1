// node train-blocks.mjs NAME STEPS WORKERS: Pare's side, beside bench/peers/train.py. For each line that it reads it trains one block,
// and prints a line of JSON: milliseconds a step, and the mean loss.
import { createInterface } from "node:readline";
import { blocksOfSteps } from "./blocks-of-steps.mjs";
import { compared } from "./compared-networks.mjs";

const [name, steps, workers] = process.argv.slice(2);
const { batch, build, samples } = compared[name];
const training = blocksOfSteps(build(), {
  samples: samples(Number(steps) * batch),
  batch,
  workers: Number(workers),
});
console.log(JSON.stringify({ ready: true }));
for await (const _ of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await training.block()));
await training.close();
process.exit();

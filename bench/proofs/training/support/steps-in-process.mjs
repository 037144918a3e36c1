// Steps of a training in a process of their own: how long one takes, how much memory they add, and which losses come of them.
// Usage: steps-in-process.mjs <network> <whole or again> <samples of a batch>
import { readFileSync } from "node:fs";
import { blocksOfSteps } from "./blocks-of-steps.mjs";
import { deep } from "./deep-networks.mjs";

const [name, how, size] = process.argv.slice(2);
const batch = Number(size);
const { build, samples, steps } = deep[name];
const graph = build();
const learnedFrom = samples(steps * batch);
const idle = memory("VmRSS");
const training = blocksOfSteps(graph, { samples: learnedFrom, batch, recompute: how === "again" });
const blocks = [];
// The first opens the engine.
for (let block = 0; block < 4; block += 1) blocks.push(await training.block());
const peak = memory("VmHWM");
await training.close();
console.log(
  JSON.stringify({
    ms: Math.min(...blocks.slice(1).map(({ ms }) => ms)),
    bytes: peak - idle,
    losses: blocks.map(({ loss }) => loss),
  }),
);

function memory(field) {
  const status = readFileSync("/proc/self/status", "utf8");
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
}

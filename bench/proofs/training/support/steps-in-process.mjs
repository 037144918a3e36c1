// Steps of a training in a process of their own: how long one takes, how much memory they add, and which losses come of them.
// Usage: steps-in-process.mjs <network> <whole, again or laid-out> <samples of a batch>; laid-out: by the engine, beforehand
import { readFileSync } from "node:fs";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { blocksOfSteps } from "./blocks-of-steps.mjs";
import { deep } from "./deep-networks.mjs";

const [name, how, size] = process.argv.slice(2);
const batch = Number(size);
const { build, samples, steps } = deep[name];
const graph = build();
const learnedFrom = samples(steps * batch);
const idle = memory("VmRSS");
const training = blocksOfSteps(graph, {
  samples: learnedFrom,
  batch,
  recompute: how === "again",
  ...(how === "laid-out" && { executor: layingOut() }),
});
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

/** The engine, with the memory pattern that it has where nobody says otherwise. */
function layingOut() {
  const engine = cpu();
  return {
    load: (artifact, options) =>
      engine.load({ ...artifact, session: { ...artifact.session, memoryPattern: true } }, options),
  };
}

function memory(field) {
  const status = readFileSync("/proc/self/status", "utf8");
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
}

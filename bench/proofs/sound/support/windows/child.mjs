// A process that takes windows by number. A model makes the engine end it now and then.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeMessage } from "../../../../../compiler/dist/onnx/index.js";
import { randomStream } from "../hostile/random.mjs";
import { compareWindow } from "./compare.mjs";
import { cutWindow, openSeed } from "./cut-window.mjs";
import { vary } from "./vary.mjs";

const [list, place] = process.argv.slice(2);
const paths = JSON.parse(readFileSync(list, "utf8"));
/** Of models that were opened; null is one that nothing is cut from. */
const seeds = new Map();
const mostSeeds = 40;

process.on("message", (number) => void reply(number));
process.on("disconnect", () => process.exit());
process.send({ ready: true });

async function reply(number) {
  process.send(await answer(number));
}

async function answer(number) {
  const random = randomStream(Math.imul(number, 2_654_435_761) >>> 0);
  const path = random.of(paths);
  const seed = await seedOf(path);
  if (seed === null) return { outcome: "no window" };
  // Patterns are of a few nodes; now and then there is more around them.
  const count = random.chance(0.15) ? 40 : 2 + random.below(14);
  const model = await cutWindow(seed, count, random);
  if (model === null) return { outcome: "no window" };
  const changes = random.chance(0.1) ? [] : vary(model, random);
  const bytes = Uint8Array.from(await writeMessage("ModelProto", model));
  const file = join(place, "window.onnx");
  writeFileSync(file, bytes);
  // Who was at work is seen where the process ends, or is ended.
  const at = (who) => writeFileSync(join(place, "at-work"), who);
  at("engine");
  const nodes = model.graph.node.map(({ opType }) => opType).join(" ");
  return {
    seed: path,
    changes,
    nodes,
    file,
    ...(await compareWindow(model, bytes, number, () => at("pare"))),
  };
}

async function seedOf(path) {
  if (!seeds.has(path)) {
    const [oldest] = seeds.keys();
    if (seeds.size >= mostSeeds) seeds.delete(oldest);
    // One that is refused is no seed: its file lies, or a part of it is missing.
    seeds.set(path, await openSeed(path).catch(() => null));
  }
  return seeds.get(path);
}

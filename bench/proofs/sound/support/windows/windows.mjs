// Windows of models by number: the same on every machine that has the models.
import { writeMessage } from "../../../../../compiler/dist/onnx/index.js";
import { randomStream } from "../choices.mjs";
import { cutWindow, openSeed } from "./cut-window.mjs";
import { vary } from "./vary.mjs";

/** Models that stay open. */
const mostSeeds = 40;

export class Windows {
  #paths;
  /** By path; null is a model that nothing is cut from. */
  #seeds = new Map();

  constructor(paths) {
    this.#paths = paths;
  }

  /** @returns the model's messages and bytes, where it is from and what was changed; null where there is none */
  async at(number) {
    const random = randomStream(Math.imul(number, 2_654_435_761) >>> 0);
    const path = random.of(this.#paths);
    const seed = await this.#seedOf(path);
    if (seed === null) return null;
    // Patterns are of a few nodes; now and then there is more around them.
    const count = random.chance(0.15) ? 40 : 2 + random.below(14);
    const model = await cutWindow(seed, count, random);
    if (model === null) return null;
    const changes = random.chance(0.1) ? [] : vary(model, random);
    const bytes = Uint8Array.from(await writeMessage("ModelProto", model));
    const nodes = model.graph.node.map(({ opType }) => opType).join(" ");
    return { seed: path, changes, nodes, model, bytes };
  }

  async #seedOf(path) {
    if (!this.#seeds.has(path)) {
      const [oldest] = this.#seeds.keys();
      if (this.#seeds.size >= mostSeeds) this.#seeds.delete(oldest);
      // One that is refused is no seed: its file lies, or a part of it is missing.
      this.#seeds.set(path, await openSeed(path).catch(() => null));
    }
    return this.#seeds.get(path);
  }
}

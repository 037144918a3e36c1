// A student of half the layers of a sentence transformer, cut from the transformer itself and taught by its vectors of
// sentences that nobody labelled: what teaching adds to the same layers as they were.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyGroup, encodeModel, passes } from "../../../compiler/dist/index.js";
import { bootstrapInterval } from "../../dist/statistics/bootstrap.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { splits } from "../../../fixtures/data/minilm-sentences.mjs";
import { rowsOf, trainingTexts } from "../../../fixtures/scripts/sentences.mjs";
import { pare } from "../shell.mjs";
import { taskResults } from "./support/sentence-task.mjs";
import { graphOf, mean, spread } from "./support/teach.mjs";

const seeds = [1, 2, 3];
const layers = 3;
const [epochs, batch, rate] = [2, 16, 0.0005];
/** What an interrupted proof goes on from; gone when it is done. */
const kept = join(tmpdir(), "pare-distills-a-transformer");

export async function prove({ claim, inform, root }) {
  const { path, reason } = await modelPath("minilm");
  if (path === null) throw new Error(`MiniLM cannot be had: ${reason}`);
  const float = new Uint8Array(readFileSync(path));
  const { texts, leftOut } = await trainingTexts();
  const definitions = new Set((await rowsOf("pairs")).map(({ definition }) => definition));
  claim("definitions of the test that are among the sentences learned from", {
    value: texts.filter((text) => definitions.has(text)).length,
    bound: 0,
    n: texts.length,
    met: texts.every((text) => !definitions.has(text)),
    note: `${leftOut} were left out`,
  });

  const untaught = await cut(float);
  const before = { float: await taskResults(float), untaught: await taskResults(untaught) };
  const taught = [];
  for (const seed of seeds) taught.push(await taskResults(await teach(root, path, seed)));

  const share = (hits) => mean(hits.map(Number));
  for (const { key, what } of [
    { key: "found", what: "recall@1" },
    { key: "right", what: "topic accuracy with the fixed head" },
  ]) {
    const [whole, start] = [before.float[key], before.untaught[key]];
    inform(`${what}: the teacher, and ${layers} of its layers as they were`, {
      value: [share(whole), share(start)],
      n: start.length,
    });
    const shares = taught.map((one) => share(one[key]));
    inform(`${what}: the same ${layers} layers taught, mean of three seeds`, {
      value: mean(shares),
      n: start.length,
      interval: spread(shares),
      note: "the interval is the three's spread",
    });
    const gains = start.map((one, at) => mean(taught.map((by) => by[key][at] - one)));
    const interval = bootstrapInterval(gains, mean, { confidence: 0.95, resamples: 2000, seed: 0 });
    claim(`${what}: points that teaching adds to the same layers, mean of three seeds`, {
      value: 100 * mean(gains),
      bound: 0,
      n: gains.length,
      interval: interval.map((end) => 100 * end),
      met: interval[0] > 0,
      note: "paired by sample, bootstrap; the lower end decides",
    });
  }
  inform("sentences that one `pare distill` learns from, over all epochs", {
    value: splits.training.length * epochs,
    n: seeds.length,
    note: `in batches of ${batch} at a rate of ${rate}; embeddings frozen, no labels`,
  });
  rmSync(kept, { recursive: true });
}

/** The student as it is before it is taught. */
async function cut(float) {
  const steps = [{ use: "simplify" }, { use: "drop-layers", with: { layers } }];
  const { graph } = await applyGroup(await graphOf(float), { steps }, {}, passes);
  return (await encodeModel(graph)).proto;
}

/** By the command line; a student that is finished, and one that was interrupted, is gone on from. */
async function teach(root, teacher, seed) {
  mkdirSync(kept, { recursive: true });
  const output = join(kept, `student-${seed}.onnx`);
  const args = {
    teacher,
    student: `layers=${layers}`,
    data: "fixtures/data/minilm-sentences.mjs",
    signal: "output_0=cosine",
    "mean-over": "attention_mask",
    freeze: "embeddings.*",
    epochs,
    batch,
    rate,
    seed,
    // One gives the same weights on every machine.
    workers: 1,
    checkpoint: join(kept, `seed-${seed}.safetensors`),
    output,
  };
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  if (!existsSync(output)) {
    const { code, stderr } = await pare(root, ["distill", ...flags], { echo: true });
    if (code !== 0) throw new Error(`distill: exit ${code}: ${stderr.slice(-500)}`);
  }
  return new Uint8Array(readFileSync(output));
}

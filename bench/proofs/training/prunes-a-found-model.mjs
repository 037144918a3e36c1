// PP-OCR's direction classifier, which nobody here trained: four tenths of its work gone, taught again by itself on lines
// that have no labels.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applyStep, encodeModel, passes } from "../../../compiler/dist/index.js";
import { pare, scratch } from "../shell.mjs";
import { afterTheCut, dataOf, quicker, seeds } from "./support/prune-and-recover.mjs";
import { accuracyOf, graphOf, mean, spread } from "./support/teach.mjs";

const name = "text direction";
const keepFlops = 0.6;
const epochs = 4;
const mostPoints = 1.5;
/** Of a line; the model leaves it free. */
const shape = "x=1x3x48x192";

export async function prove(proof) {
  const { claim, root } = proof;
  const model = "fixtures/models/ocr-direction.onnx";
  const taught = await scratch(async (folder) => {
    const runs = [];
    for (const seed of seeds) {
      const file = join(folder, `${seed}.onnx`);
      const options = { "keep-flops": keepFlops, recover: epochs, seed, shape };
      const { code, stdout, stderr } = await pare(
        root,
        [
          "prune",
          model,
          "--reconstruct",
          ...Object.entries(options).flatMap(([option, value]) => [`--${option}`, `${value}`]),
          "--data",
          "fixtures/data/ocr-direction-training.mjs",
          "-o",
          file,
          "--json",
        ],
        { echo: true },
      );
      if (code !== 0) throw new Error(`prune: exit ${code}: ${stderr.slice(-500)}`);
      const isUnlabelled = stderr.includes("have no labels: the teacher's answers alone");
      runs.push({ ...JSON.parse(stdout), isUnlabelled, bytes: readFileSync(file) });
    }
    return runs;
  });
  const [first] = taught;
  claim(`${name}: multiply-accumulates left`, {
    value: first.work.after.macs / first.work.before.macs,
    bound: keepFlops,
    met: taught.every(({ work }) => work.after.macs <= keepFlops * work.before.macs),
    note: `${first.work.before.macs} before, ${first.work.after.macs} after`,
  });
  const drops = taught.map(
    ({ accuracy }) => 100 * (accuracy.before.value - accuracy.recovered.value),
  );
  claim(`${name}: points lost once taught by itself, mean of three seeds`, {
    value: mean(drops),
    bound: mostPoints,
    n: first.accuracy.recovered.n,
    interval: spread(drops),
    met: mean(drops) <= mostPoints && taught.every(({ isUnlabelled }) => isUnlabelled),
    note: `2000 lines without labels, ${epochs} epochs; ${first.accuracy.before.value} as it came; the interval is the three's spread`,
  });
  // The engine is to gain by what was cut, and not by what simplifying folds.
  const float = await simplified(readFileSync(join(root, model)));
  const data = await dataOf(root, "ocr-direction-training");
  await afterTheCut(proof, {
    name,
    float,
    step: { keepFlops },
    data,
    before: await accuracyOf(float, data.test),
  });
  await quicker(proof, { name, float, cut: first.bytes, shape });
}

async function simplified(bytes) {
  const step = { use: "simplify" };
  const { graph } = await applyStep(await graphOf(bytes), step, {}, passes);
  return (await encodeModel(graph)).proto;
}

// A pruned CNN with weights of 4 bits and activations of 8: what rounding loses, a training with rounding in it gets back.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  applyStep,
  countParameters,
  encodeModel,
  MeasuredActivations,
  passes,
  quantizeAware,
  quantizeAwareGraph,
  randomOf,
} from "../../../compiler/dist/index.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import {
  accuracyOf,
  classesOf,
  examplesOf,
  graphOf,
  mean,
  scoresOf,
  splitsOf,
  spread,
  taught,
} from "./support/teach.mjs";

const seeds = [1, 2, 3];
/** Parameters over those that are left. */
const times = 5.5;
const recovery = { epochs: 12, batch: 32, rate: 0.003 };
const aware = { bits: 4, epochs: 6, batch: 32, rate: 0.001 };
/** Points by which it may be worse than the pruned float one. */
const leastPoints = 0.3;
const leastAgreement = 0.999;

export async function prove({ claim, inform, root }) {
  const { training, calibration, test } = await splitsOf(
    new URL("fixtures/data/mnist-training.mjs", `file://${root}`).href,
  );
  const activations = activationsOf(calibration);
  const float = readFileSync(join(root, "fixtures/models/mnist-cnn.onnx"));
  const cut = await written(
    await changed(
      await graphOf(float),
      { use: "simplify" },
      { use: "prune", with: { keepParams: 1 / times } },
    ),
  );
  const rights = { float: [], alone: [], aware: [] };
  const apart = { float: [], alone: [], aware: [] };
  const teacher = await scoresOf(float, test);
  const agreements = [];
  const sizes = [];
  for (const seed of seeds) {
    const lesson = { samples: training, teacher: float, seed, options: recovery };
    const { bytes: pruned } = await taught(cut, lesson);
    const alone = await changed(await graphOf(pruned), {
      use: "quantize-static",
      with: { bits: 4, weightRanges: "mse" },
      context: { activations },
    });
    const graph = await graphOf(pruned);
    const { fake } = await quantizeAwareGraph(graph, quantizeAware.parse(aware), {
      activations,
      examples: examplesOf(training),
      teacher: await graphOf(float),
      random: (name) => randomOf(seed, name),
    });
    const integers = await written(graph);
    const files = { float: pruned, alone: await written(alone), aware: integers };
    for (const [what, bytes] of Object.entries(files)) {
      rights[what].push(await accuracyOf(bytes, test));
      apart[what].push(divergence(teacher, await scoresOf(bytes, test)));
    }
    // As it is written: with optimizations the engine rounds constant weights behind rounded activations anew.
    const asTrained = { graphOptimizationLevel: "disabled" };
    const said = await classesOf(await written(fake), test, asTrained);
    const says = await classesOf(integers, test);
    agreements.push(says.filter((one, at) => one === said[at]).length / test.length);
    sizes.push(pruned.length / integers.length);
  }
  const lost = (what) => rights[what].map((right, at) => 100 * (rights.float[at] - right));
  const common = { n: test.length };
  const three = "mean of three seeds; the interval is their spread";

  inform("the CNN as it came, and pruned and taught again: top-1 on the test digits", {
    ...common,
    value: [await accuracyOf(float, test), mean(rights.float)],
    note: `${countParameters(await graphOf(float))} parameters, and ${countParameters(await graphOf(cut))}`,
  });
  claim(
    "4-bit weights and 8-bit activations, trained with rounding: points lost against the pruned float one",
    {
      ...common,
      value: mean(lost("aware")),
      bound: leastPoints,
      interval: spread(lost("aware")),
      met: mean(lost("aware")) <= leastPoints,
      note: `${three}; ${aware.epochs} epochs of ${training.length} digits`,
    },
  );
  claim("rounding alone loses more points", {
    ...common,
    value: mean(lost("alone")),
    bound: mean(lost("aware")),
    interval: spread(lost("alone")),
    met: mean(lost("alone")) > mean(lost("aware")),
    note: three,
  });
  claim(
    "the trained graph and the written file give the same class: least share of the three seeds",
    {
      ...common,
      value: Math.min(...agreements),
      bound: leastAgreement,
      interval: spread(agreements),
      met: Math.min(...agreements) >= leastAgreement,
    },
  );
  inform(
    "how far the scores are from those of the CNN as it came, in bits a digit: pruned, rounded alone, trained with rounding",
    {
      ...common,
      value: ["float", "alone", "aware"].map((what) => mean(apart[what])),
      note: "means of three seeds",
    },
  );
  inform("bytes of the pruned float file over those of the written one", { value: mean(sizes) });
}

/** What steps of a recipe make of a graph. */
async function changed(graph, ...steps) {
  for (const { context = {}, ...step } of steps)
    ({ graph } = await applyStep(graph, step, context, passes));
  return graph;
}

async function written(graph) {
  return (await encodeModel(graph)).proto;
}

function activationsOf(samples) {
  return new MeasuredActivations({
    executor: cpu(),
    count: samples.length,
    async *samples() {
      for (const { feeds } of samples) yield feeds;
    },
  });
}

/** The mean of Σ p · log₂(p / q) over samples, p and q the softmax of their scores. */
function divergence(expected, actual) {
  return mean(
    expected.map((scores, at) => {
      const [p, q] = [logarithms(scores), logarithms(actual[at])];
      return p.reduce((sum, one, index) => sum + 2 ** one * (one - q[index]), 0);
    }),
  );
}

/** Of the softmax, to base 2. */
function logarithms(scores) {
  const greatest = Math.max(...scores);
  const whole = scores.reduce((sum, score) => sum + Math.exp(score - greatest), 0);
  return Array.from(scores, (score) => (score - greatest - Math.log(whole)) / Math.LN2);
}

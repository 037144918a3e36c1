// How trainings go, epoch by epoch: what a teacher adds to labels, what fitting adds to a cut, what training with rounding
// gives back of it, and what becomes of a training on few samples. Minutes on two cores; the curves are drawn beside.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  applyStep,
  encodeModel,
  MeasuredActivations,
  passes,
  quantizeAware,
  quantizeAwareGraph,
  randomOf,
} from "../../../compiler/dist/index.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { instructionSets, processorText } from "../../../cli/dist/workbench/processor.js";
import { bytesOf, plain } from "./support/networks.mjs";
import { pruned } from "./support/prune-and-recover.mjs";
import {
  accuracyOf,
  examplesOf,
  graphOf,
  mean,
  splitsOf,
  spread,
  taught,
} from "./support/teach.mjs";
import { curvesPage } from "./support/curves-page.mjs";
import { curvesPicture } from "./support/curves-picture.mjs";

const seeds = [1, 2, 3];
/** Of so many digits one is learned from: enough to tell the curves apart, and a run of a few minutes. */
const oneOf = 3;
/** So few that they are soon known by heart. */
const few = 128;

export async function prove({ claim, inform, root }) {
  const {
    training: all,
    validation,
    calibration,
    test,
  } = await splitsOf(new URL("fixtures/data/mnist-training.mjs", `file://${root}`).href);
  const training = all.filter((_, at) => at % oneOf === 0);
  const teacher = readFileSync(join(root, "fixtures/models/mnist-cnn.onnx"));
  const small = (seed) => bytesOf(plain([4, 8], 100 + seed));
  const cut = (reconstruct) => pruned(teacher, { keepFlops: 0.2, reconstruct }, { training });
  const [bare, fitted] = [await cut(false), await cut(true)];

  /** A training for each seed: the means of its curves, and what came of it on the test digits. */
  async function trained(name, { start, samples = training, options, teacher: by = null }) {
    const runs = [];
    for (const seed of seeds) {
      const bytes = await start(seed);
      const how = { samples, validation, seed, options, ...(by && { teacher: by }) };
      const { bytes: made, history } = await taught(bytes, how);
      runs.push({
        history,
        before: await accuracyOf(bytes, test),
        right: await accuracyOf(made, test),
      });
    }
    return told(name, runs, samples.length, options.epochs);
  }

  const activations = new MeasuredActivations({
    executor: cpu(),
    count: calibration.length,
    async *samples() {
      for (const { feeds } of calibration) yield feeds;
    },
  });
  const aware = { bits: 4, epochs: 3, batch: 32, rate: 0.001 };
  async function rounded(name) {
    const runs = [];
    for (const seed of seeds) {
      const graph = await graphOf(teacher);
      const made = await quantizeAwareGraph(graph, quantizeAware.parse(aware), {
        activations,
        examples: examplesOf(training),
        validation: examplesOf(validation),
        teacher: await graphOf(teacher),
        random: (of) => randomOf(seed, of),
      });
      const { proto } = await encodeModel(graph);
      runs.push({
        history: made.trained.history,
        before: await byNearest(),
        right: await accuracyOf(proto, test),
      });
    }
    return told(name, runs, training.length, aware.epochs);
  }
  let nearest = null;
  async function byNearest() {
    nearest ??= (async () => {
      const step = { use: "quantize-static", with: { bits: 4, weightRanges: "mse" } };
      const { graph } = await applyStep(await graphOf(teacher), step, { activations }, passes);
      return accuracyOf((await encodeModel(graph)).proto, test);
    })();
    return nearest;
  }

  // One of each so many: they stand digit by digit.
  const some = training
    .filter((_, at) => at % Math.floor(training.length / few) === 0)
    .slice(0, few);
  const quick = { epochs: 6, batch: 32, rate: 0.005 };
  const again = { epochs: 4, batch: 32, rate: 0.002 };
  const long = { epochs: 30, batch: 32, rate: 0.005 };
  const figures = [
    {
      title: "A student of 4 and 8 channels, from nothing",
      about:
        "The same network from the same weights, with the fixture's CNN as its teacher and by labels alone.",
      curves: [
        await trained("with a teacher", { start: small, options: quick, teacher }),
        await trained("by labels alone", { start: small, options: quick }),
      ],
    },
    {
      title: "The CNN with a fifth of its multiplications",
      about:
        "Cut by the weights' size, then taught by the CNN as it came. Fitted: what reads the cut channels was first brought close to what it gave, by least squares.",
      curves: [
        await trained("fitted first", { start: () => fitted, options: again, teacher }),
        await trained("as it was cut", { start: () => bare, options: again, teacher }),
      ],
    },
    {
      title: "The CNN with weights of 4 bits",
      about:
        "Trained with rounding in it; before: rounded to nearest, without training. Where that loses nothing, nothing can be won back; of a pruned CNN it does lose: [measured](quantization-aware.json).",
      curves: [await rounded("trained with rounding")],
    },
    {
      title: `The student, on ${few} digits`,
      about:
        "Too few: it knows them by heart after some epochs, and of others no more than before. The teacher helps, and more digits would help more.",
      curves: [
        await trained("with a teacher", { start: small, samples: some, options: long, teacher }),
        await trained("by labels alone", { start: small, samples: some, options: long }),
      ],
    },
  ];

  const trainings = figures.flatMap(({ title, curves }) =>
    curves.map((curve) => ({ title, ...curve })),
  );
  for (const { title, name, loss, right, before, validation: other, samples } of trainings)
    inform(`${title}, ${name}: loss by epoch`, {
      value: loss,
      n: samples,
      note: `of other digits right by epoch ${other.map(percent).join(", ")}; of the test digits ${percent(mean(before))} before and ${percent(mean(right))} (${spread(right).map(percent).join(" to ")}) after, three seeds`,
    });
  const falling = trainings.filter(({ loss }) => loss.at(-1) < loss[0]).length;
  claim("trainings whose loss is less in the last epoch than in the first", {
    value: falling,
    bound: trainings.length,
    n: trainings.length,
    met: falling === trainings.length,
  });
  const machine = [processorText(), ...(instructionSets() ?? [])].join(", ");
  const folder = join(root, "docs/measured/training");
  writeFileSync(join(folder, "curves.svg"), curvesPicture(figures));
  writeFileSync(join(folder, "curves.md"), curvesPage(figures, { machine, test: test.length }));
}

/** Means over the seeds, epoch by epoch. */
function told(name, runs, samples, epochs) {
  const over = (of) =>
    Array.from({ length: epochs }, (_, at) => mean(runs.map(({ history }) => history[at][of])));
  return {
    name,
    samples,
    loss: over("loss"),
    learned: over("accuracy"),
    validation: over("validation"),
    before: runs.map(({ before }) => before),
    right: runs.map(({ right }) => right),
  };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

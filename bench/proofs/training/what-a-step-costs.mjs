// What a training step costs, in forward passes of training: the same graph up to its loss, its weights being inputs too.
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { decodeModel, edit, encodeModel, inferNode } from "../../../compiler/dist/index.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { byteSource, onnxArtifact } from "../../../runtime/dist/format/index.js";
import { blocksOfSteps } from "./support/blocks-of-steps.mjs";
import { compared } from "./support/compared-networks.mjs";
import { inverted } from "./support/networks.mjs";

const rounds = 25;
const digits = compared["mnist-cnn"];
const promised = [
  { name: "the MNIST CNN", bound: 4.3, steps: 20, ...digits },
  { name: "ResNet-8", bound: 4.3, steps: 4, ...compared["resnet-8"] },
  { name: "depthwise inverted residuals", bound: 6, steps: 4, ...digits, build: () => inverted() },
  { name: "a transformer encoder of two layers", bound: 3.5, steps: 8, ...compared.encoder },
];

export async function prove({ claim }) {
  for (const { name, bound, batch, build, samples, steps } of promised) {
    const loaded = {};
    const training = blocksOfSteps(build(), {
      samples: samples(steps * batch),
      batch,
      executor: remembering(loaded),
    });
    // The first block opens the engine, the second is its own warm-up.
    for (let block = 0; block < 2; block += 1) await training.block();
    const forward = await forwardOf(loaded);
    const [ratios, forwards, wholes] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      const both = [() => forward.block(steps), async () => (await training.block()).ms];
      const turns = round % 2 === 0 ? [0, 1] : [1, 0];
      const ms = [];
      for (const turn of turns) ms[turn] = await both[turn]();
      forwards.push(ms[0]);
      wholes.push(ms[1]);
      ratios.push(ms[1] / ms[0]);
    }
    await training.close();
    await forward.close();
    const value = median(ratios);
    const resampling = { confidence: 0.99, resamples: 1000, seed: 1 };
    claim(`${name}: a step over a forward pass`, {
      value,
      bound,
      n: rounds,
      interval: bootstrapInterval(ratios, median, resampling),
      met: value <= bound,
      note: `batches of ${batch}, one thread: ${short(median(wholes))} and ${short(median(forwards))} ms, the optimizer and the batch's making included`,
    });
  }
}

/** The engine; what was loaded last, and fed, stays known. */
function remembering(loaded) {
  const engine = cpu();
  return {
    async load(artifact, options) {
      const session = await engine.load(artifact, options);
      loaded.artifact = artifact;
      return {
        ...session,
        run(feeds, signal, into) {
          loaded.feeds = feeds;
          return session.run(feeds, signal, into);
        },
      };
    },
  };
}

/** The training graph without its gradients, loaded and fed as it is. */
async function forwardOf({ artifact, feeds }) {
  const [{ bytes }] = artifact.files;
  const source = { proto: byteSource(bytes), external: new Map() };
  const graph = await decodeModel(source, { infer: inferNode });
  const without = (editor) => {
    for (let index = graph.main.outputs.length - 1; index >= 0; index -= 1)
      if (graph.value(graph.main.outputs[index]).name.startsWith("gradient_"))
        editor.removeOutput(index);
  };
  edit(graph, "forward", without, { interface: true });
  const { proto } = await encodeModel(graph);
  const session = await cpu().load(onnxArtifact(proto, artifact.session));
  const names = new Set(session.inputs.map(({ name }) => name));
  const fed = Object.fromEntries(Object.entries(feeds).filter(([name]) => names.has(name)));
  const block = async (runs) => {
    const started = performance.now();
    // Lent, as the trainer lends them.
    for (let run = 0; run < runs; run += 1) await session.run(fed, undefined, {});
    return (performance.now() - started) / runs;
  };
  await block(3);
  return { block, close: () => session.dispose() };
}

const short = (ms) => ms.toPrecision(3);

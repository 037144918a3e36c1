// A training step against PyTorch's, eager and compiled: the same network from the same weights, the same batches in the same order,
// the same threads, in processes that take turns. Two workers against one.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { trainingEnvironment } from "../../../cli/dist/workbench/training/training-environment.js";
import { learnedConstants } from "../../../compiler/dist/train/parameters.js";
import { writeSafetensors } from "../../../compiler/dist/train/safetensors.js";
import { findTorch } from "../../peers/python.mjs";
import { scratch } from "../shell.mjs";
import { orderOf } from "./support/blocks-of-steps.mjs";
import { compared } from "./support/compared-networks.mjs";

const rounds = 15;
/** Which open an engine, or compile. */
const warmUps = 3;
/** How far apart losses may be, relative to PyTorch's: sums in another order drift apart. */
const likeness = 0.01;
const promised = [
  { name: "mnist-cnn", called: "the MNIST CNN", steps: 40, eager: 0.8, compiled: 1, norms: true },
  { name: "encoder", called: "a 2-layer encoder", steps: 15, eager: 0.85, compiled: 1 },
  { name: "resnet-8", called: "ResNet-8", steps: 8, eager: 1, compiled: null, norms: true },
];
const wide = { name: "mnist-cnn-wide", called: "a CNN of 64 and 128 channels", steps: 5 };
const leastGain = 1.8;

export async function prove({ claim, inform, root }) {
  const python = await findTorch();
  for (const network of promised) {
    for (const threads of [1, 2]) {
      const torch = ["eager", "eager, AdamW fused", "eager, large pages", "compiled"];
      const sides = [
        ["pare", pareSide(root, network, threads)],
        threads === 1
          ? ["small pages", pareSide(root, network, 1, { ...process.env, GLIBC_TUNABLES: "" })]
          : ["one worker", pareSide(root, network, 1)],
        ...torch.map((kind) => [kind, torchSide(root, python, network, threads, kind)]),
      ];
      const { ms, losses } = await timed(network, sides);
      const how = threads === 1 ? "one thread" : "two threads, Pare's as two workers";
      const against = (kind, bound) => {
        const name = `${network.called}, ${how}: a step over PyTorch's, ${kind}`;
        const told = ratio(ms.pare, ms[kind]);
        const note = `${short(ms.pare)} and ${short(ms[kind])} ms`;
        if (bound === null) inform(name, { ...told, note });
        else claim(name, { ...told, bound, met: told.value <= bound, note });
      };
      against("eager", network.eager);
      against("compiled", network.compiled);
      against("eager, AdamW fused", null);
      against("eager, large pages", null);
      if (threads === 1) {
        const told = ratio(ms.pare, ms["small pages"]);
        inform(`${network.called}: a step with large pages, over one with small ones`, told);
      } else {
        const { value, interval } = ratio(ms["one worker"], ms.pare);
        inform(`${network.called}: two workers, times as fast as one`, {
          value,
          interval,
          n: rounds,
        });
      }
      // Batch norms normalize by what each worker sees, which is other numbers by intent.
      if (threads > 1 && network.norms) continue;
      const begun = losses.pare.slice(0, warmUps);
      const apart = Math.max(...begun.map((loss, at) => relative(loss, losses.eager[at])));
      claim(`${network.called}, ${how}: losses as PyTorch's, largest relative distance`, {
        value: apart,
        bound: likeness,
        n: warmUps * network.steps,
        met: apart <= likeness,
        note: "means of the first blocks' steps, from the same weights; later ones drift apart with every rounding",
      });
    }
  }
  const { ms } = await timed(wide, [
    ["one", pareSide(root, wide, 1)],
    ["two", pareSide(root, wide, 2)],
  ]);
  const told = ratio(ms.one, ms.two);
  claim(`${wide.called}: two workers, times as fast as one`, {
    ...told,
    bound: leastGain,
    met: told.value >= leastGain,
    note: `batches of ${compared[wide.name].batch}: ${short(ms.one)} and ${short(ms.two)} ms`,
  });
}

/** Started as `pare distill` starts the process that trains. */
const pareSide = (root, { name, steps }, workers, env = trainingEnvironment()) => ({
  command: () => [
    process.execPath,
    [join(root, "bench/proofs/training/support/train-blocks.mjs"), name, steps, workers].map(
      String,
    ),
    env,
  ],
});

const torchSide = (root, python, { name }, threads, kind) => ({
  command: (folder) => [
    python,
    [
      join(root, "bench/peers/train.py"),
      name,
      folder,
      "--batch",
      String(compared[name].batch),
      "--threads",
      String(threads),
      ...(kind === "compiled" ? ["--compile"] : []),
      ...(kind.endsWith("fused") ? ["--fused"] : []),
    ],
    kind.endsWith("large pages") ? trainingEnvironment() : process.env,
  ],
});

/** Blocks of all sides in turns: milliseconds a step, a list for each side, and the losses from the first block on. */
function timed({ name, steps }, sides) {
  const { batch, build, samples } = compared[name];
  const count = steps * batch;
  return scratch(async (folder) => {
    await writeFor(folder, build(), samples(count));
    const processes = [];
    try {
      const [ms, losses] = [{}, {}];
      for (const [side, { command }] of sides) {
        const process_ = new Lines(...command(folder));
        processes.push(process_);
        await process_.next();
        [ms[side], losses[side]] = [[], []];
        for (let block = 0; block < warmUps; block += 1)
          losses[side].push((await process_.ask([...orderOf(block, count)])).loss);
      }
      for (let round = 0; round < rounds; round += 1) {
        const order = [...orderOf(warmUps + round, count)];
        for (let turn = 0; turn < sides.length; turn += 1) {
          const at = (turn + round) % sides.length;
          const answer = await processes[at].ask(order);
          ms[sides[at][0]].push(answer.ms);
          losses[sides[at][0]].push(answer.loss);
        }
      }
      return { ms, losses };
    } finally {
      for (const one of processes) one.end();
    }
  });
}

async function writeFor(folder, graph, samples) {
  const arrays = new Map();
  for (const { name, tensor } of [...learnedConstants(graph), ...besides(graph)])
    arrays.set(name, { dims: tensor.dims, data: await tensor.readFloat32() });
  writeFileSync(join(folder, "weights.safetensors"), writeSafetensors({ arrays, metadata: {} }));
  const [[{ dims }]] = samples.map(({ feeds }) => Object.values(feeds));
  const row = dims.reduce((product, each) => product * each, 1);
  const inputs = new Float32Array(samples.length * row);
  for (const [index, { feeds }] of samples.entries())
    inputs.set(Float32Array.from(Object.values(feeds)[0].data, Number), index * row);
  const labels = Float32Array.from(samples, ({ label }) => label);
  const written = new Map([
    ["input", { dims: [samples.length, ...dims.slice(1)], data: inputs }],
    ["labels", { dims: [samples.length], data: labels }],
  ]);
  const bytes = writeSafetensors({ arrays: written, metadata: {} });
  writeFileSync(join(folder, "samples.safetensors"), bytes);
}

/** What is not learned, and is the same in both. */
function besides(graph) {
  return [...graph.allValues()].flatMap(({ name, constant }) =>
    name === "positions" && constant !== undefined ? [{ name, tensor: constant }] : [],
  );
}

/** A process that answers lines. */
class Lines {
  #child;
  #lines;
  #words = "";

  constructor(command, args, env) {
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env });
    this.#child.stderr.on("data", (text) => (this.#words = (this.#words + text).slice(-2000)));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async next() {
    const { value, done } = await this.#lines.next();
    if (done)
      throw new Error(`a side ended: ${this.#words.trim().split("\n").slice(-3).join(" ")}`);
    return JSON.parse(value);
  }

  ask(question) {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.next();
  }

  end() {
    this.#child.kill("SIGKILL");
  }
}

function ratio(first, second) {
  const ratios = first.map((ms, round) => ms / second[round]);
  const resampling = { confidence: 0.99, resamples: 1000, seed: 1 };
  const interval = bootstrapInterval(ratios, median, resampling);
  return { value: median(ratios), interval, n: ratios.length };
}

const relative = (value, to) => Math.abs(value - to) / Math.abs(to);
const short = (ms) => median(ms).toPrecision(3);

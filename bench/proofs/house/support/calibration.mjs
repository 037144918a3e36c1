import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bootstrapInterval } from "../../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../../bench/dist/statistics/quantile.js";
import { encodeModel, findPass } from "../../../../compiler/dist/compiler.js";
import { openModel } from "../../../../cli/dist/workbench/opened-model.js";
import { parseShapes } from "../../../../cli/dist/workbench/shape-options.js";
import { findPython } from "../../../peers/python.mjs";
import { writeFeeds } from "../../../peers/write-samples.mjs";
import { scratch } from "../../shell.mjs";
import { calibratedModels, fileOf, sampleCount } from "./calibrated-models.mjs";

const megabyte = 2 ** 20;
/** Bins of the two tools' histograms lie otherwise. */
const agreement = { minmax: 1e-3, percentile: 0.02 };
const pythonsName = { minmax: "MinMax", percentile: "Percentile" };

/**
 * One model's calibration phase against onnxruntime's Python tool's: the same file, samples, tensors, method and threads,
 * each in a process of its own that holds the samples, in rounds that take turns. Without Python it fails.
 */
export function calibration(name) {
  return async function prove({ claim, root }) {
    const python = await findPython();
    const model = calibratedModels[name];
    await scratch(async (folder) => {
      const file = join(folder, "model.onnx");
      writeFileSync(file, await simplified(name, model.shapes));
      const feeds = [];
      for await (const one of model.samples()) feeds.push(one);
      await writeFeeds(feeds, folder);
      const tools = { root, name, python, file, folder };
      const table = [];
      for (const method of ["minmax", "percentile"]) {
        const { count = sampleCount, stride, rounds = model.rounds } = model[method] ?? {};
        const compared = { method, count, stride, rounds };
        table.push(await compare(claim, tools, compared));
        if (method === "minmax")
          table.push(await compare(claim, tools, { ...compared, each: true }));
        write(root, table);
      }
      await proveFlat(claim, tools);
    });
  };
}

/** What both are given: the file that Pare simplifies. */
async function simplified(name, shape) {
  const model = await openModel(await fileOf(name), parseShapes(shape ? { shape } : {}));
  try {
    const pass = findPass("simplify");
    await pass.create(pass.parse({})).run(model.graph, {});
    return (await encodeModel(model.graph)).proto;
  } finally {
    model.close();
  }
}

/** @param each of the tools observes what it asks for by its own defaults */
async function compare(claim, tools, { method, count, stride, rounds, each = false }) {
  const what = `${tools.name}, ${method}${each ? ", each tool's own tensors" : ""}`;
  const python = await Worker.start(tools.python, [
    join(tools.root, "bench/peers/calibrate.py"),
    tools.file,
    tools.folder,
    "--method",
    pythonsName[method],
    "--threads",
    String(availableParallelism()),
    ...(stride === undefined ? [] : ["--stride", String(stride)]),
  ]);
  const own = await startOwn(tools);
  try {
    // One sample loads the engine and what else comes once. The next tells memory: of a process that has kept nothing yet.
    const names = Object.keys((await python.ask(1)).ranges).sort();
    const asked = { method, count, ...(each ? {} : { names }) };
    await own.ask({ ...asked, count: 1 });
    const theirs = await python.ask(count);
    const ours = await own.ask(asked);
    const ratios = [];
    const seconds = { theirs: [], ours: [] };
    let silence = ours.silence;
    for (let round = 0; round < rounds; round += 1) {
      const take = {
        theirs: async () => seconds.theirs.push((await python.ask(count)).seconds),
        ours: async () => {
          const made = await own.ask(asked);
          silence = Math.max(silence, made.silence);
          seconds.ours.push(made.seconds);
        },
      };
      for (const turn of round % 2 === 0 ? ["theirs", "ours"] : ["ours", "theirs"])
        await take[turn]();
      ratios.push(seconds.ours.at(-1) / seconds.theirs.at(-1));
    }
    const interval = bootstrapInterval(ratios, median, {
      confidence: 0.99,
      resamples: 2000,
      seed: 1,
    });
    claim(`${what}: seconds over the Python tool's`, {
      value: median(ratios),
      bound: 1,
      n: rounds,
      interval,
      met: interval[1] <= 1,
      note: `${median(seconds.ours).toFixed(2)} s, Python ${median(seconds.theirs).toFixed(2)} s, ${count} samples, ${names.length} tensors${each ? ` of Python's, ${Object.keys(ours.ranges).length} of Pare's` : ""}`,
    });
    const share = method === "minmax" ? 1 : 0.5;
    const memory = [ours.peak - ours.idle, theirs.peak - theirs.idle];
    claim(`${what}: memory above idle over the Python tool's`, {
      value: memory[0] / memory[1],
      bound: share,
      n: 1,
      met: memory[0] <= share * memory[1],
      note: `${megabytes(memory[0])}, Python ${megabytes(memory[1])}`,
    });
    claim(`${what}: longest silence, seconds`, {
      value: silence,
      bound: 2,
      n: rounds + 1,
      met: silence <= 2,
    });
    if (!each) {
      const worst = Math.max(...names.map((one) => distance(ours.ranges[one], theirs.ranges[one])));
      claim(`${what}: largest difference of an end, over the range`, {
        value: worst,
        bound: agreement[method],
        n: names.length,
        met: worst <= agreement[method],
      });
    }
    return { what, count, seconds, ratios, interval, memory, share, silence };
  } finally {
    python.end();
    own.end();
  }
}

/** Memory does not grow with the samples; and half-way through, it stops when told to. */
async function proveFlat(claim, tools) {
  const own = await startOwn(tools);
  try {
    const peaks = [];
    const { many: most = 1000 } = calibratedModels[tools.name];
    for (const count of [10, 10, 100, most]) {
      const { idle, peak, seconds } = await own.ask({ method: "minmax", count });
      peaks.push({ count, idle, peak, seconds });
    }
    // The first grows what later ones use again.
    const [, few, , many] = peaks;
    const ratio = many.peak / few.peak;
    claim(`${tools.name}: memory of ${most} samples over that of 10`, {
      value: ratio,
      bound: 1.1,
      n: 1,
      met: ratio <= 1.1,
      note: peaks.map(({ count, peak }) => `${count}: ${megabytes(peak)}`).join(", "),
    });
    // It ends by itself when the ranges stand still: half-way is of what it took just now.
    const { stopped, code } = await own.ask({
      method: "minmax",
      count: most,
      abortAfterMs: many.seconds * 500,
    });
    claim(`${tools.name}: seconds from Ctrl-C to the end`, {
      value: stopped ?? "it went on",
      bound: 1,
      n: 1,
      met: stopped <= 1 && code === "ABORTED",
    });
  } finally {
    own.end();
  }
}

const startOwn = ({ root, name, file }) =>
  Worker.start(process.execPath, [
    "--expose-gc",
    join(root, "bench/proofs/house/support/calibrate.mjs"),
    name,
    file,
  ]);

/** A process that answers each line with a line of JSON. */
class Worker {
  #child;
  #lines;
  #stderr = "";

  static async start(command, args) {
    const worker = new Worker();
    worker.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    worker.#child.stderr.on("data", (chunk) => (worker.#stderr += chunk));
    worker.#lines = createInterface({ input: worker.#child.stdout })[Symbol.asyncIterator]();
    await worker.#next();
    return worker;
  }

  ask(question) {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.#next();
  }

  end() {
    this.#child.stdin.end();
  }

  async #next() {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnfile} ended: ${this.#stderr.trim().slice(-500)}`);
    return JSON.parse(value);
  }
}

/** How far an end is off, as a share of the range. */
function distance([low, high], [theirLow, theirHigh]) {
  const width = Math.max(theirHigh, 0) - Math.min(theirLow, 0);
  if (width === 0) return Math.max(Math.abs(low), Math.abs(high));
  return Math.max(Math.abs(low - theirLow), Math.abs(high - theirHigh)) / width;
}

const megabytes = (bytes) => `${(bytes / megabyte).toFixed(0)} MB`;

/** This model's rows among those of the others. */
function write(root, table) {
  const folder = join(root, "docs/measured/house");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "calibration.md");
  const rows = new Map();
  try {
    for (const line of readFileSync(file, "utf8").split("\n"))
      if (line.startsWith("| ") && !/^\| (what|-)/.test(line)) rows.set(line.split(" | ")[0], line);
  } catch {
    // The first model.
  }
  for (const { what, count, seconds, ratios, interval, memory, silence } of table) {
    const cells = [
      what,
      count,
      median(seconds.ours).toFixed(2),
      median(seconds.theirs).toFixed(2),
      `${median(ratios).toFixed(2)} [${interval.map((end) => end.toFixed(2)).join(", ")}]`,
      megabytes(memory[0]),
      megabytes(memory[1]),
      silence.toFixed(1),
    ];
    rows.set(`| ${what}`, `| ${cells.join(" | ")} |`);
  }
  const text = `# Calibration

The calibration phase alone, against onnxruntime's Python tool's (\`create_calibrator\`, \`collect_data\`, \`compute_data\`): the
same file, samples, tensors, method and threads, in rounds that take turns. Written by \`npm run prove -- house/calibration-…\`,
which fails without Python. Memory is what all processes take at most above what they take idle, samples in hand. In rows
of "each tool's own tensors" both observe what they ask for by default: Python's, what every operator reads and gives;
Pare's, what Conv, Gemm and MatMul read, and the means of its channels. CenterFace has fewer
rounds than the others and 4 samples for percentile, which was settled after longer runs had not come to an end in the
time they were given; the one before had 1.31 [0.74, 1.32] for its min-max. So rows with intervals around 1 decide nothing.

| what | samples | Pare, s | Python, s | ratio | Pare | Python | longest silence, s |
| --- | --- | --- | --- | --- | --- | --- | --- |
${[...rows.keys()]
  .sort((a, b) => (a < b ? -1 : 1))
  .map((key) => rows.get(key))
  .join("\n")}
`;
  writeFileSync(file, text);
}

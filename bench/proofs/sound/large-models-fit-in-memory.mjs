// A model of 2.4 GB, its weights beside it: what Pare takes of memory and time for it, next to the Python tools.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { footprint } from "../../peers/footprint.mjs";
import { findPython } from "../../peers/python.mjs";
import { scratch } from "../shell.mjs";
import { writeLargeModel } from "./support/large-model.mjs";

const rounds = 3;
/** Of the model's bytes: of what only passes through, no more than a few of its tensors are held. */
const passing = 0.2;
/** Of what is written, where that is one file, which is made in memory. */
const written = 3;
/** What a Python user runs for the same, and how much of its memory Pare may take. */
const peers = [
  { what: "simplify", args: ["simplify"], tool: "onnxslim", memory: 0.2 },
  { what: "dynamic integers", args: ["quantize"], tool: "quantize", memory: 0.5 },
  { what: "float16", args: ["quantize", "--mode", "fp16"], tool: "half", memory: 0.9 },
];

export async function prove({ claim, root }) {
  const python = await findPython();
  await scratch(async (folder) => {
    const { path, beside } = await writeLargeModel(folder);
    const bytes = sizeOf(path) + sizeOf(beside);
    const out = join(folder, "out.onnx");
    const outBeside = join(folder, "out.data");
    const pare = async (verb, ...options) => {
      for (const file of [out, outBeside]) rmSync(file, { force: true });
      const args = [join(root, "cli/bin/pare.js"), verb, path, ...options];
      const cost = await footprint(process.execPath, args, { cwd: folder });
      if (cost.code !== 0) throw new Error(`pare ${verb} exits with ${cost.code}: ${cost.stderr}`);
      return cost;
    };
    const holds = (what, { peakBytes, seconds }, of, bound) =>
      claim(`${what}: memory over ${of.name}`, {
        value: peakBytes / of.bytes,
        bound: `<= ${bound}`,
        met: peakBytes <= bound * of.bytes,
        note: `${gigabytes(peakBytes)} and ${gigabytes(of.bytes)}, ${seconds.toFixed(0)} s`,
      });
    const whole = { name: "the model's bytes", bytes };
    const writes = ["-o", out, "--no-check", "--quiet"];

    holds("pare inspect", await pare("inspect"), whole, passing);
    holds("pare convert", await pare("convert", "--opset", "18", ...writes), whole, passing);
    const same = (await sha256(outBeside)) === (await sha256(beside));
    claim("pare convert: the weights that it writes are those that it read", {
      value: same,
      bound: true,
      met: same,
    });
    const cost = await pare("quantize", "--mode", "weights", ...writes);
    const result = { name: "what is written", bytes: sizeOf(out) + sizeOf(outBeside) };
    holds("pare quantize --mode weights", cost, result, written);

    for (const { what, args, tool, memory } of peers) {
      const [mine, theirs] = [[], []];
      for (let round = 0; round < rounds; round += 1) {
        mine.push(await pare(...args, ...writes));
        theirs.push(await peer(tool));
      }
      const times = mine.map(({ seconds }, at) => seconds / theirs[at].seconds);
      claim(`${what}: Pare's time over the Python tool's`, {
        value: median(times),
        bound: "<= 1",
        n: rounds,
        interval: [Math.min(...times), Math.max(...times)],
        met: median(times) <= 1,
        note: `${mine.map(short).join(", ")} s, ${theirs.map(short).join(", ")} s`,
      });
      const [own, other] = [mine, theirs].map((runs) =>
        Math.max(...runs.map(({ peakBytes }) => peakBytes)),
      );
      claim(`${what}: Pare's memory over the Python tool's`, {
        value: own / other,
        bound: `<= ${memory}`,
        n: rounds,
        met: own <= memory * other,
        note: `${gigabytes(own)} and ${gigabytes(other)}`,
      });
    }

    /** The Python tool, with what it wrote removed. */
    async function peer(tool) {
      const script = join(root, "bench/peers/large.py");
      const made = join(folder, "peer.onnx");
      const taken = await footprint(python, [script, path, made, "--tool", tool]);
      for (const file of [made, `${made}.data`]) rmSync(file, { force: true });
      if (taken.code !== 0) throw new Error(`${tool} exits with ${taken.code}: ${taken.stderr}`);
      return taken;
    }
  });
}

const sizeOf = (file) => (existsSync(file) ? statSync(file).size : 0);
const short = ({ seconds }) => seconds.toFixed(0);
const gigabytes = (count) => `${(count / 1e9).toFixed(2)} GB`;

async function sha256(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

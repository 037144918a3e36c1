// What Keras loops over time, as it is exported, is one operator, and says what Keras says, on onnxruntime and in a module; how much
// less time it takes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";
import { mean, median } from "../../../bench/dist/statistics/quantile.js";
import { findPass, importModel } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { byteSource, onnxArtifact } from "../../../runtime/dist/format/index.js";
import { findKeras } from "../../peers/python.mjs";
import { asModule, asOnnx } from "../aot/support/compiled.mjs";
import { run, scratch } from "../shell.mjs";

/** No operator has masks, or sums of convolutions. */
const scans = ["LSTM with masks", "LSTM of images"];
const most = { apart: 1e-5, time: 1 };
const blocks = 31;
const blockMs = 10;

export async function prove({ claim, inform, root }) {
  const python = await findKeras();
  const ratios = [];
  await scratch(async (folder) => {
    const script = join(root, "bench/peers/recurrent.py");
    const { code, stderr } = await run(python, [script, folder]);
    if (code !== 0) throw new Error(stderr.slice(-500));
    for (const entry of JSON.parse(readFileSync(join(folder, "recurrent.json"), "utf8")))
      await proveOne(entry, new Uint8Array(readFileSync(join(folder, entry.file))));
  });
  inform("time of those that were loops, of what it was, their geometric mean", {
    value: Math.exp(mean(ratios.map(Math.log))),
    n: ratios.length,
  });

  async function proveOne({ name, x, y }, bytes) {
    const graph = await opened(bytes);
    const loops = (of) => [...of.allNodes()].filter(({ op }) => op === "Loop").length;
    const wasLoop = loops(graph) > 0;
    await changed(graph, "simplify", {});
    const left = [...graph.allNodes()].map(({ op }) => op).filter((op) => op === "Loop" || op === "Scan"); // prettier-ignore
    const allowed = scans.includes(name) ? ["Scan"] : [];
    claim(`${name}: loops that are left`, {
      value: left.join(", ") || "none",
      bound: allowed.join(", ") || "none",
      n: 1,
      met: left.every((op) => allowed.includes(op)),
    });
    const [input] = graph.main.inputs.map((id) => graph.value(id).name);
    const feeds = { [input]: { type: "float32", dims: x.dims, data: Float32Array.from(x.data) } };
    const fixed = await opened(bytes);
    await changed(fixed, "bind-shapes", { shapes: { [input]: x.dims } });
    const sessions = {
      onnxruntime: await cpu().load(await asOnnx(graph, {})),
      "a module": await aot().load(await asModule(fixed)),
    };
    for (const [where, session] of Object.entries(sessions)) {
      const apart = difference(y, await session.run(feeds));
      claim(`${name}: largest difference to Keras, in ${where}`, {
        value: apart,
        bound: `≤ ${most.apart}`,
        n: y.reduce((sum, { data }) => sum + data.length, 0),
        met: apart <= most.apart,
      });
    }
    const before = await cpu().load(onnxArtifact(bytes));
    const timed = await timesOf(sessions.onnxruntime, before, feeds);
    const ratio = median(timed);
    const interval = bootstrapInterval(timed, median, { confidence: 0.95, resamples: 1000, seed: 1 }); // prettier-ignore
    if (wasLoop) {
      ratios.push(ratio);
      claim(`${name}: time in onnxruntime, of what it was`, {
        value: ratio,
        bound: `≤ ${most.time}`,
        n: blocks,
        interval,
        met: interval[1] <= most.time,
      });
    } else inform(`${name}, no loop: time in onnxruntime, of what it was`, { value: ratio, n: blocks, interval }); // prettier-ignore
    for (const session of [before, ...Object.values(sessions)]) await session.dispose();
  }
}

const opened = (bytes) =>
  importModel({ name: "model.onnx", main: byteSource(bytes), beside: new Map() });

async function changed(graph, name, options) {
  const pass = findPass(name);
  await pass.create(pass.parse(options)).run(graph, {});
}

/** In the order of the outputs, of numbers around one. */
function difference(expected, results) {
  let worst = 0;
  for (const [at, { data }] of Object.values(results).entries()) {
    const own = expected[at].data;
    if (own.length !== data.length) return Infinity;
    data.forEach((value, index) => (worst = Math.max(worst, Math.abs(value - own[index]))));
  }
  return worst;
}

/** The first's time over the second's, in blocks of runs in turns. */
async function timesOf(one, other, feeds) {
  const block = async (session, runs) => {
    const began = performance.now();
    for (let at = 0; at < runs; at += 1) await session.run(feeds);
    return (performance.now() - began) / runs;
  };
  for (const session of [one, other]) await block(session, 20);
  const runs = Math.max(1, Math.round(blockMs / (await block(other, 20))));
  const ratios = [];
  for (let at = 0; at < blocks; at += 1) ratios.push((await block(one, runs)) / (await block(other, runs))); // prettier-ignore
  return ratios;
}

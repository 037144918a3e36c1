// onnxruntime has a slow kernel for AveragePool of opset 19 and later: what is written for it has the fast one's.
import { median } from "../../../bench/dist/statistics/quantile.js";
import { attribute, edit, encodeModel, findTarget, Graph, inferNode, newHeader, tensorType } from "../../../compiler/dist/index.js"; // prettier-ignore
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { onnxArtifact } from "../../../runtime/dist/format/index.js";
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";

/** Channels, size, window, stride, pads. */
const pools = [
  [44, 28, 3, 1, 1],
  [24, 56, 3, 2, 1],
  [20, 40, 5, 1, 2],
  [64, 56, 2, 2, 0],
];
const blocks = 31;
const most = 1.05;

export async function prove({ claim }) {
  for (const [channels, size, window, stride, pad] of pools) {
    const graph = poolOf(channels, size, window, stride, pad);
    const dims = [1, channels, size, size];
    const data = Float32Array.from({ length: channels * size * size }, (_, at) => Math.sin(at));
    const feeds = { x: { type: "float32", dims, data } };
    const written = await cpu().load(await findTarget("cpu").emit(graph, {}));
    const newest = await cpu().load(onnxArtifact((await encodeModel(graph)).proto));
    const ratios = await timesOf(written, newest, feeds);
    const ratio = median(ratios);
    claim(`${channels} × ${size} × ${size}, windows of ${window}: time, of what opset 21 takes`, {
      value: ratio,
      bound: `≤ ${most}`,
      n: blocks,
      interval: bootstrapInterval(ratios, median, { confidence: 0.95, resamples: 1000, seed: 1 }),
      met: ratio <= most,
    });
    for (const session of [written, newest]) await session.dispose();
  }
}

function poolOf(channels, size, window, stride, pad) {
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "proof",
    (editor) => {
      const x = editor.addInput("x", tensorType("float32", [1, channels, size, size]));
      const twice = (value) => attribute.ints([value, value]);
      const attributes = { kernel_shape: twice(window), strides: twice(stride), pads: attribute.ints([pad, pad, pad, pad]) }; // prettier-ignore
      editor.addOutput(editor.add1("AveragePool", [x], attributes, { outputs: ["y"] }));
    },
    { interface: true },
  );
  return graph;
}

/** The first's time over the second's, in blocks of runs in turns. */
async function timesOf(one, other, feeds) {
  const block = async (session) => {
    const began = performance.now();
    for (let at = 0; at < 50; at += 1) await session.run(feeds);
    return performance.now() - began;
  };
  for (const session of [one, other]) await block(session);
  const ratios = [];
  for (let at = 0; at < blocks; at += 1) ratios.push((await block(one)) / (await block(other)));
  return ratios;
}

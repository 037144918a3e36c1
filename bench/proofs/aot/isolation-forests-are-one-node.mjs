// An isolation forest as scikit-learn's are exported, thousands of nodes, is one node of trees and what follows their sum once
// it is simplified: for the engines' files and for modules.
import * as ort from "onnxruntime-web/wasm";
import { findPass } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, reasonsOf } from "./support/compiled.mjs";
import { digitSamples } from "./support/forest.mjs";
import { isolationForest } from "./support/isolation-forest.mjs";
import { inMicroseconds, ratioOnCpu } from "./support/on-cpu.mjs";
import { ratioOf } from "./support/side-by-side.mjs";

const trees = 100;
const mostNodes = 10;
const mostError = 1e-5;
const leastFaster = 20;
const budgetMs = 4000;

export async function prove({ claim, inform }) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const { learned, kept } = await digitSamples();
  const graph = isolationForest(learned, trees, 1);
  const simple = graph.fork();
  await findPass("simplify").create({}).run(simple, {});
  const [before, after] = [graph, simple].map((one) => [...one.allNodes()].length);
  claim(`nodes of a forest of ${trees} trees, simplified`, {
    value: after,
    bound: `≤ ${mostNodes}`,
    n: 1,
    met: after <= mostNodes,
    note: `${before} before`,
  });
  const [given, made] = [await asOnnx(graph), await asOnnx(simple)];
  const [given0, made0] = [given, made].map(({ files }) => files[0].bytes.length);
  claim("its bytes over those of the model as it came", {
    value: made0 / given0,
    bound: "≤ 1",
    n: 1,
    met: made0 <= given0,
    note: `${given0} and ${made0}`,
  });
  const reasons = await reasonsOf(simple);
  if (reasons.length > 0)
    return claim("it is compiled", { value: reasons.join("; "), bound: "yes", n: 1, met: false });
  const module = await asModule(simple);
  const sessions = [await cpu().load(given), await cpu().load(made), await aot().load(module)];
  const feedsOf = ({ pixels }) => ({ pixels: { type: "float32", dims: [1, 784], data: pixels } });
  let [different, worst, outliers] = [0, 0, 0];
  for (const sample of kept) {
    const [expected, ...others] = await Promise.all(
      sessions.map((one) => one.run(feedsOf(sample))),
    );
    if (Number(expected.label.data[0]) < 0) outliers += 1;
    for (const { label, scores } of others) {
      if (label.data[0] !== expected.label.data[0]) different += 1;
      worst = Math.max(worst, Math.abs(scores.data[0] - expected.scores.data[0]));
    }
  }
  inform("digits that it takes for outliers", { value: outliers, n: kept.length });
  claim("digits of which the model as it came, simplified and compiled say different things", {
    value: different,
    bound: "≤ 0",
    n: 2 * kept.length,
    met: different === 0,
  });
  claim("the largest difference of a score", {
    value: worst,
    bound: `≤ ${mostError}`,
    n: 2 * kept.length,
    met: worst <= mostError,
  });
  const speedup = await ratioOnCpu(sessions[0], sessions[1], feedsOf(kept[0]));
  claim("how much faster onnxruntime-node runs it simplified", {
    value: speedup.ratio,
    bound: `≥ ${leastFaster}`,
    n: speedup.blocks,
    met: speedup.ratio >= leastFaster,
    note: speedup.note,
  });
  const timed = await ratioOf({
    aot,
    ort,
    artifact: module,
    onnx: [given.files[0].bytes],
    feeds: feedsOf(kept[0]),
    budgetMs,
  });
  claim(
    `how much faster its module is than onnxruntime-web with the model as it came, Node ${process.versions.node}`,
    {
      value: timed.ratio,
      bound: `≥ ${leastFaster}`,
      n: timed.blocks,
      met: timed.ratio >= leastFaster,
      note: timed.medians.map(inMicroseconds).join(" and "),
    },
  );
  for (const session of sessions) await session.dispose();
}

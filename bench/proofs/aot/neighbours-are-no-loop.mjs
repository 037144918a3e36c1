// k nearest neighbours as scikit-learn's are exported, a loop over all that are known: simplified it is none, for the engines'
// files and for modules.
import * as ort from "onnxruntime-web/wasm";
import { findPass } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, reasonsOf } from "./support/compiled.mjs";
import { digitSamples } from "./support/forest.mjs";
import { meansOf, neighboursOf } from "./support/neighbours.mjs";
import { inMicroseconds, ratioOnCpu } from "./support/on-cpu.mjs";
import { ratioOf } from "./support/side-by-side.mjs";

const known = 2000;
const nearest = 5;
const leastFaster = { cpu: 10, module: 20 };
const budgetMs = 4000;

export async function prove({ claim, inform }) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const { learned, kept } = await digitSamples();
  const step = Math.floor(learned.length / known);
  const graph = neighboursOf(learned.filter((_, at) => at % step === 0).slice(0, known), nearest);
  const simple = graph.fork();
  await findPass("simplify").create({}).run(simple, {});
  const loops = [...simple.allNodes()].filter(({ op }) => op === "Scan").length;
  claim(`loops over ${known} neighbours, simplified`, {
    value: loops,
    bound: "≤ 0",
    n: 1,
    met: loops === 0,
  });
  const reasons = await reasonsOf(simple);
  if (reasons.length > 0)
    return claim("it is compiled", { value: reasons.join("; "), bound: "yes", n: 1, met: false });
  const [given, made, module] = [await asOnnx(graph), await asOnnx(simple), await asModule(simple)];
  const sessions = [await cpu().load(given), await cpu().load(made), await aot().load(module)];
  const feedsOf = (sample) => ({ means: meansOf(sample) });
  let [different, right] = [0, 0];
  for (const sample of kept) {
    const [expected, ...others] = await Promise.all(
      sessions.map((one) => one.run(feedsOf(sample))),
    );
    if (Number(expected.label.data[0]) === sample.label) right += 1;
    for (const { votes } of others)
      if (votes.data.join() !== expected.votes.data.join()) different += 1;
  }
  inform("digits that it tells right", { value: right, n: kept.length });
  claim("digits for which the model as it came, simplified and compiled count other votes", {
    value: different,
    bound: "≤ 0",
    n: 2 * kept.length,
    met: different === 0,
  });
  const speedup = await ratioOnCpu(sessions[0], sessions[1], feedsOf(kept[0]));
  claim("how much faster onnxruntime-node runs it simplified", {
    value: speedup.ratio,
    bound: `≥ ${leastFaster.cpu}`,
    n: speedup.blocks,
    met: speedup.ratio >= leastFaster.cpu,
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
      bound: `≥ ${leastFaster.module}`,
      n: timed.blocks,
      met: timed.ratio >= leastFaster.module,
      note: timed.medians.map(inMicroseconds).join(" and "),
    },
  );
  for (const session of sessions) await session.dispose();
}

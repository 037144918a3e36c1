// An isolation forest as scikit-learn's are exported, thousands of nodes, is one node of trees and what follows their sum once
// it is simplified: for the engines' files and for modules.
import { findPass } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, reasonsOf } from "./support/compiled.mjs";
import { digitSamples } from "./support/forest.mjs";
import { isolationForest } from "./support/isolation-forest.mjs";
import { claimFaster } from "./support/faster-than-given.mjs";

const trees = 100;
const mostNodes = 10;
const mostError = 1e-5;
const leastFaster = 20;

export async function prove({ claim, inform }) {
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
  await claimFaster(claim, {
    sessions,
    given: given.files[0].bytes,
    module,
    feeds: feedsOf(kept[0]),
    least: { cpu: leastFaster, module: leastFaster },
  });
  for (const session of sessions) await session.dispose();
}

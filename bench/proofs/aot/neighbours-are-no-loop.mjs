// k nearest neighbours as scikit-learn's are exported, a loop over all that are known: simplified it is none, for the engines'
// files and for modules.
import { findPass } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, reasonsOf } from "./support/compiled.mjs";
import { digitSamples } from "./support/forest.mjs";
import { meansOf, neighboursOf } from "./support/neighbours.mjs";
import { claimFaster } from "./support/faster-than-given.mjs";

const known = 2000;
const nearest = 5;
const leastFaster = { cpu: 10, module: 20 };

export async function prove({ claim, inform }) {
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
  await claimFaster(claim, {
    sessions,
    given: given.files[0].bytes,
    module,
    feeds: feedsOf(kept[0]),
    least: leastFaster,
  });
  for (const session of sessions) await session.dispose();
}

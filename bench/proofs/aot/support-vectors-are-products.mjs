// A classifier by support vectors, as scikit-learn's are exported: with a linear kernel its vectors are summed to one for each
// pair of classes, for the engines' files too; and with any kernel it is compiled, probabilities and names of classes included.
import { findPass } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, reasonsOf } from "./support/compiled.mjs";
import { digitSamples } from "./support/forest.mjs";
import { claimFaster } from "./support/faster-than-given.mjs";
import { vectorMachineOf } from "./support/vector-machine.mjs";

const perClass = 100;
const pairs = 45;
const mostShare = 0.15;
/** Where a pair's probability is nearly 0 or 1, probabilities of classes are found to no more than that. */
const mostError = 1e-4;
const least = {
  LINEAR: { cpu: 3, module: 5 },
  RBF: { module: 2 },
};

export async function prove(says) {
  const { learned, kept } = await digitSamples();
  for (const kernel of Object.keys(least)) await proveOf(kernel, learned, kept, says);
}

async function proveOf(kernel, learned, kept, { claim, inform }) {
  const { graph, vectors } = vectorMachineOf(kernel, learned, perClass, 1);
  const simple = graph.fork();
  await findPass("simplify").create({}).run(simple, {});
  const [given, made] = [await asOnnx(graph), await asOnnx(simple)];
  if (kernel === "LINEAR") {
    const [own] = simple.allNodes();
    const left = own.attributes.get("coefficients").value.length / 9;
    claim(`${kernel}: support vectors of ten classes, simplified`, {
      value: left,
      bound: `≤ ${pairs}`,
      n: 1,
      met: left <= pairs,
      note: `${vectors} before`,
    });
    const [before, after] = [given, made].map(({ files }) => files[0].bytes.length);
    claim(`${kernel}: its bytes over those of the model as it came`, {
      value: after / before,
      bound: `≤ ${mostShare}`,
      n: 1,
      met: after / before <= mostShare,
      note: `${before} and ${after}`,
    });
  }
  const reasons = await reasonsOf(simple);
  if (reasons.length > 0)
    return claim(`${kernel}: it is compiled`, { value: reasons.join("; "), bound: "yes", n: 1, met: false }); // prettier-ignore
  const module = await asModule(simple);
  const sessions = [await cpu().load(given), await cpu().load(made), await aot().load(module)];
  const feedsOf = ({ pixels }) => ({ pixels: { type: "float32", dims: [1, 784], data: pixels } });
  let [different, worst, right] = [0, 0, 0];
  const names = "zero one two three four five six seven eight nine".split(" ");
  for (const sample of kept) {
    const [expected, ...others] = await Promise.all(
      sessions.map((one) => one.run(feedsOf(sample))),
    );
    if (expected.label.data[0] === names[sample.label]) right += 1;
    for (const { label, probabilities } of others) {
      if (label.data[0] !== expected.label.data[0]) different += 1;
      for (const [at, share] of expected.probabilities.data.entries())
        worst = Math.max(worst, Math.abs(probabilities.data[at] - share));
    }
  }
  inform(`${kernel}: digits that it tells right`, { value: right, n: kept.length });
  claim(`${kernel}: digits of which the model as it came, simplified and compiled say different things`, {
    value: different,
    bound: "≤ 0",
    n: 2 * kept.length,
    met: different === 0,
  }); // prettier-ignore
  claim(`${kernel}: the largest difference of a probability`, {
    value: worst,
    bound: `≤ ${mostError}`,
    n: 2 * kept.length * names.length,
    met: worst <= mostError,
  });
  await claimFaster(claim, {
    what: `${kernel}: `,
    sessions,
    given: given.files[0].bytes,
    module,
    feeds: feedsOf(kept[0]),
    least: least[kernel],
  });
  for (const session of sessions) await session.dispose();
}

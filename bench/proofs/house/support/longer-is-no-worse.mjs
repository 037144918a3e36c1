import { join } from "node:path";
import { manifestOf, pare, reportOf, scratch } from "../../shell.mjs";
import { headToHead } from "./head-to-head.mjs";
import { argumentsFor } from "./models.mjs";

const budgets = ["30s", "2m", "8m"];
const targets = ["cpu", "wasm"];

/** With more time, no file more than 5 % slower than an earlier choice that is still acceptable. */
export const longerIsNoWorse =
  (name) =>
  ({ claim, inform, root }) =>
    scratch((folder) => prove(name, { claim, inform, root, folder }));

async function prove(name, { claim, inform, root, folder }) {
  const { args, reason } = await argumentsFor(root, name);
  if (args === null) {
    claim(`${name} is here`, { value: reason, bound: "a file and its data", met: false });
    return;
  }
  const data = args[args.indexOf("--data") + 1];
  const bundles = [];
  for (const budget of budgets) {
    const bundle = join(folder, `${name}-${budget}`);
    const { code, stderr } = await pare(root, [
      "optimize",
      ...args,
      "--target",
      targets.join(","),
      "--time-budget",
      budget,
      "--no-cache",
      "-o",
      bundle,
    ]);
    if (code !== 0) throw new Error(`${name}, ${budget}: ${stderr.slice(-400)}`);
    bundles.push({ budget, bundle });
  }
  for (const target of targets)
    for (const [index, longer] of bundles.entries())
      for (const shorter of bundles.slice(0, index)) {
        const [before, now] = [chosen(shorter.bundle, target), chosen(longer.bundle, target)];
        const what = `${name}, ${target}: ${longer.budget} over ${shorter.budget}`;
        const note = `${now.id} next to ${before.id}`;
        if (turnedDown(longer.bundle, target, before)) {
          inform(`${what}: the earlier choice lost too much on more samples`, { value: note });
          continue;
        }
        const { ratio, interval } =
          before.sha256 === now.sha256
            ? { ratio: 1, interval: [1, 1] }
            : await headToHead(root, target, data, before.file, now.file);
        claim(`${what}: latency`, {
          value: ratio,
          bound: "upper bound <= 1.05",
          interval,
          met: interval[1] <= 1.05,
          note,
        });
      }
}

function chosen(bundle, target) {
  const { id, files } = manifestOf(bundle).variants.find((one) => one.target === target);
  return { id, sha256: files[0].sha256, file: join(bundle, files[0].path) };
}

/** The longer search tried the same, and its accuracy was the reason against it. */
function turnedDown(bundle, target, { id }) {
  const name = id.slice(target.length + 1);
  return reportOf(bundle).candidates.some(
    (one) =>
      one.target === target &&
      one.name === name &&
      one.verdict === "rejected" &&
      /over the allowed|surely over/.test(one.reason),
  );
}

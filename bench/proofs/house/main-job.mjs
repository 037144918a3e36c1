import { join } from "node:path";
import { cleanClone, json, run, scratch } from "../shell.mjs";

/** The version that came before this search. */
const before = "59224db";
/** The README's job as that version knew it, which has no target without an engine. */
const job = [
  "optimize",
  "fixtures/models/ocr-direction.onnx",
  "--data",
  "fixtures/data/ocr-direction.mjs",
  "--target",
  "cpu,wasm,webgpu",
];
const rounds = 6;
/** Two-sided 95 %, by degrees of freedom. */
const t = { 1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571 };

// The README's job, for three targets and by all defaults, takes at most .65 of what it took before the search was
// rebuilt: both versions in turns, from nothing each time; and it measures no less.
export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const old = await checkout(root, join(folder, "before"));
    const ratios = [];
    let [mine, theirs] = [null, null];
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? [old, root] : [root, old];
      const took = new Map();
      for (const repository of order) {
        const into = join(folder, `${repository === root ? "now" : "then"}-${round}`);
        took.set(repository, await once(repository, into, join(folder, `cache-${round}`)));
        if (repository === root) mine = json(join(into, "report.json"));
        else theirs = json(join(into, "report.json"));
      }
      ratios.push(took.get(root) / took.get(old));
      console.error(
        `round ${round + 1}: ${took.get(old).toFixed(1)} s before, ${took.get(root).toFixed(1)} s now`,
      );
    }
    const { mean, low, high } = geometric(ratios);
    claim("the main job's time over that of the version before", {
      value: mean,
      bound: "upper bound <= .65",
      n: rounds,
      interval: [low, high],
      met: high <= 0.65,
    });
    for (const now of mine.variants) {
      const then = theirs.variants.find(({ target }) => target === now.target);
      claim(`${now.target}: test samples of its accuracy, next to the version before`, {
        value: now.accuracy.n,
        bound: `>= ${then.accuracy.n}`,
        met: now.accuracy.n >= then.accuracy.n,
      });
      const tried = (report) =>
        report.candidates.filter(
          ({ target, reason }) => target === now.target && !reason.startsWith("not tried"),
        ).length;
      claim(`${now.target}: candidates that were tried, next to the version before`, {
        value: tried(mine),
        bound: `>= ${tried(theirs)}`,
        met: tried(mine) >= tried(theirs),
      });
    }
  });
}

/** The version before, installed as its user would. */
async function checkout(root, folder) {
  await cleanClone(root, folder);
  for (const [command, args] of [
    ["git", ["checkout", "-q", before]],
    ["npm", ["ci"]],
  ]) {
    const { code, stderr } = await run(command, args, { cwd: folder });
    if (code !== 0) throw new Error(`${command} failed: ${stderr.slice(-400)}`);
  }
  return folder;
}

async function once(repository, into, cache) {
  const bin = join(repository, "cli/bin/pare.js");
  const { code, seconds, stderr } = await run(process.execPath, [bin, ...job, "-o", into], {
    cwd: repository,
    env: { XDG_CACHE_HOME: cache },
  });
  if (code !== 0) throw new Error(`optimize failed: ${stderr.slice(-400)}`);
  return seconds;
}

/** Of ratios that belong together by pairs. */
function geometric(ratios) {
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1);
  const half = t[logs.length - 1] * Math.sqrt(variance / logs.length);
  return { mean: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

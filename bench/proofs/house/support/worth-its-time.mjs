// One model by all defaults, for cpu and wasm: is the search worth the time that it takes?
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { json, manifestOf, reportOf, scratch } from "../../shell.mjs";
import { headToHead } from "./head-to-head.mjs";
import { argumentsFor } from "./models.mjs";

const targets = ["cpu", "wasm"];
const defaultBudgetMs = 120_000;
/** Runs by all defaults, until nothing is left untried. */
const mostRuns = 4;
/** Short searches are interrupted several times: until as many without an interruption took so long. */
const roundsMs = 60_000;
const mostRounds = 5;
/** A search without limit: it screens as any does, and leaves nothing for want of time. */
const exhaustive = "8h";

/** @param {string} name as in models.mjs */
export const worthItsTime =
  (name) =>
  async ({ claim, root }) => {
    const { args, reason } = await argumentsFor(root, name);
    if (args === null) {
      claim(`${name} is here`, { value: reason, bound: "a file and its data", met: false });
      return;
    }
    await scratch(async (folder) => {
      const optimize = (into, cache, more = [], interruptAfterMs = null) =>
        pareOptimize(
          root,
          [...args, "--target", targets.join(","), "-o", join(folder, into), ...more],
          {
            cache: join(folder, cache),
            interruptAfterMs,
          },
        );
      const lock = await exhaustiveLock(root, name, folder, optimize);

      const first = await optimize("first", "cache");
      claim(`${name}: optimize exits with`, {
        value: first.code,
        bound: 0,
        met: first.code === 0,
        note: first.code === 0 ? undefined : first.stderr.slice(-400),
      });
      const { time } = reportOf(join(folder, "first"));
      const [, highMs] = time.rangeMs;
      const allowedMs = Math.max(defaultBudgetMs, highMs);
      claim(`${name}: seconds, its bundle written`, {
        value: first.ms / 1000,
        bound: `<= ${(allowedMs / 1000).toFixed(0)}`,
        met: first.ms <= allowedMs,
        note: allowedMs > defaultBudgetMs ? "the cheapest sound plan takes longer" : undefined,
      });
      const ratio = first.ms / time.expectedMs;
      claim(`${name}: actual over estimated time`, {
        value: ratio,
        bound: ".7 to 1.15",
        met: ratio >= 0.7 && ratio <= 1.15,
        note: `estimated ${(time.expectedMs / 1000).toFixed(1)} s`,
      });
      for (const target of targets) {
        const decided = lock.targets.find((one) => one.target === target);
        if (decided === undefined || decided.precision === "float32") continue;
        const [soonest] = time.improvements.filter((one) => one.target === target);
        claim(`${name}, ${target}: something compressed in hand after this share of the time`, {
          value: soonest === undefined ? "never" : soonest.atMs / allowedMs,
          bound: "<= .25",
          met: soonest !== undefined && soonest.atMs <= allowedMs / 4,
          note: soonest?.name,
        });
      }

      await optimizeAsLocked(root, args, lock.path, join(folder, "exhaustive"));
      await compareChoices(
        claim,
        root,
        name,
        args,
        join(folder, "first"),
        join(folder, "exhaustive"),
      );

      // A model whose every run takes minutes, and that several runs finish: the choice alone.
      if (process.env.PARE_FIRST_RUN === "1") return;
      const wholeMs = await repeated(claim, name, first, optimize, folder);
      await resumed(claim, name, first, wholeMs, optimize, folder);
    });
  };

/**
 * A plan that is finished, once more: where the time did not do for all of it, it is finished first.
 * @returns what it took until it was finished
 */
async function repeated(claim, name, first, optimize, folder) {
  const runs = [first.ms];
  let last = join(folder, "first");
  while (!isFinished(last) && runs.length < mostRuns) {
    runs.push((await optimize("again", "cache")).ms);
    last = join(folder, "again");
  }
  const isWhole = isFinished(last);
  const again = await optimize("again", "cache");
  claim(`${name}: the finished plan once more, of the time of the first run`, {
    value: again.ms / first.ms,
    bound: "< 1/3",
    met: again.code === 0 && isWhole && again.ms < first.ms / 3,
    note: isWhole
      ? runs.length === 1
        ? undefined
        : `finished by ${runs.length} runs`
      : `not finished by ${runs.length} runs`,
  });
  return sum(runs);
}

/**
 * Interrupted after half of the first run, and run again until the plan is finished. Short searches several times, each next
 * to one that is not interrupted: how long their timing goes on differs from run to run.
 */
async function resumed(claim, name, first, wholeMs, optimize, folder) {
  const rounds = Math.min(mostRounds, Math.ceil(roundsMs / wholeMs));
  const untilFinished = async (into, cache) => {
    const runs = [];
    let code;
    do {
      const run = await optimize(into, cache);
      runs.push(run.ms);
      ({ code } = run);
    } while (code === 0 && !isFinished(join(folder, into)) && runs.length < mostRuns);
    return { runs, isWhole: code === 0 && isFinished(join(folder, into)) };
  };
  const wholes = [wholeMs];
  const parts = [];
  const codes = new Set();
  let isWhole = true;
  let more = 0;
  for (let round = 0; round < rounds; round++) {
    if (round > 0) {
      const whole = await untilFinished(`whole-${round}`, `whole-cache-${round}`);
      wholes.push(sum(whole.runs));
      isWhole &&= whole.isWhole;
    }
    const [into, cache] = [`resumed-${round}`, `other-cache-${round}`];
    const half = await optimize(into, cache, [], first.ms / 2);
    codes.add(half.code);
    const rest = await untilFinished(into, cache);
    parts.push(half.ms + sum(rest.runs));
    more = Math.max(more, rest.runs.length);
    isWhole &&= rest.isWhole;
  }
  const each = parts.map((ms, round) => ms / wholes[round]).map((ratio) => ratio.toFixed(2));
  const ratio = sum(parts) / sum(wholes);
  claim(`${name}: interrupted after half and resumed until finished, of the time without`, {
    value: ratio,
    bound: "<= 1.15",
    n: rounds,
    met: isWhole && ratio <= 1.15,
    note: `the interrupted one exits with ${[...codes].join(", ")}, and ${more} more ${isWhole ? "" : "have not "}finished it; by round ${each.join(", ")}`,
  });
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

/** Whether there was nothing left that only time would have allowed. */
function isFinished(bundle) {
  return !reportOf(bundle).candidates.some(({ reason }) =>
    /^not tried: (it takes|what was planned)/.test(reason),
  );
}

/** The choice of a search that nothing limits, kept beside the numbers; made where there is none yet. */
async function exhaustiveLock(root, name, folder, optimize) {
  const path = join(root, `docs/measured/house/exhaustive/${name}.lock.json`);
  if (!existsSync(path) || process.env.PARE_EXHAUSTIVE === "1") {
    console.error(`${name}: searching without limit`);
    const { code, stderr } = await optimize("everything", "no-cache", [
      "--time-budget",
      exhaustive,
      "--no-cache",
    ]);
    if (code !== 0) throw new Error(`the exhaustive search failed: ${stderr.slice(-400)}`);
    mkdirSync(join(root, "docs/measured/house/exhaustive"), { recursive: true });
    copyFileSync(join(folder, "everything/pare.lock.json"), path);
    copyFileSync(join(folder, "everything/report.json"), path.replace("lock.json", "report.json"));
  }
  return { path, ...json(path) };
}

async function optimizeAsLocked(root, args, lock, into) {
  const [model, ...rest] = args;
  const at = rest.indexOf("--data");
  const options = rest.filter((_, index) => index !== at && index !== at + 1);
  const { code, stderr } = await pareOptimize(
    root,
    [model, ...options, "--frozen", lock, "-o", into],
    {},
  );
  if (code !== 0)
    throw new Error(`the exhaustive choice cannot be made again: ${stderr.slice(-400)}`);
}

/** Latency in the same blocks; where neither is faster, the download. */
async function compareChoices(claim, root, name, args, found, best) {
  for (const target of targets) {
    const variant = (bundle) => manifestOf(bundle).variants.find((one) => one.target === target);
    const [mine, theirs] = [variant(found), variant(best)];
    const fileOf = (bundle, one) => join(bundle, one.files[0].path);
    const same = mine.files[0].sha256 === theirs.files[0].sha256;
    const note = `${mine.id} next to ${theirs.id}`;
    const { ratio, interval } = same
      ? { ratio: 1, interval: [1, 1] }
      : await headToHead(root, target, dataOf(args), fileOf(best, theirs), fileOf(found, mine));
    claim(`${name}, ${target}: latency over that of the exhaustive plan's choice`, {
      value: ratio,
      bound: "upper bound <= 1.05",
      interval,
      met: interval[1] <= 1.05,
      note,
    });
    if (interval[0] > 1 || interval[1] < 1) continue;
    const size = brotliOf(found, mine) / brotliOf(best, theirs);
    claim(`${name}, ${target}: as fast; its download over the other's`, {
      value: size,
      bound: "<= 1.05",
      met: size <= 1.05,
      note,
    });
  }
}

const dataOf = (args) => args[args.indexOf("--data") + 1];

function brotliOf(bundle, { target }) {
  return json(join(bundle, "pare.lock.json")).targets.find((one) => one.target === target).sizeBytes
    .brotli;
}

/** The command, with a cache of its own; interrupted as Ctrl-C does after a while where that is asked for. */
function pareOptimize(root, args, { cache, interruptAfterMs = null }) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, [join(root, "cli/bin/pare.js"), "optimize", ...args], {
      cwd: root,
      env: { ...process.env, ...(cache !== undefined && { XDG_CACHE_HOME: cache }) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const timer =
      interruptAfterMs === null ? null : setTimeout(() => child.kill("SIGINT"), interruptAfterMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (timer !== null) clearTimeout(timer);
      resolve({ code: code ?? signal, stderr, ms: performance.now() - began });
    });
  });
}

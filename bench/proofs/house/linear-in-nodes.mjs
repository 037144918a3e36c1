// What does a model cost that is long and has little in it? Chains of small nodes, each kind with other work for the
// editor and the rules: rounds over kinds and sizes take turns in one warm process, and the largest is opened in fresh ones.
import { fileURLToPath } from "node:url";
import { run } from "../shell.mjs";
import { kinds } from "./support/chains.mjs";

const timer = fileURLToPath(new URL("support/time-chains.mjs", import.meta.url));
const sizes = [2500, 5000, 10_000, 20_000];
const largest = 20_000;
const phases = ["open", "normalize", "simplify", "write"];
const bounded = ["open", "normalize", "simplify"];
const rounds = 3;
const freshRuns = 3;
/** Of Student's t with rounds × sizes − 2 degrees of freedom. */
const quantile = 2.228;

export async function prove({ claim }) {
  const all = await times("--expose-gc", timer, String(rounds + 1), sizes.join());
  // The first round compiles.
  const warm = all.filter(({ round }) => round > 0);
  for (const phase of phases) {
    const points = byRound(warm, [phase]);
    claimExponent(claim, `${phase}, all kinds`, points, table(warm, [phase]));
  }
  for (const kind of Object.keys(kinds)) {
    const own = warm.filter((time) => time.kind === kind);
    claimExponent(
      claim,
      `${kind}, opened, normalized and simplified`,
      byRound(own, bounded),
      table(own, phases),
    );
  }
  for (const kind of Object.keys(kinds)) {
    const fresh = [];
    for (let at = 0; at < freshRuns; at += 1)
      fresh.push(...(await times(timer, "1", String(largest), kind)));
    const seconds = fresh.map((time) => total(time, bounded));
    claim(`${kind}, ${largest} nodes in a fresh process, seconds`, {
      value: median(seconds),
      bound: "<= 3",
      n: freshRuns,
      interval: [Math.min(...seconds), Math.max(...seconds)],
      met: median(seconds) <= 3,
      note: phases
        .map((phase) => `${phase} ${show(median(fresh.map((time) => time[phase])))}`)
        .join(", "),
    });
  }
}

async function times(...args) {
  const { code, stdout, stderr } = await run(process.execPath, args);
  if (code !== 0) throw new Error(`The chains could not be timed: ${stderr.slice(-500)}`);
  return JSON.parse(stdout);
}

function claimExponent(claim, name, points, note) {
  const { slope, error } = fit(points);
  const interval = [slope - quantile * error, slope + quantile * error];
  claim(`${name}: exponent of nodes`, {
    value: slope,
    bound: "upper bound <= 1.15",
    n: points.length,
    interval,
    met: interval[1] <= 1.15,
    note,
  });
}

const total = (time, of) => of.reduce((sum, phase) => sum + time[phase], 0);

/** Seconds of all given kinds together, by round and size. */
function byRound(given, of) {
  const sums = new Map();
  for (const time of given) {
    const key = `${time.round} ${time.size}`;
    const known = sums.get(key) ?? { size: time.size, seconds: 0 };
    sums.set(key, { ...known, seconds: known.seconds + total(time, of) });
  }
  return [...sums.values()];
}

/** Least squares in logarithms: seconds ~ nodes ^ slope. */
function fit(points) {
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map(({ seconds }) => Math.log(seconds));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middle, level] = [mean(x), mean(y)];
  const spread = x.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const slope = x.reduce((sum, value, at) => sum + (value - middle) * (y[at] - level), 0) / spread;
  const rest = x.reduce(
    (sum, value, at) => sum + (y[at] - level - slope * (value - middle)) ** 2,
    0,
  );
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) };
}

/** Medians over rounds, by phase and size. */
function table(given, of) {
  return of
    .map((phase) => {
      const medians = sizes.map((size) =>
        median(
          byRound(given, [phase])
            .filter((point) => point.size === size)
            .map(({ seconds }) => seconds),
        ),
      );
      return `${phase} ${medians.map(show).join(" / ")} s`;
    })
    .join(", ")
    .concat(` at ${sizes.join(" / ")} nodes`);
}

const show = (seconds) => seconds.toFixed(3);

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

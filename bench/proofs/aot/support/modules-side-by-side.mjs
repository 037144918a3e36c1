// Modules of one model next to one another.
import { brotliCompressSync, constants } from "node:zlib";
import { bootstrapInterval } from "../../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../../bench/dist/statistics/quantile.js";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { modelPath } from "../../../../fixtures/scripts/assets.mjs";
import { fixedGraph, isModule } from "./compiled.mjs";

const blocks = 21;
/** Milliseconds of a block of runs, about. */
const blockMs = 40;

/** @param {(model: { name: string, path: string, graph: object }) => Promise<void>} proveOne of each that can be had here */
export async function ofEach(names, inform, proveOne) {
  for (const name of names) {
    const { path, reason } = await modelPath(name);
    if (path === null) inform(`${name} cannot be had here`, { value: reason });
    else await proveOne({ name, path, graph: await fixedGraph({ name, path }) });
  }
}

/** What is downloaded of a module, next to the module with floats. */
export function claimSmaller(claim, name, module, floats, most) {
  const [less, whole] = [module, floats].map(downloadOf);
  claim(`${name}: what is downloaded, of the module with floats`, {
    value: less / whole,
    bound: `≤ ${most}`,
    met: less / whole <= most,
    note: `${less} instead of ${whole} bytes after brotli`,
  });
}

/** How long it runs, next to the module with floats. */
export async function claimTime(claim, name, module, floats, feeds, most) {
  const { ratios, ms } = await timed(module, floats, feeds);
  const ratio = median(ratios);
  claim(`${name}: time of a run, of that of the module with floats`, {
    value: ratio,
    bound: `≤ ${most}`,
    n: blocks,
    interval: bootstrapInterval(ratios, median, { confidence: 0.95, resamples: 1000, seed: 1 }),
    met: ratio <= most,
    note: ms.map((one) => `${one.toPrecision(3)} ms`).join(" and "),
  });
}

/** One of two modules, its weights, after brotli. */
export function downloadOf({ files: [first, ...rest] }) {
  const relaxed = rest.find(isModule);
  const needed = [relaxed ?? first, ...rest.filter((file) => !isModule(file))];
  return needed.reduce((sum, { bytes }) => sum + brotliBytes(bytes), 0);
}

export function brotliBytes(bytes) {
  const quality = bytes.length > 4e6 ? 5 : 11;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  return brotliCompressSync(bytes, { params }).length;
}

export async function resultsOf(artifact, feeds) {
  const session = await aot().load(artifact);
  const results = await session.run(feeds);
  await session.dispose();
  return results;
}

/** Blocks of runs in turns. */
async function timed(one, other, feeds) {
  const sessions = [await aot().load(one), await aot().load(other)];
  const block = async (session, runs) => {
    const began = performance.now();
    for (let run = 0; run < runs; run += 1) session.runSync(feeds);
    return (performance.now() - began) / runs;
  };
  for (const session of sessions) await block(session, 3);
  const usual = await block(sessions[1], 5);
  const runs = Math.max(1, Math.round(blockMs / usual));
  const [ratios, first, second] = [[], [], []];
  for (let round = 0; round < blocks; round += 1) {
    const ms = [];
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) ms[at] = await block(sessions[at], runs);
    ratios.push(ms[0] / ms[1]);
    first.push(ms[0]);
    second.push(ms[1]);
  }
  for (const session of sessions) await session.dispose();
  return { ratios, ms: [median(first), median(second)] };
}

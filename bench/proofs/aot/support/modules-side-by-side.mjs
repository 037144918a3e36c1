// Modules of one model next to one another.
import { brotliCompressSync, constants } from "node:zlib";
import { median } from "../../../../bench/dist/statistics/quantile.js";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { isModule } from "./compiled.mjs";

export const blocks = 21;
/** Milliseconds of a block of runs, about. */
const blockMs = 40;

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
export async function timed(one, other, feeds) {
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

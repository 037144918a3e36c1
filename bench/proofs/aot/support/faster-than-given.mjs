import * as ort from "onnxruntime-web/wasm";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { ratioOf } from "./side-by-side.mjs";

const budgetMs = 4000;
const blocks = 15;
const runs = 20;

/**
 * What became of a model next to the model as it came: simplified, on onnxruntime-node; compiled, next to onnxruntime-web.
 * @param {{ what?: string, sessions: object[], given: Uint8Array, module: object, feeds: object, least: { cpu?: number, module: number } }} how
 *   sessions: of the model as it came, and simplified; nothing is claimed of what `least` leaves out
 */
export async function claimFaster(claim, { what = "", sessions, given, module, feeds, least }) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  if (least.cpu !== undefined) {
    const { ratio, note } = await ratioOnCpu(sessions[0], sessions[1], feeds);
    claim(`${what}how much faster onnxruntime-node runs it simplified`, {
      value: ratio,
      bound: `≥ ${least.cpu}`,
      n: blocks,
      met: ratio >= least.cpu,
      note,
    });
  }
  const timed = await ratioOf({ aot, ort, artifact: module, onnx: [given], feeds, budgetMs });
  claim(
    `${what}how much faster its module is than onnxruntime-web with the model as it came, Node ${process.versions.node}`,
    {
      value: timed.ratio,
      bound: `≥ ${least.module}`,
      n: timed.blocks,
      met: timed.ratio >= least.module,
      note: timed.medians.map(inMicroseconds).join(" and "),
    },
  );
}

/** Medians of blocks of runs, one session after the other. */
async function ratioOnCpu(before, after, feeds) {
  const times = [[], []];
  for (let block = -1; block < blocks; block += 1)
    for (const [at, session] of [before, after].entries()) {
      const start = performance.now();
      for (let run = 0; run < runs; run += 1) await session.run(feeds);
      if (block >= 0) times[at].push((performance.now() - start) / runs);
    }
  const [slow, fast] = times.map((all) => all.sort((x, y) => x - y)[blocks >> 1]);
  return { ratio: slow / fast, note: [slow, fast].map(inMicroseconds).join(" and ") };
}

const inMicroseconds = (ms) => `${(ms * 1000).toPrecision(3)} µs`;

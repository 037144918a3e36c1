// node --expose-gc time-chains.mjs <rounds> <sizes> [kind]: writes what each phase took as JSON. A process of its own,
// so that garbage is collected between what is timed, and so that a first run can be one in a fresh process.
import { encodeModel, findPass, importModel } from "../../../../compiler/dist/index.js";
import { byteSource } from "../../../../runtime/dist/format/index.js";
import { chain, kinds } from "./chains.mjs";

const [rounds, sizes, only] = process.argv.slice(2);
const models = [];
for (const kind of only === undefined ? Object.keys(kinds) : [only])
  for (const size of sizes.split(",").map(Number))
    models.push({ kind, size, bytes: await chain(kind, size) });

const times = [];
for (let round = 0; round < Number(rounds); round += 1)
  for (const { kind, size, bytes } of round % 2 === 0 ? models : models.toReversed())
    times.push({ kind, size, round, ...(await phases(bytes)) });
console.log(JSON.stringify(times));

/** Seconds by phase. */
async function phases(bytes) {
  globalThis.gc?.();
  const seconds = {};
  let since = performance.now();
  const lap = (phase) => {
    const now = performance.now();
    seconds[phase] = (now - since) / 1000;
    since = now;
  };
  const main = byteSource(bytes);
  const graph = await importModel({ name: "chain.onnx", main, beside: new Map() });
  lap("open");
  for (const name of ["normalize", "simplify"]) {
    const pass = findPass(name);
    await pass.create(pass.parse({})).run(graph, {});
    lap(name);
  }
  await encodeModel(graph);
  lap("write");
  return seconds;
}

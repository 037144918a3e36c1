// node time-beside-tensorflow.mjs <model.json> <backend> <milliseconds>: a module's time over that of TensorFlow.js, as JSON.
import { createRequire } from "node:module";
import { join } from "node:path";
import * as tensorflow from "@tensorflow/tfjs-core";
import { importModel } from "../../../../compiler/dist/index.js";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { openWithTensorflow } from "../../support/tensorflow-js/open-with-tensorflow.mjs";
import { apply, fixSizes, sourceOf } from "../../support/tensorflow-js/published-models.mjs";
import { asModule, inputsOf, noiseFor } from "./compiled.mjs";
import { relativeError } from "./relative-error.mjs";

const [path = "", backend = "", budgetMs = "1000"] = process.argv.slice(2);
const warm = 5;

const graph = await importModel(sourceOf(path));
await fixSizes(graph);
await apply(graph, "simplify");
const feeds = noiseFor(inputsOf(graph), 1, [0, 1]);
const session = await aot().load(await asModule(graph));

const { setWasmPaths } = createRequire(import.meta.url)(
  join(backend, "dist/tf-backend-wasm.node.js"),
);
setWasmPaths(`${join(backend, "dist")}/`);
await tensorflow.setBackend("wasm");
const model = await openWithTensorflow(path);

const [own, others] = [() => session.run(feeds), () => model.run(feeds)];
const error = relativeError(await others(), await own());
for (let round = 0; round < warm; round += 1) for (const one of [own, others]) await one();
const times = { own: [], others: [] };
const end = performance.now() + Number(budgetMs);
while (times.own.length < 11 || performance.now() < end) {
  times.own.push(await timed(own));
  times.others.push(await timed(others));
}
const simd = await tensorflow.env().getAsync("WASM_HAS_SIMD_SUPPORT");
console.log(JSON.stringify({ ...times, error, simd }));
// Its backend keeps the process alive.
process.exit(0);

async function timed(one) {
  const began = performance.now();
  await one();
  return performance.now() - began;
}

import { brotliCompressSync } from "node:zlib";
import * as ort from "onnxruntime-web/wasm";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, reasonsOf } from "./support/compiled.mjs";
import { engineBytes } from "./support/engine-bytes.mjs";
import { digitSamples, forestOf } from "./support/forest.mjs";
import { ratioOf } from "./support/side-by-side.mjs";

const forests = [10, 100];
const budgetMs = 4000;
/** The engine included, where the model's own bytes allow it. */
const leastDownload = 20;
const mostError = 1e-5;

// Forests of decision trees, as scikit-learn exports them, become modules that answer as onnxruntime does.
export async function prove({ claim, inform }) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const engine = engineBytes();
  inform("bytes of the engine after brotli", { value: engine });
  const { learned, kept } = await digitSamples();
  for (const trees of forests) {
    const name = `${trees} trees`;
    const { graph, nodes } = forestOf(learned, trees, 1);
    const reasons = await reasonsOf(graph);
    if (reasons.length > 0) {
      claim(`${name}: is compiled`, { value: reasons.join("; "), bound: "yes", n: 1, met: false });
      continue;
    }
    const [artifact, onnx] = [await asModule(graph), await asOnnx(graph)];
    await proveAgreement(claim, inform, name, { artifact, onnx, kept });
    const own = artifact.files.reduce(
      (sum, { bytes }) => sum + brotliCompressSync(bytes).length,
      0,
    );
    const other = brotliCompressSync(onnx.files[0].bytes).length;
    const ratio = (other + engine) / own;
    const said = { value: ratio, n: 1, note: `${own} bytes instead of ${other} and the engine; ${nodes} nodes` }; // prettier-ignore
    const what = `${name}: how much smaller the download is`;
    if (own * leastDownload < engine)
      claim(what, { ...said, bound: `≥ ${leastDownload}`, met: ratio >= leastDownload });
    else inform(what, said);
    const feeds = { pixels: { type: "float32", dims: [1, 784], data: kept[0].pixels } };
    const timed = await ratioOf({
      aot,
      ort,
      artifact,
      onnx: [onnx.files[0].bytes],
      feeds,
      budgetMs,
    });
    claim(`${name}: how much faster than onnxruntime-web, Node ${process.versions.node}`, {
      value: timed.ratio,
      bound: "≥ 1",
      n: timed.blocks,
      met: timed.ratio >= 1,
      note: `${timed.medians.map((ms) => `${(ms * 1000).toPrecision(3)} µs`).join(" and ")}`,
    });
  }
}

async function proveAgreement(claim, inform, name, { artifact, onnx, kept }) {
  const [module, engine] = [await aot().load(artifact), await cpu().load(onnx)];
  let [different, worst, right] = [0, 0, 0];
  for (const { label, pixels } of kept) {
    const feeds = { pixels: { type: "float32", dims: [1, 784], data: pixels } };
    const [own, other] = [await module.run(feeds), await engine.run(feeds)];
    if (own.label.data[0] !== other.label.data[0]) different += 1;
    if (Number(own.label.data[0]) === label) right += 1;
    for (const [at, score] of own.scores.data.entries())
      worst = Math.max(worst, Math.abs(score - other.scores.data[at]));
  }
  await module.dispose();
  await engine.dispose();
  inform(`${name}: digits that were told right`, { value: right / kept.length, n: kept.length });
  claim(`${name}: digits of which module and engine say different things`, {
    value: different,
    bound: "≤ 0",
    n: kept.length,
    met: different === 0,
  });
  claim(`${name}: the largest difference of a score`, {
    value: worst,
    bound: `≤ ${mostError}`,
    n: kept.length * 10,
    met: worst <= mostError,
  });
}

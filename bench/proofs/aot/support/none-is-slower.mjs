// Modules of models that nobody here chose, next to onnxruntime-web in the same process, one thread each.
import * as ort from "onnxruntime-web/wasm";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { asModule, asOnnx, reasonsOf } from "./compiled.mjs";
import { allowRelaxedSimd } from "./relaxed-simd.mjs";
import { ratioOf } from "./side-by-side.mjs";

allowRelaxedSimd({ baseline: false });

const budgetMs = 3000;
const shownLeast = 5;

/**
 * @param what they are, in the plural
 * @param models an async iterable of `{ name, graph, feeds }`; those that are not compiled are passed over
 */
export async function noneIsSlower({ claim, inform }, what, models) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const all = [];
  for await (const { name, graph, feeds } of models) {
    if ((await reasonsOf(graph)).length > 0) continue;
    const artifact = await asModule(graph);
    const { files: [onnx] } = await asOnnx(graph); // prettier-ignore
    const timed = await ratioOf({
      aot,
      ort,
      artifact,
      onnx: [onnx.bytes],
      feeds,
      budgetMs,
    }).catch((error) => error);
    if (timed instanceof Error) inform(`${name}: not timed`, { value: timed.message });
    else all.push({ name, ...timed });
  }
  all.sort((one, other) => one.ratio - other.ratio);
  for (const { name, ratio, blocks, medians } of all)
    inform(`${name}: how much faster than onnxruntime-web, Node ${process.versions.node}`, {
      value: ratio,
      n: blocks,
      note: medians.map((ms) => `${ms.toPrecision(3)} ms`).join(" and "),
    });
  const slower = all.filter(({ ratio }) => ratio < 1);
  claim(`${what} whose module is slower than onnxruntime-web`, {
    value: slower.length,
    bound: "≤ 0",
    n: all.length,
    met: slower.length === 0 && all.length > 0,
    note: `least: ${all.slice(0, shownLeast).map(({ name, ratio }) => `${name} ${ratio.toFixed(2)}`).join(", ")}`, // prettier-ignore
  });
  inform("geometric mean of how much faster", {
    value: Math.exp(all.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / all.length),
    n: all.length,
  });
}

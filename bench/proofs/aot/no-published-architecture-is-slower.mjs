// Architectures of timm, transformers and torchvision, with weights at random, as modules next to onnxruntime-web: nobody here
// chose their shapes, and no kernel was written for them.
import { join } from "node:path";
import * as ort from "onnxruntime-web/wasm";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { exported } from "../../peers/exported.mjs";
import { findPublished } from "../../peers/python.mjs";
import { scratch } from "../shell.mjs";
import {
  asModule,
  asOnnx,
  fixedGraph,
  inputsOf,
  noiseFor,
  reasonsOf,
} from "./support/compiled.mjs";
import { allowRelaxedSimd } from "./support/relaxed-simd.mjs";
import { ratioOf } from "./support/side-by-side.mjs";

allowRelaxedSimd({ baseline: false });

const budgetMs = 3000;
const shownLeast = 5;

export async function prove({ claim, inform }) {
  const python = await findPublished();
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const all = [];
  await scratch(async (folder) => {
    const files = (await exported(python, "published.py", folder)).filter(isOfFixedSizes);
    for (const { name, file } of oncePerArchitecture(files)) {
      const graph = await fixedGraph({ name, path: join(folder, file) });
      if ((await reasonsOf(graph)).length > 0) continue;
      const feeds = noiseFor(inputsOf(graph), 1);
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
  });
  all.sort((one, other) => one.ratio - other.ratio);
  for (const { name, ratio, blocks, medians } of all)
    inform(`${name}: how much faster than onnxruntime-web, Node ${process.versions.node}`, {
      value: ratio,
      n: blocks,
      note: medians.map((ms) => `${ms.toPrecision(3)} ms`).join(" and "),
    });
  const slower = all.filter(({ ratio }) => ratio < 1);
  claim("architectures whose module is slower than onnxruntime-web", {
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

function isOfFixedSizes({ name, file }) {
  return file !== undefined && !name.endsWith("free sizes");
}

/** As one of PyTorch's exporters writes it, tracing where it can. */
function oncePerArchitecture(files) {
  const byName = new Map();
  for (const file of files) {
    const [name, exporter] = file.name.split(", ");
    if (exporter === "tracing" || !byName.has(name)) byName.set(name, { ...file, name });
  }
  return byName.values();
}

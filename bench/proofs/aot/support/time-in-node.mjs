// node [--experimental-wasm-relaxed-simd] time-in-node.mjs <folder> <milliseconds>: prints what it timed, as JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-web/wasm";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { dtypeArray } from "../../../../runtime/dist/format/index.js";
import { ratioOf } from "./side-by-side.mjs";

const [folder = ".", budgetMs = "1000"] = process.argv.slice(2);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const facts = JSON.parse(readFileSync(join(folder, "facts.json"), "utf8"));
const bytesOf = (name) => new Uint8Array(readFileSync(join(folder, name)));
const { engine } = await aot().probe();
const timed = await ratioOf({
  aot,
  ort,
  artifact: {
    ...facts.artifact,
    files: facts.artifact.files.map((name) => ({ name, bytes: bytesOf(name) })),
  },
  onnx: facts.onnx.map(bytesOf),
  ...(facts.probe && { probe: bytesOf(facts.probe) }),
  feeds: Object.fromEntries(
    Object.entries(facts.feeds).map(([name, { file, type, dims }]) => [
      name,
      { type, dims, data: new dtypeArray[type](bytesOf(file).slice().buffer) },
    ]),
  ),
  budgetMs: Number(budgetMs),
});
console.log(JSON.stringify({ engine, ...timed }));

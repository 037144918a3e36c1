// Files that differ in how their weights are stored run the same once they are loaded. How far apart times of sessions of one
// file lie, and that a choice between such files is by size, whatever was timed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { asModule, asOnnx, fixedGraph, inputsOf, noiseFor } from "../aot/support/compiled.mjs";
import { pare, scratch } from "../shell.mjs";

const models = ["mnist-cnn", "latency/kws-dscnn", "latency/enc-64x128", "ocr-direction"];
const sessions = 8;
const blocks = 40;
/** Milliseconds of a block of a session. */
const blockMs = 5;
const repeats = 4;

export async function prove({ claim, inform, root }) {
  for (const name of models) {
    const { path } = await modelPath(name);
    const graph = await fixedGraph({ name, path });
    const feeds = noiseFor(inputsOf(graph), 1);
    const engine = await timesOf(cpu(), await asOnnx(graph, {}), feeds);
    const modules = await timesOf(aot(), await asModule(graph), feeds);
    for (const [what, times] of Object.entries({ "onnxruntime-node": engine, modules }))
      inform(`${name}: the slowest session of one file over the fastest, of ${what}`, {
        value: Math.max(...times) / Math.min(...times),
        n: sessions,
      });
  }
  for (const name of models) {
    const { path } = await modelPath(name);
    const chosen = new Map();
    for (let run = 0; run < repeats; run += 1)
      for (const [target, is] of await choicesOf(root, path))
        chosen.set(target, [...(chosen.get(target) ?? []), is]);
    for (const [target, all] of chosen) {
      const larger = all.filter(({ bytes, least }) => bytes > least);
      claim(`${name}, ${target}: choices of a file that a smaller one runs the same as`, {
        value: larger.length,
        bound: "≤ 0",
        n: all.length,
        met: larger.length === 0,
        note: [...new Set(all.map((one) => one.name))].join(", "),
      });
    }
  }
}

/** Median milliseconds of a run of each of several sessions, in turns. */
async function timesOf(backend, artifact, feeds) {
  const all = [];
  for (let at = 0; at < sessions; at += 1) all.push(await backend.load(artifact));
  const block = async (session, runs) => {
    const began = performance.now();
    for (let run = 0; run < runs; run += 1) await session.run(feeds);
    return (performance.now() - began) / runs;
  };
  for (const session of all) await block(session, 20);
  const runs = Math.max(1, Math.round(blockMs / (await block(all[0], 20))));
  const times = all.map(() => []);
  for (let at = 0; at < blocks; at += 1)
    for (const [index, session] of all.entries()) times[index].push(await block(session, runs));
  for (const session of all) await session.dispose();
  return times.map((own) => median(own));
}

/** Without data, so that files of weights alone are compared: what is chosen on each target, and the smallest of those. */
function choicesOf(root, path) {
  return scratch(async (folder) => {
    const bundle = join(folder, "bundle");
    const options = ["--target", "cpu,wasm,aot", "--time-budget", "60", "--no-cache", "--quiet"];
    const { code, stderr } = await pare(root, ["optimize", path, ...options, "-o", bundle]);
    if (code !== 0) throw new Error(stderr);
    const report = JSON.parse(readFileSync(join(bundle, "report.json"), "utf8"));
    return report.variants.map(({ target, name, sizeBytes }) => {
      const sizes = report.candidates
        .filter((one) => one.target === target && one.measurement?.sizeBytes != null)
        .map((one) => one.measurement.sizeBytes.brotli);
      const bytes = sizeBytes.brotli;
      return [target, { name, bytes, least: Math.min(bytes, ...sizes) }];
    });
  });
}

// The trainer of the command line, bundled into a page, trains on onnxruntime-web: the losses are Node's.
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { saidBy, writePage } from "../support/browsers/said-by.mjs";
import { scratch } from "../shell.mjs";
import { bytesOf, plain } from "./support/networks.mjs";
import { accuracyOf, splitsOf, taught } from "./support/teach.mjs";

const page = fileURLToPath(new URL("./support/training-page.js", import.meta.url));
const samplesOfADigit = 32;
const seed = 1;
const options = { epochs: 20, batch: 32, rate: 0.003 };
const steps = (options.epochs * samplesOfADigit * 10) / options.batch;
/** Kernels add in other orders, and each step goes on from the last. */
const tolerance = 0.01;

export async function prove({ claim, inform, root }) {
  const { training, test } = await splitsOf(
    pathToFileURL(join(root, "fixtures/data/mnist-training.mjs")).href,
  );
  const samples = Array.from({ length: 10 }, (_, digit) =>
    training.filter(({ label }) => label === digit).slice(0, samplesOfADigit),
  ).flat();
  const start = await bytesOf(plain([4, 8], seed));
  const inNode = await taught(start, { samples, seed, options });
  const losses = ({ history }) => history.map(({ loss }) => loss);
  const accuracies = new Map([["Node", accuracyOf(inNode.bytes, test)]]);
  await scratch(async (folder) => {
    await writeSite(folder, { start, samples });
    for await (const { where, error, ...inPage } of saidBy(folder, inform)) {
      const [node, page] = [losses(inNode), losses(inPage)];
      const worst = Math.max(...node.map((loss, at) => Math.abs(loss - page[at]) / loss));
      claim(`epochs' losses in ${where}, relative distance from those of Node's CPU engine`, {
        value: worst,
        bound: tolerance,
        n: node.length,
        met: page.length === options.epochs && node.length === page.length && worst <= tolerance,
        note: error ?? `${steps} steps on WebAssembly`,
      });
      claim(`loss in ${where}, last epoch over first`, {
        value: page.at(-1) / page[0],
        bound: 0.2,
        met: page.at(-1) <= 0.2 * page[0],
      });
      const bytes = new Uint8Array(Buffer.from(inPage.bytes, "base64"));
      accuracies.set(where, accuracyOf(bytes, test));
    }
  });
  for (const [where, accuracy] of accuracies)
    inform(`top-1 on the test digits of what was trained in ${where}`, {
      value: await accuracy,
      n: test.length,
    });
}

/** The page, the engine's own files below /ort/, and what is trained on what. */
async function writeSite(folder, { start, samples }) {
  await writePage(page, folder);
  const engine = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
  mkdirSync(join(folder, "ort"));
  for (const name of readdirSync(engine).filter((each) =>
    each.startsWith("ort-wasm-simd-threaded"),
  ))
    cpSync(join(engine, name), join(folder, "ort", name));
  writeFileSync(join(folder, "start.onnx"), start);
  const pixels = Float32Array.from(samples.flatMap(({ feeds }) => [...feeds.x.data]));
  writeFileSync(join(folder, "samples.f32"), new Uint8Array(pixels.buffer));
  const labels = samples.map(({ label }) => label);
  const training = { options, seed, labels, dims: [1, 1, 28, 28] };
  writeFileSync(join(folder, "training.json"), JSON.stringify(training));
}

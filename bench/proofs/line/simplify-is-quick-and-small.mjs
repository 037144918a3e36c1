import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decodeModel, encodeModel, findPass, inferNode } from "../../../compiler/dist/index.js";
import { byteSource } from "../../../runtime/dist/format/index.js";
import { run, scratch } from "../shell.mjs";

const models = [
  "ocr-direction",
  "ocr-recognition",
  "blazeface-front",
  "silero-vad-v5",
  "mnist-cnn",
];
const rounds = 5;
const version = "0.7.3";

// The peer is onnxsim's WebAssembly build, installed for the occasion. Both take bytes and give bytes, in one process;
// rounds take turns, and each model's figure is the median. The engine that the peer folds with is loaded before.
export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    const installed = await run(
      "npm",
      ["install", "--no-audit", "--no-fund", `onnxsim@${version}`],
      { cwd: folder },
    );
    if (installed.code !== 0)
      throw new Error(`onnxsim could not be installed: ${installed.stderr.slice(-300)}`);
    const { simplify: peer } = await import(
      pathToFileURL(join(folder, "node_modules/onnxsim/index.mjs")).href
    );
    const files = models.map((name) => ({
      name,
      bytes: new Uint8Array(readFileSync(join(root, `fixtures/models/${name}.onnx`))),
    }));
    await peer(files.at(-1).bytes);
    await own(files.at(-1).bytes);

    let ours = 0;
    let theirs = 0;
    for (const { name, bytes } of files) {
      const times = { own: [], peer: [] };
      let mine;
      let others;
      for (let round = 0; round < rounds; round += 1) {
        const order = round % 2 === 0 ? ["own", "peer"] : ["peer", "own"];
        for (const which of order) {
          const started = performance.now();
          try {
            if (which === "own") mine = await own(bytes);
            else others = (await peer(bytes)).model;
          } catch (error) {
            if (which === "own") throw error;
            others = null;
          }
          times[which].push(performance.now() - started);
        }
      }
      ours += median(times.own);
      theirs += median(times.peer);
      claim(`${name}: bytes`, {
        value: mine.length,
        bound: `<= ${bytes.length}`,
        met: mine.length <= bytes.length,
        note: `onnxsim ${others === null ? "failed" : others.length}; ${Math.round(median(times.own))} ms against ${Math.round(median(times.peer))} ms`,
      });
    }
    claim("seconds for all, over onnxsim's", {
      value: ours / theirs,
      bound: "<= 0.25",
      n: rounds,
      met: ours / theirs <= 0.25,
      note: `${(ours / 1000).toFixed(2)} s against ${(theirs / 1000).toFixed(2)} s`,
    });
  });
}

async function own(bytes) {
  const graph = await decodeModel(
    { proto: byteSource(bytes), external: new Map() },
    { infer: inferNode },
  );
  for (const name of ["normalize", "simplify"]) {
    const definition = findPass(name);
    await definition.create(definition.parse({})).run(graph, {});
  }
  return (await encodeModel(graph)).proto;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

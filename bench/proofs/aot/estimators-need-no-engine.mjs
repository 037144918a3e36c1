// What scikit-learn learns, as skl2onnx writes it for samples in float32 and in float64, becomes modules that say what
// scikit-learn says, at least as often as onnxruntime does with the same files.
import { brotliCompressSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findPass, importModel } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { byteSource, onnxArtifact } from "../../../runtime/dist/format/index.js";
import { findSklearn } from "../../peers/python.mjs";
import { run, scratch } from "../shell.mjs";
import { asModule, reasonsOf } from "./support/compiled.mjs";

const leastShare = 0.95;
/** A number is another one beyond this, of itself and one. */
const tolerance = 1e-3;

export async function prove({ claim, inform, root }) {
  const python = await findSklearn();
  const tally = {
    files: 0,
    refused: [],
    uncompiled: [],
    samples: 0,
    module: 0,
    engine: 0,
    bytes: [],
  };
  const different = [];
  await scratch(async (folder) => {
    const script = join(root, "bench/peers/estimators.py");
    const { code, stderr } = await run(python, [script, folder]);
    if (code !== 0) throw new Error(stderr.slice(-500));
    for (const entry of JSON.parse(readFileSync(join(folder, "estimators.json"), "utf8"))) {
      const name = `${entry.name}, ${entry.dtype}`;
      if (entry.file === undefined)
        inform(`${name}: skl2onnx does not write it`, { value: entry.error });
      else await proveOne(name, entry, new Uint8Array(readFileSync(join(folder, entry.file))));
    }
  });
  const share = 1 - tally.uncompiled.length / tally.files;
  claim("share of files that are compiled", {
    value: share,
    bound: `≥ ${leastShare}`,
    n: tally.files,
    met: share >= leastShare,
    ...(tally.uncompiled.length > 0 && { note: `not ${tally.uncompiled.join("; ")}` }),
  });
  claim("samples of which a module says otherwise than scikit-learn", {
    value: tally.module,
    bound: `≤ ${tally.engine}, as many as of which onnxruntime does`,
    n: tally.samples,
    met: tally.module <= tally.engine && tally.samples > 0,
    ...(different.length > 0 && { note: different.join("; ") }),
  });
  inform("files that onnxruntime refuses as they are written", {
    value: tally.refused.length,
    ...(tally.refused.length > 0 && { note: tally.refused.join("; ") }),
  });
  const sizes = tally.bytes.sort((a, b) => a - b);
  inform("bytes of a module after brotli, in the middle", {
    value: sizes[sizes.length >> 1],
    note: `${sizes[0]} to ${sizes.at(-1)}`,
  });

  async function proveOne(name, { kind, samples, said }, bytes) {
    tally.files += 1;
    const graph = await importModel({ name, main: byteSource(bytes), beside: new Map() });
    const [input] = graph.main.inputs.map((id) => graph.value(id));
    const dims = [1, samples[0].length];
    const bind = findPass("bind-shapes");
    await bind.create(bind.parse({ shapes: { [input.name]: dims } })).run(graph, {});
    const reasons = await reasonsOf(graph);
    if (reasons.length > 0) {
      tally.uncompiled.push(`${name}: ${reasons.join(", ")}`);
      return;
    }
    const artifact = await asModule(graph);
    tally.bytes.push(
      artifact.files.reduce((sum, { bytes: own }) => sum + brotliCompressSync(own).length, 0),
    );
    const isOther = kind === "label" ? (a, b) => a !== b : isApart;
    const count = async (backend, what) => {
      const session = await backend.load(what);
      let others = 0;
      try {
        for (const [at, sample] of samples.entries()) {
          const feeds = { [input.name]: tensorOf(input.type.dtype, dims, sample) };
          const outputs = await session.run(feeds);
          const { data } = outputs[session.outputs[0].name];
          if (isOther(Number(data[0]), said[at])) others += 1;
        }
      } finally {
        await session.dispose();
      }
      return others;
    };
    let engine;
    try {
      engine = await count(cpu(), onnxArtifact(bytes));
    } catch (error) {
      tally.refused.push(`${name}: ${error.message.split("\n")[0].slice(0, 160)}`);
    }
    const own = await count(aot(), artifact);
    if (engine === undefined) {
      inform(`${name}: samples of which the module says otherwise, without the engine`, {
        value: own,
        n: samples.length,
      });
      return;
    }
    tally.samples += samples.length;
    tally.module += own;
    tally.engine += engine;
    if (own !== engine) different.push(`${name}: ${own}, onnxruntime ${engine}`);
  }
}

function isApart(value, expected) {
  return !(Math.abs(value - expected) <= tolerance * (1 + Math.abs(expected)));
}

function tensorOf(type, dims, sample) {
  return { type, dims, data: (type === "float64" ? Float64Array : Float32Array).from(sample) };
}

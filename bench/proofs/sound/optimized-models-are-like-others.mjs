// A model that onnxruntime optimized and saved, by a session or by its Python tool for transformers, is full of operators that only
// onnxruntime has. It is simplified, counted and compiled as the model that it was made from.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { openHosts } from "../../../bench/dist/index.js";
import { countMacs, decodeModel, inferNode } from "../../../compiler/dist/index.js";
import { byteSource } from "../../../runtime/dist/format/index.js";
import { findPython } from "../../peers/python.mjs";
import { asModule, asOnnx, fixedGraph, reasonsOf } from "../aot/support/compiled.mjs";
import { knownModels } from "../known-models.mjs";
import { compareOutputs } from "../same-outputs.mjs";
import { run, scratch } from "../shell.mjs";

/** Of the largest number in an output: a normalization of its own adds in another order. */
const tolerance = 1e-4;
/** Of the module from the model as it was: an attention whose operands lay side by side stays so. */
const mostBytes = 1.02;
/** Of a quantizer: they compute what they say, in bytes. */
const ofIntegers = /^(Q(Linear|Gemm|Attention|Embed)|DynamicQuantize|MatMul(Integer|NBits))/;
const own = "com.microsoft";

export async function prove({ claim, inform, root }) {
  const python = await findPython();
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const reason of missing) inform("a model that cannot be had here", { value: reason });
    const { hosts, dispose } = await openHosts(["cpu"]);
    const found = new Map();
    let plain = 0;
    try {
      for (const [index, model] of models.entries())
        for (const { by, path } of await optimized(model, join(folder, `${index}`))) {
          const graph = await fixedGraph({ name: model.name, path }).catch(() => null);
          const before = await fixedGraph(model).catch(() => null);
          const operators = await operatorsOf(path);
          if (graph === null || before === null || operators.length === 0) {
            plain += 1;
            continue;
          }
          for (const op of operators) found.set(op, (found.get(op) ?? 0) + 1);
          await proveOne(`${model.name}, ${by}`, { model, path, graph, before });
        }
    } finally {
      await dispose();
    }
    inform("files without such operators, or whose sizes cannot be fixed", { value: plain });
    inform("files with each such operator", {
      value: [...found].map(([op, files]) => `${op} ${files}`).join(", "),
    });

    async function proveOne(name, { model, path, graph, before }) {
      const left = ownOperators(graph).filter((op) => op !== "Attention");
      claim(`${name}: operators that only onnxruntime has, simplified`, {
        value: left.length,
        bound: "≤ 0",
        n: 1,
        met: left.length === 0,
        ...(left.length > 0 && { note: [...new Set(left)].join(", ") }),
      });
      const [macs, asBefore] = [countMacs(graph), countMacs(before)];
      claim(`${name}: multiplications counted, of those of the model as it was`, {
        value: macs === asBefore ? 1 : (macs ?? Number.NaN) / (asBefore ?? Number.NaN),
        bound: "= 1",
        n: 1,
        met: macs === asBefore,
      });
      const host = hosts.get("cpu");
      const { files } = await asOnnx(graph);
      const ran = await compareOutputs(host, bytesOf(path), files[0].bytes).catch(() => null);
      const apart = ran ?? (await compareFixed(host, before, graph));
      claim(`${name}: outputs on onnxruntime, of the largest`, {
        value: apart.worst,
        bound: `≤ ${tolerance}`,
        n: apart.runs,
        met: apart.worst <= tolerance && apart.elements > 0,
        note: `${apart.elements} numbers`,
      });
      const reasons = await reasonsOf(before);
      if (reasons.length > 0)
        return inform(`${model.name}: not compiled as it was`, { value: reasons.join("; ") });
      const why = await reasonsOf(graph);
      if (why.length > 0)
        return claim(`${name}: compiled`, {
          value: why.join("; "),
          bound: "yes",
          n: 1,
          met: false,
        });
      const [size, was] = [await moduleBytes(graph), await moduleBytes(before)];
      claim(`${name}: bytes of its module, of those from the model as it was`, {
        value: size / was,
        bound: `≤ ${mostBytes}`,
        n: 1,
        met: size / was <= mostBytes,
        note: `${size} and ${was}`,
      });
    }
  });

  /** What a session saves, and what the tool makes where it finds something to fuse. */
  async function optimized({ path }, stem) {
    const made = [];
    const saved = `${stem}.saved.onnx`;
    const session = await InferenceSession.create(path, {
      graphOptimizationLevel: "extended",
      optimizedModelFilePath: saved,
      logSeverityLevel: 4,
    }).catch(() => null);
    if (session !== null) {
      await session.release();
      made.push({ by: "saved by a session", path: saved });
    }
    const fused = `${stem}.fused.onnx`;
    const { code } = await run(python, [join(root, "bench/peers/fuse.py"), path, fused]);
    if (code === 0) made.push({ by: "made by the tool for transformers", path: fused });
    return made;
  }
}

/** Of a file, as it is. */
async function operatorsOf(path) {
  const graph = await decodeModel(
    { proto: byteSource(bytesOf(path)), external: new Map() },
    { infer: inferNode },
  );
  return [...new Set(ownOperators(graph))];
}

function ownOperators(graph) {
  return [...graph.allNodes()]
    .filter(({ domain, op }) => domain === own && !ofIntegers.test(op))
    .map(({ op }) => op);
}

async function compareFixed(host, before, after) {
  const [given, made] = [await asOnnx(before), await asOnnx(after)];
  return compareOutputs(host, given.files[0].bytes, made.files[0].bytes);
}

function bytesOf(path) {
  return new Uint8Array(readFileSync(path));
}

async function moduleBytes(graph) {
  const { files } = await asModule(graph);
  return files.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

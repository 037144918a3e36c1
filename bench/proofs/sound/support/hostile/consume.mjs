// What Pare does with a stranger's file, by the code that its commands and the runtime run, in this process.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { encodeModel, findPass, importModel } from "../../../../../compiler/dist/compiler.js";
import { loadBudgets } from "../../../../../cli/dist/config/budgets.js";
import { loadRecipe } from "../../../../../cli/dist/config/recipe.js";
import { DiskCache } from "../../../../../cli/dist/cache/disk-cache.js";
import { openData } from "../../../../../cli/dist/data/open-data.js";
import { describeInterface } from "../../../../../cli/dist/platform/open-model.js";
import { dataModule } from "../../../../../cli/dist/verbs/data/data-template.js";
import { runInspect } from "../../../../../cli/dist/verbs/inspect/run.js";
import { runOptimize } from "../../../../../cli/dist/verbs/optimize/run.js";
import { openModel } from "../../../../../cli/dist/workbench/opened-model.js";
import { wasm } from "../../../../../runtime/dist/backends/ort-web.js";
import { load } from "../../../../../runtime/dist/index.js";
import { answersOf } from "./compiled.mjs";

const { parse } = createRequire(new URL("../../../../../cli/package.json", import.meta.url))(
  "acorn",
);

const unbound = { shapes: {}, dims: {}, constants: {} };
/** What a model is asked to become, one after another, each from the simplified one. */
const conversions = [
  ["quantize-weights", {}],
  ["quantize-dynamic", {}],
  ["fp16", {}],
  ["fp16-weights", {}],
  ["lower-opset", { to: 13 }],
];

/**
 * @returns the bytes of what was made of a model, else null
 * @throws PareError where it is refused; anything else is a finding
 */
export async function consume({ kind, path }, others, folder) {
  switch (kind) {
    case "model":
      return consumeModel(path, folder);
    case "manifest":
    case "golden": {
      await runInspect(path, {}, silent());
      const model = await load(path, { backends: [wasm({ threads: 1 })] });
      await model.dispose();
      return null;
    }
    case "report":
      await runInspect(path, { why: true }, silent());
      return null;
    case "lock":
      await runOptimize(
        join(others, "mnist.onnx"),
        {
          recipe: "auto",
          prefer: "latency",
          cache: false,
          frozen: path,
          seed: 0,
          output: join(folder, "out"),
        },
        silent(),
      );
      return null;
    case "cache": {
      const notes = [];
      const options = { folder: path, mostBytes: 2 ** 24, identity: "hostile" };
      const cache = new DiskCache({ ...options, onNote: (line) => notes.push(line) });
      const [name] = readdirSync(join(others, "cache")).filter((one) => /^[0-9a-f]{64}$/.test(one));
      const found = await cache.get({ hash: "seed" });
      if (
        found !== undefined &&
        !readFileSync(join(others, "cache", name))
          .subarray(84)
          .equals(found)
      )
        throw new Error("The cache gave something else than what was kept.");
      return null;
    }
    case "recipe":
      await loadRecipe(path);
      return null;
    case "budgets": {
      const budgets = await loadBudgets(join(folder, "mnist.onnx"), "mnist", {});
      budgets("cpu");
      budgets(null);
      return null;
    }
    case "array":
    case "image": {
      const size = kind === "image" ? [1, 3, 32, 32] : [1, 1, 28, 28];
      const manifest = JSON.parse(readFileSync(join(others, "bundle/manifest.json"), "utf8"));
      const inputs = [{ name: manifest.inputs[0].name, type: "float32", dims: size }];
      const data = await openData(path, {
        inputs,
        seed: 1,
        ...(kind === "image" && { preprocess: "imagenet" }),
      });
      try {
        for (let index = 0; index < Math.min(3, data.samples.size); index += 1)
          await data.samples.sample(index);
      } finally {
        await data.dispose();
      }
      return null;
    }
    default:
      throw new Error(`No kind ${kind}.`);
  }
}

async function consumeModel(path, folder) {
  const model = await openModel(path, unbound);
  try {
    await runInspect(path, {}, silent());
    const { inputs, outputs } = await describeInterface(model.graph);
    checkTemplate(path, inputs, outputs);
    await pass(model.graph, "simplify", {});
    const { proto } = await encodeModel(model.graph);
    await importModel({ name: "again.onnx", main: memory(proto), beside: new Map() });
    const { changes } = model.graph;
    for (const [name, options] of conversions) {
      const graph = model.graph.fork();
      try {
        await pass(graph, name, options);
        await encodeModel(graph);
      } catch (error) {
        // Each may refuse a model for reasons of its own; what is no such reason is a finding.
        if (isFinding(error)) throw error;
      }
    }
    if (model.graph.changes !== changes) throw new Error("A fork changed what it was forked from.");
    const answers = await answersOf(model.graph);
    if (model.graph.changes !== changes) throw new Error("Compiling changed a graph.");
    return { folder, bytes: proto, answers };
  } finally {
    model.close();
  }
}

async function pass(graph, name, options) {
  const found = findPass(name);
  await found.create(found.parse(options)).run(graph, {});
}

/** Names of a model's inputs must stay names in the module that is written for its user. */
function checkTemplate(path, inputs, outputs) {
  const plain = [...inputs, ...outputs].every(({ dims }) => dims !== null);
  if (!plain) return;
  const { body } = parse(dataModule(path, inputs, outputs), {
    ecmaVersion: "latest",
    sourceType: "module",
  });
  if (body.length !== 1 || body[0].type !== "ExportNamedDeclaration")
    throw new Error("The data module holds more than its samples.");
}

/** Codes that say that Pare is wrong, and not the file. */
export const isFinding = (error) =>
  error?.name !== "PareError" || ["INTERNAL", "PASS_FAILED"].includes(error.code);

const memory = (bytes) => ({
  size: bytes.length,
  read: async (offset, length) => bytes.slice(offset, offset + length),
});

function silent() {
  const output = {
    verbose: false,
    result() {},
    note() {},
    detail() {},
    progress() {},
    settle() {},
  };
  return { signal: new AbortController().signal, typed: "pare", exit() {}, output: () => output };
}

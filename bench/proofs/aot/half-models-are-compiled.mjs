// A model in float16, as onnxruntime's converter makes it, becomes the module that the float model becomes, with weights that
// are stored as they are in the file: half as large, but where batch norms were folded into them. It gives what onnxruntime gives
// for the same file, which rounds each result. With inputs and outputs in float16, and without.
import { join } from "node:path";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { floatsToHalves, halvesToFloats } from "../../../runtime/dist/format/index.js";
import { findPython } from "../../peers/python.mjs";
import { knownModels } from "../known-models.mjs";
import { run, scratch } from "../shell.mjs";
import {
  asModule,
  fixedGraph,
  inputsOf,
  isFloatModel,
  noiseFor,
  outputsOfEngine,
  rangeOf,
  reasonsOf,
} from "./support/compiled.mjs";

/** What results lose that an engine rounds to eleven bits, layer by layer, as root mean squares. */
const mostApart = 0.02;
const most = { bytes: 1.01, median: 0.6 };
/** As root mean square: smaller ones, of a detector that sees nothing, have no digits left. */
const leastNumber = 0.01;

export async function prove({ claim, inform, root }) {
  const python = await findPython();
  const shares = [];
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const reason of missing) inform("a model that cannot be had here", { value: reason });
    let others = 0;
    for (const [index, model] of models.entries()) {
      const graph = await fixedGraph(model).catch(() => null);
      if (graph === null || !isFloatModel(graph) || (await reasonsOf(graph)).length > 0) {
        others += 1;
        continue;
      }
      for (const keeps of [true, false]) {
        const path = join(folder, `${index}-${keeps}.onnx`);
        const options = keeps ? ["--keep-io"] : [];
        const script = join(root, "bench/peers/half.py");
        const { code } = await run(python, [script, model.path, path, ...options]);
        const half =
          code === 0 ? await fixedGraph({ name: model.name, path }).catch(() => null) : null;
        if (half === null) inform(`${model.name}: not made by the converter`, { value: 1 });
        else
          await proveOne(`${model.name}, ${keeps ? "inside" : "whole"}`, {
            name: model.name,
            graph,
            half,
          });
      }
    }
    claim("bytes of modules, of the float models', their median", {
      value: median(shares),
      bound: `≤ ${most.median}`,
      n: shares.length,
      met: median(shares) <= most.median,
    });
    inform("models that are no floats, or are not compiled", { value: others });
  });

  async function proveOne(name, { name: model, graph, half }) {
    const why = await reasonsOf(half);
    if (why.length > 0)
      return claim(`${name}: compiled`, { value: why.join("; "), bound: "yes", n: 1, met: false });
    const [whole, made] = [await asModule(graph), await asModule(half)];
    const [size, was] = [made, whole].map(bytesOf);
    shares.push(size / was);
    claim(`${name}: bytes of its module, of the float model's`, {
      value: size / was,
      bound: `≤ ${most.bytes}`,
      n: 1,
      met: size / was <= most.bytes,
      note: `${size} and ${was}`,
    });
    const session = await aot().load(made);
    const feeds = typed(noiseFor(inputsOf(graph), 3, rangeOf(model)), session.inputs);
    const found = await session.run(feeds);
    await session.dispose();
    const { apart, numbers } = difference(await outputsOfEngine(half, feeds), found);
    // What is chosen by comparing is another number as soon as one of two is rounded otherwise.
    const chooses = [...half.allNodes()].some(({ op }) => op === "NonMaxSuppression");
    const say = chooses ? inform : claim;
    say(`${name}: what it gives, next to onnxruntime with the same file`, {
      value: apart,
      bound: `≤ ${mostApart}`,
      n: 1,
      met: apart <= mostApart && numbers > 0,
      note: `${numbers} numbers, root mean squares`,
    });
  }
}

const bytesOf = ({ files }) => files.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** Floats as halves where these are asked for. */
function typed(feeds, inputs) {
  const named = inputs.map(({ name, type }) => {
    const feed = feeds[name];
    return [name, type === "float16" ? { ...feed, type, data: floatsToHalves(feed.data) } : feed];
  });
  return Object.fromEntries(named);
}

/** Of floats; which is the largest, and so an index, may change by any rounding. */
function difference(expected, found) {
  let [apart, whole, numbers] = [0, 0, 0];
  for (const [name, { type, data }] of Object.entries(expected)) {
    if (type !== "float32" && type !== "float16") continue;
    const [before, after] = [data, found[name].data].map((each) =>
      each instanceof Uint16Array ? halvesToFloats(each) : each,
    );
    for (const [at, value] of before.entries()) {
      apart += (value - after[at]) ** 2;
      whole += value ** 2;
      numbers += 1;
    }
  }
  const scale = Math.max(Math.sqrt(whole / numbers), leastNumber);
  return { apart: Math.sqrt(apart / numbers) / scale, numbers };
}

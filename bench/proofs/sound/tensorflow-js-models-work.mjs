// Published models of TensorFlow.js: Pare reads each, simplifies and compiles it, and it answers as TensorFlow.js does.
import { basename, join } from "node:path";
import { importModel } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { isPareError } from "../../../runtime/dist/format/index.js";
import {
  asModule,
  inputsOf,
  noiseFor,
  outputsOfEngine,
  reasonsOf,
} from "../aot/support/compiled.mjs";
import { relativeError } from "../aot/support/relative-error.mjs";
import { pare, scratch } from "../shell.mjs";
import { openWithTensorflow } from "../support/tensorflow-js/open-with-tensorflow.mjs";
import {
  apply,
  fixSizes,
  publishedModels,
  sourceOf,
} from "../support/tensorflow-js/published-models.mjs";

/** Of the largest number in an output. */
const tolerance = 1e-4;
/**
 * Some answer otherwise where their inputs are rounded otherwise, by so much of each number. Who rounds otherwise in every layer
 * is held to so many times that.
 */
const [rounding, overRounding] = [2e-7, 8];
/** Loops and branches are not read; what is refused names its operators. */
const leastRead = 0.9;
const optimized = "blazeface-front.json";

export async function prove({ claim, inform, root }) {
  const refused = [];
  const nameless = [];
  const apart = { read: [], simplified: [], compiled: [] };
  let [files, read, modules] = [0, 0, 0];
  let [before, after] = [0, 0];
  await scratch(async (folder) => {
    const { paths, missing } = await publishedModels(folder);
    for (const reason of missing) inform("a package that cannot be had here", { value: reason });
    for (const path of paths) await proveOne(path);
    const blazeface = paths.find((path) => basename(path) === optimized);
    if (blazeface !== undefined) await optimize(blazeface, folder);
  });
  claim("share of published models that are read", {
    value: files === 0 ? 0 : read / files,
    bound: `≥ ${leastRead}`,
    n: files,
    met: files > 0 && read / files >= leastRead,
    ...(refused.length > 0 && { note: `not ${refused.join("; ")}` }),
  });
  none("models that are refused, and not told what for", nameless, files);
  none("models that are read, and answer otherwise than TensorFlow.js", apart.read, read);
  none("models that are simplified, and answer otherwise", apart.simplified, read);
  none("modules that answer otherwise", apart.compiled, modules);
  inform("models that are compiled to WebAssembly", { value: modules, n: read });
  inform("nodes that are left once they are simplified, of those of their files", {
    value: after / before,
    n: read,
  });

  function none(what, found, n) {
    const note = found.length > 0 ? { note: found.join("; ") } : {};
    claim(what, {
      value: found.length,
      bound: "≤ 0",
      n,
      met: n > 0 && found.length === 0,
      ...note,
    });
  }

  async function proveOne(path) {
    const name = basename(path, ".json");
    files += 1;
    let graph;
    try {
      graph = await importModel(sourceOf(path));
    } catch (error) {
      refused.push(`${name}: ${error.message}`);
      if (!isPareError(error) || error.hint === undefined)
        nameless.push(`${name}: ${error.message}`);
      return;
    }
    read += 1;
    before += graph.order().length;
    await fixSizes(graph);
    const feeds = noiseFor(inputsOf(graph), 1, [0, 1]);
    const model = await openWithTensorflow(path);
    const expected = await model.run(feeds);
    const shaken = relativeError(expected, await model.run(rounded(feeds)));
    model.dispose();
    const bound = Math.max(tolerance, overRounding * shaken);
    if (bound > tolerance)
      inform(`${name}: what rounding its input otherwise changes in TensorFlow.js`, {
        value: shaken,
      });
    await compare("read", () => outputsOfEngine(graph, feeds));
    await apply(graph, "simplify");
    after += graph.order().length;
    await compare("simplified", () => outputsOfEngine(graph, feeds));
    if ((await reasonsOf(graph)).length > 0) return;
    modules += 1;
    await compare("compiled", async () => {
      const session = await aot().load(await asModule(graph));
      try {
        return await session.run(feeds);
      } finally {
        await session.dispose();
      }
    });

    async function compare(kind, answers) {
      try {
        const distance = relativeError(expected, await answers());
        if (!(distance <= bound)) apart[kind].push(`${name}: ${distance.toPrecision(2)} apart`);
      } catch (error) {
        apart[kind].push(`${name}: ${error.message.split("\n")[0]}`);
      }
    }
  }

  async function optimize(path, folder) {
    const bundle = join(folder, "optimized.pare");
    const options = ["--target", "cpu,aot", "--time-budget", "60s", "--json", "-o", bundle];
    const { code, stdout, stderr } = await pare(root, ["optimize", path, ...options]);
    const variants = code === 0 ? JSON.parse(stdout).variants : [];
    claim(`targets that ${basename(path, ".json")} is optimized for, from its model.json`, {
      value: variants.length,
      bound: "2",
      met: variants.length === 2,
      note:
        code === 0
          ? variants.map(({ target, precision }) => `${target} ${precision}`).join(", ")
          : stderr.slice(-300),
    });
  }
}

/** Floats by a rounding more or less. */
function rounded(feeds) {
  const other = ({ type, dims, data }) =>
    type === "float32"
      ? { type, dims, data: data.map((x, at) => x * (1 + rounding * (((at * 7) % 13) / 6 - 1))) }
      : { type, dims, data };
  return Object.fromEntries(Object.entries(feeds).map(([name, one]) => [name, other(one)]));
}

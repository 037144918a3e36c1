import { setFlagsFromString } from "node:v8";
import { brotliCompressSync } from "node:zlib";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { knownModels } from "../known-models.mjs";
import { scratch } from "../shell.mjs";
import {
  asModule,
  asOnnx,
  fixedGraph,
  inputsOf,
  isFloatModel,
  isModule,
  movedByRounding,
  noiseFor,
  outputsOfEngine,
  rangeOf,
  reasonsOf,
} from "./support/compiled.mjs";
import {
  asIntegers,
  byReference,
  decibels,
  integerNetworks,
  withoutSoftmax,
} from "./support/integers.mjs";
import { promised } from "./support/promised.mjs";
import { relativeError } from "./support/relative-error.mjs";

// Node 20 has relaxed SIMD behind a flag, and its baseline compiler adds up products of bytes wrongly: both modules are run.
setFlagsFromString("--experimental-wasm-relaxed-simd");
setFlagsFromString("--no-liftoff");

const mostError = 1e-4;
/** A number that lies between two steps may be rounded to either: a step or two of a hundred, not more. */
const mostIntegerError = 0.02;
/** Of all others that are known, and whose sizes can be fixed. */
const leastShare = 0.9;
/** Bytes after brotli, of one module without its weights. */
const mostCode = { cnn: 6 * 1024, any: 10 * 1024 };
/** What has one of them is more than a convolutional network: a detector that also chooses among its boxes is. */
const besideConvolutions = ["MatMul", "LSTM", "NonMaxSuppression"];

// Float models become modules that import nothing and answer as onnxruntime does.
export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const reason of missing) inform("a model that cannot be had here", { value: reason });
    const refused = [];
    const compiled = [];
    for (const model of models) {
      const graph = await fixedGraph(model).catch((error) => error);
      if (graph instanceof Error) {
        inform(`${model.name}: its sizes cannot be fixed`, { value: graph.message });
        continue;
      }
      if (!isFloatModel(graph)) continue;
      const reasons = await reasonsOf(graph);
      if (reasons.length > 0) {
        refused.push(model.name);
        inform(`${model.name} is not compiled`, { value: reasons.join("; ") });
        continue;
      }
      const agreement = await agreementOf(graph, rangeOf(model.name));
      compiled.push({ name: model.name, ...agreement });
      if (agreement.error > mostError)
        inform(
          `${model.name}: onnxruntime's difference to itself, its inputs moved by one rounding`,
          {
            value: agreement.ownError,
            note: `the module's: ${agreement.error}`,
          },
        );
    }
    for (const name of promised) {
      const found = compiled.find((one) => one.name === name);
      claim(`${name}: the largest difference to onnxruntime, relative`, {
        value: found?.error ?? "it is not compiled",
        bound: `≤ ${mostError}`,
        n: found?.elements ?? 0,
        met: found !== undefined && found.error <= mostError,
        note: found && `${found.code.join(" and ")} bytes of code after brotli`,
      });
    }
    const worst = compiled.reduce((most, { error }) => Math.max(most, error), 0);
    claim("the largest difference of all that is compiled, relative", {
      value: worst,
      bound: `≤ ${mostError}`,
      n: compiled.length,
      met: worst <= mostError,
    });
    const share = compiled.length / (compiled.length + refused.length);
    claim("share of the known float models whose sizes can be fixed that are compiled", {
      value: share,
      bound: `≥ ${leastShare}`,
      n: compiled.length + refused.length,
      met: share >= leastShare,
      note: refused.length > 0 ? `not: ${refused.join(", ")}` : undefined,
    });
    const imports = compiled.flatMap((one) => one.imports);
    claim("what modules import", {
      value: imports.join(", ") || "nothing",
      bound: "nothing, or a memory",
      n: compiled.length,
      met: imports.every((kind) => kind === "memory"),
    });
    for (const [kind, most] of Object.entries(mostCode)) {
      const own = compiled.filter(({ isNetwork }) => kind === "any" || isNetwork);
      const sizes = own.flatMap(({ name, code }) => code.map((bytes) => [bytes, name]));
      const [bytes, name] = sizes.sort(([one], [two]) => two - one)[0] ?? [0, ""];
      claim(`bytes of code of the largest module, after brotli: ${kind}`, {
        value: bytes,
        bound: `≤ ${most}`,
        n: sizes.length,
        met: sizes.length > 0 && bytes <= most,
        note: name,
      });
    }
    await proveIntegers({ claim, inform }, models);
  });
}

/** Convolutional networks of integers: to the bit as the references, beside the engine and beside the floats that they were. */
async function proveIntegers({ claim, inform }, models) {
  for (const name of integerNetworks) {
    const model = models.find((one) => one.name === name);
    if (model === undefined) continue;
    const float = await fixedGraph(model);
    const graph = withoutSoftmax(await asIntegers(float));
    const feeds = noiseFor(inputsOf(float), 9);
    const reference = await byReference(graph, feeds);
    const artifact = await asModule(graph);
    const modules = artifact.files.filter(isModule);
    const weights = artifact.files.filter((file) => !isModule(file));
    let [apart, elements] = [0, 0];
    for (const files of [artifact.files, [artifact.files[0], ...weights]]) {
      const session = await aot().load({ ...artifact, files });
      const outputs = await session.run(feeds);
      await session.dispose();
      for (const [output, { data }] of Object.entries(reference.outputs))
        for (const [at, value] of data.entries()) {
          elements += 1;
          if (!Object.is(value, outputs[output].data[at])) apart += 1;
        }
    }
    claim(`${name} as integers: numbers that are not to the bit what the references give`, {
      value: apart,
      bound: 0,
      n: elements,
      met: apart === 0,
      note: `${modules.length} modules; in floats: ${reference.floats.join(", ") || "nothing"}`,
    });
    const engine = await outputsOfEngine(graph, feeds);
    const error = relativeError(engine, reference.outputs);
    claim(
      `${name} as integers: the largest difference to onnxruntime on the same integers, relative`,
      {
        value: error,
        bound: `≤ ${mostIntegerError}`,
        n: elements / 2,
        met: error <= mostIntegerError,
      },
    );
    const original = await outputsOfEngine(withoutSoftmax(float), feeds);
    inform(`${name} as integers: signal to difference from the float model, on noise, in dB`, {
      value: decibels(original, reference.outputs),
      n: elements / 2,
    });
  }
}

async function agreementOf(graph, range) {
  const artifact = await asModule(graph);
  const modules = artifact.files.filter(isModule);
  const engine = await cpu().load(await asOnnx(graph));
  const feeds = noiseFor(inputsOf(graph), 1, range);
  const expected = await engine.run(feeds);
  // What is chosen by comparing is another number as soon as one of two is rounded otherwise.
  const ownError = relativeError(expected, await engine.run(movedByRounding(feeds)));
  await engine.dispose();
  // With both, the one for relaxed SIMD is taken.
  const [plain] = artifact.files;
  const weights = artifact.files.filter((file) => !modules.includes(file));
  let error = 0;
  for (const files of [artifact.files, [plain, ...weights]]) {
    const session = await aot().load({ ...artifact, files });
    error = Math.max(error, relativeError(expected, await session.run(feeds)));
    await session.dispose();
  }
  const ops = [...graph.allNodes()].map(({ op }) => op);
  const isBeside = artifact.files.length > modules.length;
  return {
    error,
    ownError,
    elements: Object.values(expected).reduce((sum, { data }) => sum + data.length, 0),
    imports: modules.flatMap(({ bytes }) =>
      WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ kind }) => kind),
    ),
    // A module with weights inside says nothing of its code.
    code: isBeside ? modules.map(({ bytes }) => brotliCompressSync(bytes).length) : [],
    isNetwork: ops.includes("Conv") && !besideConvolutions.some((op) => ops.includes(op)),
  };
}

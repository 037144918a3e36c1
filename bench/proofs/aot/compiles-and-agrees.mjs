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
  rangeOf,
  reasonsOf,
} from "./support/compiled.mjs";
import { codeBytes } from "./support/code-bytes.mjs";
import {
  asIntegers,
  byReference,
  integerNetworks,
  squaredDifference,
  withoutSoftmax,
} from "./support/integers.mjs";
import { promised } from "./support/promised.mjs";
import { relativeError } from "./support/relative-error.mjs";
import { allowRelaxedSimd } from "./support/relaxed-simd.mjs";

// Both modules are run.
allowRelaxedSimd({ baseline: false });

const mostError = 1e-4;
/** What is chosen by comparing is another number as soon as one of two is rounded otherwise: so often is tried if it is. */
const movings = 8;
/**
 * A number that lies between two steps may be rounded to either, and what follows multiplies it: next to what the steps
 * themselves change, root mean squares over so many draws of noise, it may be a quarter.
 */
const mostOfRounding = 0.25;
const draws = 24;
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
      if (agreement.ownError > mostError)
        inform(
          `${model.name}: onnxruntime's difference to itself, its inputs moved by one rounding`,
          {
            value: agreement.ownError,
            n: movings,
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
        note:
          found === undefined
            ? undefined
            : `${found.code.join(" and ")} bytes of code after brotli`,
      });
    }
    const isSteady = ({ ownError }) => ownError <= mostError;
    const [steady, choosing] = [
      compiled.filter(isSteady),
      compiled.filter((one) => !isSteady(one)),
    ];
    const largest = (of, models) => models.reduce((most, one) => Math.max(most, of(one)), 0);
    const worst = largest(({ error }) => error, steady);
    claim("the largest difference of all that is compiled, relative", {
      value: worst,
      bound: `≤ ${mostError}`,
      n: steady.length,
      met: worst <= mostError,
      note: `without ${choosing.length} models in which onnxruntime is further from itself where its inputs are moved by one rounding`,
    });
    const next = largest(({ error, ownError }) => error / ownError, choosing);
    claim("of those, the largest difference over onnxruntime's to itself", {
      value: next,
      bound: "≤ 1",
      n: choosing.length,
      met: next <= 1,
      note: choosing.map(({ name }) => name).join(", "),
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
  const sizes = [];
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
    sizes.push(...modules.map(({ bytes }) => [codeBytes(bytes), name]));
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
    const { ofRounding, same, noise } = await nextToEngine(artifact, graph, withoutSoftmax(float));
    claim(
      `${name} as integers: the difference to onnxruntime on the same integers, over what integers change`,
      {
        value: ofRounding,
        bound: `≤ ${mostOfRounding}`,
        n: draws,
        met: ofRounding <= mostOfRounding,
        note: `to the bit the same on ${same} of ${draws} draws of noise`,
      },
    );
    inform(`${name} as integers: signal to difference from the float model, on noise, in dB`, {
      value: noise,
      n: draws,
    });
  }
  const bytes = Math.max(0, ...sizes.map(([own]) => own));
  claim("bytes of code of the largest module of integers, after brotli", {
    value: bytes,
    bound: `≤ ${mostCode.cnn}`,
    n: sizes.length,
    met: sizes.length > 0 && bytes <= mostCode.cnn,
    note: sizes.map(([own, of]) => `${of} ${own}`).join(", "),
  });
}

/** A module of integers and onnxruntime, on the same integers, and what both have become of the float model. */
async function nextToEngine(artifact, integers, float) {
  const module = await aot().load(artifact);
  const engine = await cpu().load(await asOnnx(integers));
  const original = await cpu().load(await asOnnx(float));
  let [apart, changed, signal, same] = [0, 0, 0, 0];
  for (let seed = 1; seed <= draws; seed += 1) {
    const feeds = noiseFor(inputsOf(float), 100 + seed);
    const own = await module.run(feeds);
    const expected = await engine.run(feeds);
    const floats = await original.run(feeds);
    const difference = squaredDifference(expected, own);
    apart += difference;
    changed += squaredDifference(floats, own);
    signal += squaredDifference(floats);
    if (difference === 0) same += 1;
  }
  for (const session of [module, engine, original]) await session.dispose();
  return { ofRounding: Math.sqrt(apart / changed), same, noise: 10 * Math.log10(signal / changed) };
}

async function agreementOf(graph, range) {
  const artifact = await asModule(graph);
  const modules = artifact.files.filter(isModule);
  const engine = await cpu().load(await asOnnx(graph));
  const feeds = noiseFor(inputsOf(graph), 1, range);
  const expected = await engine.run(feeds);
  let ownError = 0;
  for (let seed = 1; seed <= movings; seed += 1)
    ownError = Math.max(
      ownError,
      relativeError(expected, await engine.run(movedByRounding(feeds, seed))),
    );
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
  return {
    error,
    ownError,
    elements: Object.values(expected).reduce((sum, { data }) => sum + data.length, 0),
    imports: modules.flatMap(({ bytes }) =>
      WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ kind }) => kind),
    ),
    code: modules.map(({ bytes }) => codeBytes(bytes)),
    isNetwork: ops.includes("Conv") && !besideConvolutions.some((op) => ops.includes(op)),
  };
}

// `optimize` itself on a small network, whose files are said to take and to lose what a scenario's do.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Fingerprints } from "../../../../compiler/dist/analysis/fingerprints.js";
import { importModel } from "../../../../compiler/dist/import-model.js";
import { presets } from "../../../../compiler/dist/recipes/presets.js";
import { beginning, change, finish, ordered } from "../../../../compiler/dist/search/make/make.js";
import { SharedFiles } from "../../../../compiler/dist/search/make/shared-files.js";
import { optimize } from "../../../../compiler/dist/search/optimize.js";
import { choicesFor } from "../../../../compiler/dist/search/plan/planned.js";
import { byteSource, onnxArtifact } from "../../../../runtime/dist/format/index.js";
import { loadEstimators, normal, seeded, simulatedMachine } from "./simulated-machine.mjs";

const network = "fixtures/models/latency/mnist.onnx";
export const maxDrop = 0.01;
const float = { name: "float", ratio: 1, drop: 0, flips: 0, size: 1, noise: 0.02 };

/** What a proposal is said to be where a scenario does not know it. */
const usual = {
  "int8-weights": { ratio: 1, drop: 0, flips: 0.003, size: 0.28 },
  "int8-static": { ratio: 0.7, drop: 0.005, flips: 0.02, size: 0.26 },
  "int8-static-mse": { ratio: 0.75, drop: 0.003, flips: 0.02, size: 0.26 },
  "int8-mixed": { ratio: 0.8, drop: 0.002, flips: 0.015, size: 0.27 },
  "int8-dynamic": { ratio: 0.8, drop: 0.001, flips: 0.008, size: 0.28 },
  "fp16-weights": { ratio: 1, drop: 0, flips: 0.001, size: 0.52 },
};

/** Statistics that no engine is asked for. */
const activations = {
  observe: async (_, wanted) => ({
    ranges: new Map(wanted.map(({ value }) => [value, { min: -1, max: 1, sqnr: null }])),
    channelMeans: new Map(
      wanted.map(({ value, statistic }) => [
        value,
        new Map([[statistic.axis, new Float32Array(64)]]),
      ]),
    ),
  }),
};

/**
 * @param options `blind`: on a machine that sees no drop, which no search can choose right on
 * @returns a function that runs one search by its number, and says what it chose and what there was
 */
export async function openSearch(root, scenarios, { blind = false } = {}) {
  const estimators = await loadEstimators(root);
  const bytes = new Uint8Array(readFileSync(join(root, network)));
  const original = onnxArtifact(bytes);
  const { names, proposed } = await namesOfFiles(bytes);
  return async (number) => {
    const random = seeded(number * 7919 + 1);
    const scenario = scenarios[Math.floor(random() * scenarios.length)];
    const truth = drawTruth(scenario, proposed.get(scenario.target), random);
    const nameOf = new WeakMap();
    const nameFor = (artifact) => {
      const known = nameOf.get(artifact) ?? names.get(keyOf(artifact));
      nameOf.set(artifact, known ?? "float");
      return known ?? "float";
    };
    const measure = simulatedMachine({
      facts: scenario,
      wayOf: (artifact) => truth.get(nameFor(artifact)) ?? truth.get("float"),
      seed: number,
      estimators,
      blind,
    });
    const { target, validation, test } = scenario;
    const optimized = await optimize({
      graph: await graphOf(bytes),
      original,
      originalSha256: "",
      recipe: presets.auto,
      devices: [deviceOf(target, random() < 0.5)],
      evidence: "labelled",
      activations,
      measure,
      budget: { limits: () => ({ maxDrop }), prefer: "latency", timeBudgetMs: null },
      clock: measure.clock,
      seed: number,
      splits: {},
      shapes: {},
      constants: {},
      compiler: "proof",
    });
    const [variant] = optimized.variants;
    const chosen = truth.get(nameFor(variant.artifact));
    return {
      model: scenario.model,
      target,
      tookMs: measure.clock.now(),
      // As many as there are: a search that looks at fewer is held to no less.
      ...judge(chosen, [...truth.values()], Math.min(validation, test)),
    };
  };
}

/** What is true in one run, of the files that can be made: near what was seen, and often near what is just allowed. */
function drawTruth({ ways }, proposed, random) {
  const known = new Map(ways.map((way) => [way.name, way]));
  const drawn = proposed.map((name) => {
    const one = usual[name];
    const { ratio, drop, flips, size, noise = 0.03 } = known.get(name) ?? one;
    const lost = random() < 0.3 ? 3 * maxDrop * random() : drop + 0.3 * maxDrop * normal(random);
    return {
      name,
      ratio: ratio * Math.exp(0.1 * normal(random)),
      drop: lost,
      flips: Math.min(0.9, Math.max(flips, Math.abs(lost) * 1.2 + 0.001)),
      size: size * Math.exp(0.03 * normal(random)),
      noise: noise * Math.exp(0.3 * normal(random)),
    };
  });
  return new Map([float, ...drawn].map((way) => [way.name, way]));
}

/**
 * Acceptable is a drop up to the budget less m, unacceptable one from the budget and m, m the half width of the
 * interval that the samples at hand allow. A search is tempted where an unacceptable file is faster than all acceptable ones.
 */
function judge(chosen, ways, n) {
  const m = (way) => (1.96 * Math.sqrt(Math.max(way.flips, 1 / n))) / Math.sqrt(n);
  const acceptable = ways.filter((way) => way.name === "float" || way.drop <= maxDrop - m(way));
  const best = Math.min(...acceptable.map(({ ratio }) => ratio));
  const isUnacceptable = (way) => way.name !== "float" && way.drop >= maxDrop + m(way);
  return {
    chosen: chosen.name,
    overBest: chosen.ratio / best,
    bestName: acceptable.find(({ ratio }) => ratio === best)?.name,
    tempted: ways.some((way) => isUnacceptable(way) && way.ratio < best),
    unacceptable: isUnacceptable(chosen),
  };
}

const keyOf = ({ files: [{ bytes }] }) => {
  let hash = bytes.byteLength;
  for (let at = 0; at < bytes.length; at += 1) hash = (Math.imul(hash, 31) + bytes[at]) | 0;
  return hash;
};

const graphOf = (bytes) =>
  importModel({ name: "network.onnx", main: byteSource(bytes), beside: new Map() });

const deviceOf = (target, saturates) => ({
  target,
  engine: "simulated",
  standIn: null,
  features: [],
  saturates: target === "cpu" && saturates,
  executor: { load: () => Promise.reject(new Error("Nothing is run here.")) },
});

/** Each proposal's file is the same in every run: it is made once here to know it by. Of two that are the same, the first. */
async function namesOfFiles(bytes) {
  const names = new Map();
  const proposed = new Map();
  const recipe = ordered(presets.auto);
  const services = {
    activations,
    fingerprints: new Fingerprints(),
    files: new SharedFiles(),
    seed: 0,
  };
  const simplified = await beginning(await graphOf(bytes), recipe.simplify, services);
  for (const target of ["cpu", "wasm"]) {
    const request = { recipe: presets.auto, budget: {}, evidence: "labelled", activations };
    const device = deviceOf(target, false);
    const own = new Map();
    for (const one of (await choicesFor(request, device, recipe, simplified)).planned) {
      const { state } = await change(simplified, one.group, one.precision, services);
      const made = await finish(state, one.name, target, one.session, recipe.ending, services);
      const key = keyOf(made.artifact);
      if (!own.has(key)) own.set(key, one.name);
      if (!names.has(key)) names.set(key, one.name);
    }
    proposed.set(target, [...new Set([...own.keys()].map((key) => names.get(key)))]);
  }
  return { names, proposed };
}

// node make-all.mjs '{ "model", "data", "targets", "order", "cache" }': makes every candidate of a model, as the search
// would, and prints the sha256 of each file. Nothing is measured but activations. `order` is the seed of the order in
// which candidates are made; the answer must not depend on it, nor on the targets beside one, nor on the process, nor on
// what the user's cache, where `cache` asks for it, kept of earlier processes.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHosts, executor } from "../../../../bench/dist/index.js";
import { openCache } from "../../../../cli/dist/cache/open-cache.js";
import { openModel } from "../../../../cli/dist/workbench/opened-model.js";
import { parseShapes } from "../../../../cli/dist/workbench/shape-options.js";
import { Fingerprints } from "../../../../compiler/dist/analysis/fingerprints.js";
import { KeptActivations, MeasuredActivations } from "../../../../compiler/dist/index.js";
import { presets } from "../../../../compiler/dist/recipes/presets.js";
import { beginning, change, finish, ordered } from "../../../../compiler/dist/search/make/make.js";
import { SharedFiles } from "../../../../compiler/dist/search/make/shared-files.js";
import { choicesFor } from "../../../../compiler/dist/search/plan/planned.js";
import { shapeOptions } from "./models.mjs";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const { model, data, options = [], targets, order, cache = false } = JSON.parse(process.argv[2]);

const opened = await openModel(model, parseShapes(shapeOptions(options)));
const { hosts } = await openHosts(["cpu"]);
try {
  const { feeds, count } = await calibrationFeeds(join(root, data));
  const fingerprints = new Fingerprints();
  let observed = 0;
  const measured = new MeasuredActivations({
    executor: executor(hosts.get("cpu")),
    count,
    async *samples() {
      observed += 1;
      yield* feeds;
    },
  });
  const activations = cache
    ? new KeptActivations(measured, await openCache({ onNote: fail }), [data])
    : measured;
  const services = { activations, fingerprints, files: new SharedFiles(), seed: 0 };
  const recipe = ordered(presets.auto);
  const simplified = await beginning(opened.graph, recipe.simplify, services);
  const request = {
    recipe: presets.auto,
    budget: { prefer: "latency" },
    evidence: "labelled",
    activations,
  };
  const planned = [];
  for (const target of targets) {
    const device = { target, engine: "", standIn: null, features: [], saturates: false };
    planned.push(...(await choicesFor(request, device, recipe, simplified)).planned);
  }
  const hashes = {};
  for (const one of shuffled(planned, order)) {
    const { state } = await change(simplified, one.group, one.precision, services);
    const made = await finish(state, one.name, one.target, one.session, recipe.ending, services);
    hashes[`${one.target} ${one.name}`] = made.identity;
  }
  console.log(JSON.stringify({ hashes, observed }));
} finally {
  opened.close();
  for (const host of hosts.values()) await host.dispose();
}

async function calibrationFeeds(module) {
  const { samples, splits } = await import(module);
  const wanted = new Set(splits.calibration.slice(0, 24));
  const found = [];
  for await (const { id, feeds } of samples()) {
    if (wanted.has(id)) found.push(feeds);
    if (found.length === wanted.size) break;
  }
  return { feeds: found, count: found.length };
}

function fail(note) {
  throw new Error(note);
}

/** By a linear congruential generator: 0 leaves the order as it is. */
function shuffled(list, seed) {
  const result = [...list];
  let state = seed;
  if (seed === 0) return result;
  for (let last = result.length - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (last + 1);
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

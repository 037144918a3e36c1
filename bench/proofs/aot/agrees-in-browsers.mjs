import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { knownModels } from "../known-models.mjs";
import { scratch } from "../shell.mjs";
import {
  asModule,
  fixedGraph,
  inputsOf,
  isModule,
  noiseFor,
  outputsOfEngine,
  rangeOf,
} from "./support/compiled.mjs";
import { asIntegers, byReference, integerNetworks, withoutSoftmax } from "./support/integers.mjs";
import { promised } from "./support/promised.mjs";
import { saidBy, writePage } from "../support/browsers/said-by.mjs";

const page = fileURLToPath(new URL("./support/agreement-page.js", import.meta.url));
const mostError = 1e-4;

// Whole models on a page: floats as onnxruntime in Node, integers to the bit as the references, by both modules of each.
export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const reason of missing) inform("a model that cannot be had here", { value: reason });
    const site = join(folder, "site");
    await writeSite(site, models);
    for await (const said of saidBy(site, inform)) judge({ claim, ...said });
  });
}

function judge({ claim, where, engine, rows, error }) {
  const models = [...promised, ...integerNetworks.map(integer)];
  claim(`${where}: modules that ran`, {
    value: rows.length,
    bound: 2 * models.length,
    n: models.length,
    met: rows.length === 2 * models.length && error === null,
    note: error ?? engine,
  });
  for (const name of models) {
    const own = rows.filter((row) => row.name === name);
    const isExact = !promised.includes(name);
    const value = Math.max(...own.map((row) => (isExact ? row.apart : row.error)));
    claim(
      isExact
        ? `${where}, ${name}: numbers that are not to the bit what the references give`
        : `${where}, ${name}: the largest difference to onnxruntime, relative`,
      {
        value,
        bound: isExact ? 0 : `≤ ${mostError}`,
        n: own.reduce((sum, { elements }) => sum + elements, 0),
        met: own.length === 2 && value <= (isExact ? 0 : mostError),
      },
    );
  }
}

const integer = (name) => `${name} as integers`;

/** A page, and a folder for each model with its files, feeds and what is expected. */
async function writeSite(site, models) {
  mkdirSync(site, { recursive: true });
  await writePage(page, site);
  const folders = [];
  const write = async (name, graph, feeds, expected) => {
    const folder = String(folders.length);
    folders.push(folder);
    const own = join(site, folder);
    mkdirSync(own);
    const { files } = await asModule(graph);
    const names = files.map((file, at) => `${at}.${isModule(file) ? "wasm" : "bin"}`);
    for (const [at, { bytes }] of files.entries()) writeFileSync(join(own, names[at]), bytes);
    const facts = {
      name,
      files: names,
      feeds: writeTensors(own, "feed", feeds),
      expected: writeTensors(own, "output", expected),
    };
    writeFileSync(join(own, "facts.json"), JSON.stringify(facts));
  };
  const graphOf = (name) => fixedGraph(models.find((one) => one.name === name));
  for (const name of promised) {
    const graph = await graphOf(name);
    const feeds = noiseFor(inputsOf(graph), 1, rangeOf(name));
    await write(name, graph, feeds, await outputsOfEngine(graph, feeds));
  }
  for (const name of integerNetworks) {
    const graph = withoutSoftmax(await asIntegers(await graphOf(name)));
    const feeds = noiseFor(inputsOf(graph), 9);
    await write(integer(name), graph, feeds, (await byReference(graph, feeds)).outputs);
  }
  writeFileSync(join(site, "models.json"), JSON.stringify(folders));
}

function writeTensors(folder, kind, tensors) {
  return Object.entries(tensors).map(([name, { type, dims, data }], at) => {
    const file = `${kind}-${at}.data`;
    writeFileSync(
      join(folder, file),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
    return { name, type, dims, file };
  });
}

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { modelNames, modelPath } from "../../../fixtures/scripts/assets.mjs";
import { backendTests } from "../../../fixtures/scripts/backend-tests.mjs";
import { scratch } from "../shell.mjs";

const scrambles = 5;

// Every file opened so far is written again and read back equal; and a model's simplified form depends on neither
// names, nor the order of nodes, nor the form in which constants are held.
export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const {
      byteSource,
      decodeModel,
      encodeModel,
      inferNode,
      printGraph,
      readMessage,
      scrambled,
      simplifyGraph,
    } = await compilerWithScrambler(root, folder);
    const open = (bytes) =>
      decodeModel({ proto: byteSource(bytes), external: new Map() }, { infer: inferNode });

    let files = 0;
    let equal = 0;
    let identical = 0;
    const unequal = [];
    const roundTrip = async (name, bytes) => {
      files += 1;
      const { proto } = await encodeModel((await open(bytes)).fork());
      const same = Buffer.compare(proto, bytes) === 0;
      if (same) identical += 1;
      if (
        same ||
        (await messageText(readMessage, byteSource(bytes))) ===
          (await messageText(readMessage, byteSource(proto)))
      )
        equal += 1;
      else unequal.push(name);
    };
    const models = [];
    const absent = [];
    for (const name of modelNames) {
      const { path, reason } = await modelPath(name);
      if (path === null) absent.push(`${name}: ${reason}`);
      else models.push({ name, bytes: new Uint8Array(readFileSync(path)) });
    }
    for (const { name, bytes } of models) await roundTrip(name, bytes);
    for (const { name, model } of await backendTests())
      await roundTrip(name, new Uint8Array(model));
    claim("files written again and read back equal", {
      value: equal,
      bound: files,
      n: files,
      met: equal === files,
      note: `${identical} byte by byte; ${absent.length} models absent here${unequal.length > 0 ? `; unequal: ${unequal.slice(0, 5).join(", ")}` : ""}`,
    });

    let prints = 0;
    let same = 0;
    const different = [];
    const simplified = async (graph) => {
      await simplifyGraph(graph, {});
      return printGraph(graph);
    };
    for (const { name, bytes } of models.filter(({ bytes: { length } }) => length < 25e6)) {
      const expected = await simplified(await open(bytes));
      for (let seed = 1; seed <= scrambles; seed += 1) {
        prints += 1;
        if ((await simplified(await scrambled(await open(bytes), seed))) === expected) same += 1;
        else different.push(`${name} (seed ${seed})`);
      }
    }
    claim("scrambled models that simplify to the same printed form", {
      value: same,
      bound: prints,
      n: prints,
      met: same === prints,
      note: different.slice(0, 5).join(", ") || undefined,
    });
  });
}

/** The compiler from its sources, with the scrambler that its tests use. */
async function compilerWithScrambler(root, folder) {
  const source = join(root, "compiler/src");
  const outfile = join(folder, "compiler.mjs");
  const entry = [
    `export { decodeModel, encodeModel, readMessage } from "${source}/onnx/index.js";`,
    `export { inferNode } from "${source}/ops/index.js";`,
    `export { simplifyGraph } from "${source}/passes/simplify.js";`,
    `export { printGraph } from "${source}/ir/index.js";`,
    `export { scrambled } from "${source}/passes/scramble.test.support.js";`,
    `export { byteSource } from "@pare/runtime/format";`,
  ].join("\n");
  await build({
    stdin: { contents: entry, resolveDir: source, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@pare/source"],
    outfile,
    logLevel: "error",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return import(pathToFileURL(outfile).href);
}

async function messageText(readMessage, source) {
  return JSON.stringify(await readMessage(source), (_, value) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
}

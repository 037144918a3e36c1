// What a browser makes of modules that lie beside the page: how far both of each are from what is expected, told in one POST.
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { dtypeArray } from "../../../../runtime/dist/format/index.js";
import { relativeError } from "./relative-error.mjs";

const told = { agent: navigator.userAgent, engine: null, rows: [], error: null };
try {
  told.engine = (await aot().probe()).engine;
  for (const folder of await json("models.json")) {
    const facts = await json(`${folder}/facts.json`);
    const files = await Promise.all(
      facts.files.map(async (name) => ({ name, bytes: await bytesOf(`${folder}/${name}`) })),
    );
    const [feeds, expected] = [
      await tensors(folder, facts.feeds),
      await tensors(folder, facts.expected),
    ];
    const [plain, ...others] = files;
    const weights = others.filter(({ name }) => !name.endsWith(".wasm"));
    // With both, the one for relaxed SIMD is taken.
    for (const [module, own] of [
      ["relaxed SIMD", files],
      ["SIMD", [plain, ...weights]],
    ]) {
      const session = await aot().load({ format: "wasm", files: own });
      const outputs = await session.run(feeds);
      await session.dispose();
      const error = relativeError(expected, outputs);
      told.rows.push({ name: facts.name, module, error, ...differing(expected, outputs) });
    }
  }
} catch (error) {
  told.error = `${error} ${error.stack}`;
}
await fetch("told", { method: "POST", body: JSON.stringify(told) });

function differing(expected, outputs) {
  let [apart, elements] = [0, 0];
  for (const [name, { data }] of Object.entries(expected))
    for (const [at, value] of data.entries()) {
      elements += 1;
      if (!Object.is(value, outputs[name]?.data[at])) apart += 1;
    }
  return { apart, elements };
}

async function tensors(folder, facts) {
  const entries = facts.map(async ({ name, type, dims, file }) => {
    const { buffer } = await bytesOf(`${folder}/${file}`);
    return [name, { type, dims, data: new dtypeArray[type](buffer) }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function bytesOf(path) {
  return new Uint8Array(await (await fetch(path)).arrayBuffer());
}

async function json(path) {
  return (await fetch(path)).json();
}

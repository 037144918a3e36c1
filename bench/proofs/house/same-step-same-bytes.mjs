// The same step on the same model gives the same bytes, whatever was tried before it, beside it and in another process.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { json, manifestOf, pare, run, scratch } from "../shell.mjs";
import { argumentsFor } from "./support/models.mjs";

const names = ["mnist", "ocr-direction", "ocr-recognition", "blazeface"];
const permutations = 10;
const orders = [
  ["cpu", "wasm", "webgpu"],
  ["cpu", "webgpu", "wasm"],
  ["wasm", "cpu", "webgpu"],
  ["wasm", "webgpu", "cpu"],
  ["webgpu", "cpu", "wasm"],
  ["webgpu", "wasm", "cpu"],
  ["cpu"],
  ["wasm"],
  ["webgpu"],
];

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    for (const name of names) await ofModel(name, { claim, root, folder });
  });
}

async function ofModel(name, { claim, root, folder }) {
  const { args, reason } = await argumentsFor(root, name);
  if (args === null) throw new Error(reason);
  const [model, , data, ...options] = args;
  const makeAll = async (targets, order, cache) => {
    const script = join(root, "bench/proofs/house/support/make-all.mjs");
    const asked = { model, data, options, targets, order, cache: cache !== undefined };
    // It reaches into the compiler: the command line's has to be the same modules.
    const line = ["--conditions=@pare/modules", script, JSON.stringify(asked)];
    const { code, stdout, stderr } = await run(process.execPath, line, {
      cwd: root,
      env: cache === undefined ? {} : { XDG_CACHE_HOME: cache },
    });
    if (code !== 0) throw new Error(stderr.slice(-600));
    return JSON.parse(stdout.trim().split("\n").at(-1));
  };
  const make = async (targets, order) => (await makeAll(targets, order)).hashes;
  const [all] = orders;
  const first = await make(all, 0);
  const count = Object.keys(first).length;
  const differing = (other) => Object.entries(other).filter(([key, hash]) => first[key] !== hash);

  let differ = 0;
  for (let order = 1; order <= permutations; order += 1)
    differ += differing(await make(all, order)).length;
  claim(`${name}: files that differ when candidates are made in another order`, {
    value: differ,
    bound: 0,
    n: permutations * count,
    met: differ === 0 && count > 0,
  });

  let beside = 0;
  let compared = 0;
  for (const targets of orders) {
    const made = await make(targets, 0);
    beside += differing(made).length;
    compared += Object.keys(made).length;
  }
  claim(`${name}: files that differ with other targets beside, or in another order`, {
    value: beside,
    bound: 0,
    n: compared,
    met: beside === 0 && compared > 0,
  });

  // Filled by single targets in another order, read by all of them; the last finds everything.
  const cache = join(folder, `statistics-${name}`);
  let cached = 0;
  let read = 0;
  let observed = 0;
  const fillers = [["wasm"], ["cpu"], ["webgpu"], all, all];
  for (const [index, targets] of fillers.entries()) {
    const made = await makeAll(targets, index, cache);
    cached += differing(made.hashes).length;
    read += Object.keys(made.hashes).length;
    ({ observed } = made);
  }
  claim(`${name}: files that differ with a cache that others filled`, {
    value: cached,
    bound: 0,
    n: read,
    met: cached === 0 && observed === 0,
    note: `the last one observed ${observed} times`,
  });
  await replays(name, args, { claim, root, folder });
}

/** From its lock alone, in a process that cannot load an engine; with a cache and without. */
async function replays(name, args, { claim, root, folder }) {
  const [model, , , ...options] = args;
  const bundle = join(folder, `${name}.pare`);
  const cache = join(folder, "cache");
  const searched = await pare(
    root,
    ["optimize", ...args, "--target", "cpu,wasm", "--time-budget", "40s", "-o", bundle],
    { env: { XDG_CACHE_HOME: cache } },
  );
  if (searched.code !== 0) throw new Error(searched.stderr.slice(-600));
  const lock = join(bundle, "pare.lock.json");
  const hashes = (folderOf) =>
    manifestOf(folderOf).variants.map(({ files: [file] }) => file.sha256);
  const noEngine = `--import=${join(root, "bench/proofs/house/support/no-engine.mjs")}`;
  let differ = 0;
  let runs = 0;
  for (const more of [[], ["--no-cache"]]) {
    const again = join(folder, `${name}-${runs}.pare`);
    const { code, stderr } = await pare(
      root,
      ["optimize", model, ...options, "--frozen", lock, ...more, "-o", again],
      { env: { NODE_OPTIONS: noEngine, XDG_CACHE_HOME: cache } },
    );
    if (code !== 0) throw new Error(stderr.slice(-600));
    if (hashes(again).join() !== hashes(bundle).join()) differ += 1;
    if (!existsSync(join(again, "golden.json"))) differ += 1;
    runs += 1;
  }
  claim(`${name}: replays of its lock without data or an engine that differ`, {
    value: differ,
    bound: 0,
    n: runs,
    met: differ === 0,
  });

  const damaged = json(lock);
  damaged.targets[0].files[0].sha256 = "0".repeat(64);
  const wrong = join(folder, "wrong.lock.json");
  writeFileSync(wrong, JSON.stringify(damaged));
  const refused = await pare(
    root,
    ["optimize", model, ...options, "--frozen", wrong, "-o", join(folder, "wrong.pare")],
    {},
  );
  const said = /code:\s+LOCK/.test(refused.stderr);
  claim(`${name}: a lock with another hash is refused`, {
    value: `exit ${refused.code}${said ? ", LOCK" : ""}`,
    bound: "exit 2, LOCK",
    met: refused.code === 2 && said && !existsSync(join(folder, "wrong.pare")),
  });
}

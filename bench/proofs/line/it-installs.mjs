import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheVariable, cleanClone, manifestOf, run, scratch } from "../shell.mjs";

const packages = ["runtime", "compiler", "bench", "cli"];
const rounds = 30;

/** An application in TypeScript: every entry point, and the bundle's typed inputs and outputs. */
const application = `import { load, PareError } from "@pare/runtime";
import { sha256 } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm, webgpu } from "@pare/runtime/ort-web";
import { decodeModel } from "@pare/compiler";
import { createMeasure } from "@pare/bench";
import bundle from "./model.pare/index.js";

export const parts = [sha256, decodeModel, createMeasure];
const model = await load(bundle, { backends: [cpu(), webgpu(), wasm()] });
try {
  const x = { type: "float32", dims: [1, 1, 28, 28], data: new Float32Array(784) } as const;
  const { logits } = await model.run({ x });
  const values: Float32Array = logits.data;
  console.log(values.length);
  // @ts-expect-error the bundle has no such input
  await model.run({ y: x });
} catch (error) {
  if (error instanceof PareError) console.log(error.code);
} finally {
  await model.dispose();
}
`;

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const clone = await cleanClone(root, join(folder, "pare"));
    // Neither the variable nor what an outer npm hands down: only what the clone holds may matter.
    const bare = Object.fromEntries(
      Object.keys(process.env)
        .filter((name) => /onnxruntime|^npm_/i.test(name))
        .map((name) => [name, undefined]),
    );
    for (const npm of [["npm"], ["npx", "-y", "npm@10"]]) {
      for (const part of ["", ...packages])
        for (const made of ["node_modules", "dist", "tsconfig.tsbuildinfo"])
          rmSync(join(clone, part, made), { recursive: true, force: true });
      const [command, ...before] = npm;
      const version = await run(command, [...before, "--version"], { cwd: folder, env: bare });
      const install = await run(command, [...before, "ci"], { cwd: clone, env: bare });
      const engine = join(clone, "node_modules/onnxruntime-node/bin");
      claim(`npm ci in a clean clone leaves onnxruntime-node in place`, {
        value: install.code === 0 && existsSync(engine),
        bound: true,
        met: install.code === 0 && existsSync(engine),
        note: `npm ${version.stdout.trim()}, ${Math.round(install.seconds)} s`,
      });
      const linked = existsSync(join(clone, "node_modules/.bin/pare"));
      claim("npm ci links the bin", { value: linked, bound: true, met: linked });
    }

    const tarballs = await pack({ claim, clone, folder });

    const full = emptyFolder(root, join(folder, "full"));
    const install = await run("npm", ["install", ...tarballs], {
      cwd: full,
      env: { ...bare, ONNXRUNTIME_NODE_INSTALL: "skip" },
    });
    claim("the tarballs install where there is no workspace", {
      value: install.code,
      bound: 0,
      met: install.code === 0,
      note: install.code === 0 ? undefined : install.stderr.slice(-300),
    });
    await run(process.execPath, [
      join(root, "bench/proofs/line/support/write-test-npz.mjs"),
      join(full, "test.npz"),
    ]);
    await optimize({ claim, folder: full, env: bare, targets: ["aot", "cpu", "wasm", "webgpu"] });
    await types({ claim, root, folder: full });
    await help({ claim, folder: full });

    const partial = emptyFolder(root, join(folder, "partial"));
    copyFileSync(join(full, "test.npz"), join(partial, "test.npz"));
    const omitted = await run("npm", ["install", "--omit=optional", ...tarballs], {
      cwd: partial,
      env: bare,
    });
    const gone = !existsSync(join(partial, "node_modules/onnxruntime-node"));
    claim("--omit=optional installs, without onnxruntime-node", {
      value: omitted.code === 0 && gone,
      bound: true,
      met: omitted.code === 0 && gone,
    });
    const said = await optimize({
      claim,
      folder: partial,
      env: bare,
      targets: ["aot", "wasm", "webgpu"],
      named: "--omit=optional: ",
    });
    const line = said.split("\n").find((one) => /cpu.*onnxruntime-node/.test(one));
    claim("--omit=optional: says that cpu is left out, and why", {
      value: line ?? "nothing",
      bound: "names cpu and onnxruntime-node",
      met: line !== undefined,
    });
    const doctor = await run("npx", ["pare", "doctor"], { cwd: partial, env: bare });
    const advice = /npm install onnxruntime-node/.test(doctor.stdout);
    claim("--omit=optional: doctor says how to get cpu", {
      value: advice,
      bound: true,
      met: doctor.code === 0 && advice,
    });
  });
}

async function pack({ claim, clone, folder }) {
  // `npm pack` has to build by itself.
  for (const name of packages) {
    rmSync(join(clone, name, "dist"), { recursive: true, force: true });
    rmSync(join(clone, name, "tsconfig.tsbuildinfo"), { force: true });
  }
  const destination = join(folder, "packed");
  mkdirSync(destination);
  for (const name of packages) {
    const packed = await run("npm", ["pack", "--json", "--pack-destination", destination], {
      cwd: join(clone, name),
    });
    const [{ files, size }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[\n")));
    const paths = files.map(({ path }) => path);
    const stray = paths.filter((path) =>
      /\.test\.|fixtures|test-models|test-data|tsbuildinfo/.test(path),
    );
    const whole = ["src/", "dist/", "LICENSE"].every((part) =>
      paths.some((path) => path.startsWith(part)),
    );
    claim(`${name} packs its sources and what is built of them, no test and no fixture`, {
      value: stray.length,
      bound: 0,
      n: paths.length,
      met: whole && stray.length === 0,
      note: `${Math.round(size / 1000)} kB`,
    });
  }
  return readdirSync(destination).map((name) => join(destination, name));
}

function emptyFolder(root, folder) {
  mkdirSync(folder);
  copyFileSync(join(root, "fixtures/models/mnist-cnn.onnx"), join(folder, "model.onnx"));
  return folder;
}

async function optimize({ claim, folder, env, targets, named = "" }) {
  const args = ["pare", "optimize", "model.onnx", "--data", "test.npz", "-o", "model.pare"];
  const own = { ...env, [cacheVariable]: join(folder, "cache") };
  const { code, stdout, stderr } = await run("npx", args, { cwd: folder, env: own });
  claim(`${named}npx pare optimize exits with`, {
    value: code,
    bound: 0,
    met: code === 0,
    note: code === 0 ? undefined : stderr.slice(-300),
  });
  const written =
    code === 0 ? manifestOf(join(folder, "model.pare")).variants.map(({ target }) => target) : [];
  claim(`${named}it writes variants for`, {
    value: written.join(", "),
    bound: targets.join(", "),
    met: written.join() === targets.join(),
  });
  return stdout + stderr;
}

/** With libraries checked too: a declaration of ours that does not hold is an error. */
async function types({ claim, root, folder }) {
  writeFileSync(join(folder, "app.mts"), application);
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const compilerOptions = {
      noEmit: true,
      strict: true,
      target: "es2022",
      lib: ["es2022", "dom", "esnext.disposable"],
      types: [],
      module,
      moduleResolution,
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["app.mts"] }),
    );
    const { code, stdout } = await run(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc")],
      { cwd: folder },
    );
    claim(`types hold under the resolution ${moduleResolution}`, {
      value: code,
      bound: 0,
      met: code === 0,
      note: code === 0 ? undefined : stdout.slice(0, 300),
    });
  }
}

/** Pairs in alternating order; the middle of their ratios. */
async function help({ claim, folder }) {
  const seconds = async (args) => (await run(process.execPath, args, { cwd: folder })).seconds;
  const nothing = ["-e", "0"];
  const helping = ["node_modules/pare/bin/pare.js", "--help"];
  await seconds(helping);
  const ratios = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = round % 2 === 0;
    const before = first ? await seconds(nothing) : 0;
    const help = await seconds(helping);
    ratios.push(help / (first ? before : await seconds(nothing)));
  }
  ratios.sort((a, b) => a - b);
  const at = (share) => ratios[Math.min(rounds - 1, Math.floor(share * rounds))];
  claim("pare --help over node -e 0", {
    value: at(0.5),
    bound: "<= 2",
    n: rounds,
    interval: [at(0.05), at(0.95)],
    met: at(0.5) <= 2,
    note: "median of the ratios of pairs; the interval holds nine of ten of them",
  });
}

// Recipes whose steps only work together, or must stay whatever they gain: as YAML and JSON, checked by the published
// schema, told in the report, and replayed from the lock alone.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { rescaledChannels } from "../../../fixtures/scripts/rescaled-channels.mjs";
import { json, manifestOf, pare, reportOf, scratch } from "../shell.mjs";

const data = ["--data", "fixtures/data/mnist.mjs"];
const maxDrop = 0.01;
const opset = 12;
/** Rounding with one scale for each tensor; one bit less is right on every processor. */
const round = { use: "quantize-static", with: { granularity: "tensor", reduceRange: true } };
const lower = { use: "lower-opset", with: { opset }, required: true };

const recipes = {
  alone: { steps: ["simplify", "equalize", round] },
  together: { steps: ["simplify", { together: ["equalize", round], name: "balanced" }] },
  required: { steps: ["simplify", lower], propose: true },
  free: { steps: ["simplify", { ...lower, required: false }], propose: true },
};
/** As a person writes it. */
const togetherYaml = `# yaml-language-server: $schema=../recipe.schema.json
steps:
  - simplify
  - together:
      - equalize
      - use: quantize-static
        with: { granularity: tensor, reduceRange: true }
    name: balanced
`;
const wrong = {
  "no steps": {},
  "a pass that is not": { steps: ["simplfy"] },
  "an option that is not": { steps: [{ use: "quantize-static", with: { grain: "tensor" } }] },
  "a value that is not": { steps: [{ use: "quantize-static", with: { ranges: "mean" } }] },
  "an empty group": { steps: [{ together: [] }] },
  "a group inside a group": { steps: [{ together: [{ together: ["simplify"] }] }] },
  "required inside a group": { steps: [{ together: [{ use: "equalize", required: true }] }] },
  "required that is no boolean": { steps: [{ use: "equalize", required: "yes" }] },
  "an old name beside the new": {
    steps: [{ use: "quantize-static", with: { weightBits: 7, reduceRange: true } }],
  },
  "a field that is not": { steps: ["simplify"], tries: 3 },
};
/** What an option was called, and what says the same today. */
const former = [
  [
    { weightBits: 8, keepFloat: ["Gemm"] },
    { reduceRange: false, keepFloat: { ops: ["Gemm"] } },
  ],
  [{ weightBits: 7 }, { reduceRange: true }],
].flatMap(([old, now]) =>
  ["quantize-static", "quantize-dynamic"].map((use) => ({
    use,
    old: { steps: [{ use, with: old }] },
    now: { steps: [{ use, with: now }] },
  })),
);

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const model = join(folder, "rescaled.onnx");
    writeFileSync(model, await rescaledChannels());
    const bench = { claim, root, folder, model };
    await schemaHolds(bench);
    await onlyTogether(bench);
    await whateverItGains(bench);
    await oldNames(bench);
  });
}

async function optimized({ root, folder, model }, name, file) {
  const bundle = join(folder, `${name}.pare`);
  const args = ["--target", "cpu", "--recipe", file, "--prefer", "size"];
  const { code, stderr } = await pare(root, ["optimize", model, ...data, ...args, "-o", bundle]);
  if (code !== 0) throw new Error(stderr.slice(-600));
  return bundle;
}

function written({ folder }, name, recipe) {
  const file = join(folder, name);
  writeFileSync(file, typeof recipe === "string" ? recipe : JSON.stringify(recipe));
  return file;
}

const hashes = (bundle) =>
  manifestOf(bundle).variants.flatMap(({ files }) => files.map(({ sha256 }) => sha256));

async function schemaHolds(bench) {
  const { claim, root, folder, model } = bench;
  const schema = json(join(root, "compiler/schema/recipe.schema.json"));
  const holds = new Ajv2020({ strict: false }).compile(schema);
  const refused = async (recipe) => {
    const file = written(bench, "wrong.json", recipe);
    const out = join(folder, "wrong.onnx");
    const { code } = await pare(root, ["quantize", model, ...data, "--recipe", file, "-o", out]);
    return code === 2;
  };
  const right = [...Object.values(recipes), ...former.flatMap(({ old, now }) => [old, now])];
  const faults = right.filter((recipe) => !holds(recipe));
  claim("the published schema takes what Pare takes", {
    value: right.length - faults.length,
    bound: right.length,
    n: right.length,
    met: faults.length === 0,
  });
  const names = Object.keys(wrong);
  const passed = names.filter((name) => holds(wrong[name]));
  claim("the published schema refuses", {
    value: names.length - passed.length,
    bound: names.length,
    n: names.length,
    met: passed.length === 0,
    note: passed.length === 0 ? names.join(", ") : `it takes ${passed.join(", ")}`,
  });
  const taken = [];
  for (const name of names) if (!(await refused(wrong[name]))) taken.push(name);
  claim("Pare refuses the same", {
    value: names.length - taken.length,
    bound: names.length,
    n: names.length,
    met: taken.length === 0,
    note: taken.length === 0 ? undefined : `it takes ${taken.join(", ")}`,
  });
}

/** A network whose channels lie so far apart that neither equalizing nor rounding alone is worth anything. */
async function onlyTogether(bench) {
  const { claim, root, folder, model } = bench;
  const one = reportOf(
    await optimized(bench, "alone", written(bench, "alone.json", recipes.alone)),
  );
  verdict(claim, one, ["equalize"], "reverted");
  verdict(claim, one, ["quantize-static"], "reverted");

  const yaml = written(bench, "together.yaml", togetherYaml);
  const fromYaml = await optimized(bench, "from-yaml", yaml);
  const report = reportOf(fromYaml);
  verdict(claim, report, ["equalize", "quantize-static"], "kept");
  const step = report.steps.find(({ group }) => group?.length === 2);
  claim("the report tells the group as one step, by its name", {
    value: `${step?.name}: ${step?.group?.join(" + ")}`,
    bound: "balanced",
    met: step?.name.endsWith("balanced") ?? false,
  });
  const locked = json(join(fromYaml, "pare.lock.json")).targets[0].groups.at(-1);
  claim("the lock holds the group as one", {
    value: locked.steps.map(({ use }) => use).join(" + "),
    bound: "equalize + quantize-static",
    met: locked.steps.map(({ use }) => use).join() === "equalize,quantize-static",
  });
  onTestSamples(claim, report.variants[0]);
  await aloneOnTestSamples(bench);

  const named = written(bench, "other-name.json", recipes.together);
  const fromJson = await optimized(bench, "from-json", named);
  claim("the same recipe as JSON makes the same files", {
    value: hashes(fromJson).join() === hashes(fromYaml).join(),
    bound: true,
    n: hashes(fromYaml).length,
    met: hashes(fromJson).join() === hashes(fromYaml).join(),
  });
  const { recipe } = json(join(fromYaml, "pare.lock.json"));
  const other = json(join(fromJson, "pare.lock.json")).recipe;
  claim("and both locks say so, whatever the files are called", {
    value: `${recipe.name}, ${other.name}`,
    bound: "one hash",
    met: recipe.sha256 === other.sha256 && recipe.name !== other.name,
  });

  rmSync(yaml);
  const again = join(folder, "again.pare");
  const lock = join(fromYaml, "pare.lock.json");
  const replayed = await pare(root, ["optimize", model, "--frozen", lock, "-o", again]);
  const same = replayed.code === 0 && hashes(again).join() === hashes(fromYaml).join();
  claim("its lock makes the same files without the recipe's file and without data", {
    value: replayed.code === 0 ? same : replayed.stderr.slice(-300),
    bound: true,
    met: same,
  });
}

function verdict(claim, report, uses, bound) {
  const step = report.steps.find(({ group }) => group?.join() === uses.join());
  claim(`${uses.join(" and ")}: the step is`, {
    value: step?.verdict ?? "absent",
    bound,
    met: step?.verdict === bound,
    note: step?.reason,
  });
}

function onTestSamples(claim, { accuracy, sizeBytes, baseline }) {
  const [, upper] = accuracy.dropInterval;
  claim("together: drop of top-1 on the test digits, upper end", {
    value: upper,
    bound: `<= ${maxDrop}`,
    n: accuracy.n,
    interval: accuracy.dropInterval,
    met: upper <= maxDrop,
  });
  const ratio = sizeBytes.brotli / baseline.sizeBytes.brotli;
  claim("together: download over the float model's", {
    value: ratio,
    bound: "< 0.6",
    met: ratio < 0.6,
    note: `${sizeBytes.brotli} of ${baseline.sizeBytes.brotli} bytes`,
  });
}

/** The files that were turned down, on samples that the search did not see. */
async function aloneOnTestSamples(bench) {
  const { claim, root, folder, model } = bench;
  const files = [];
  for (const { name, step } of [
    { name: "equalize", step: "equalize" },
    { name: "rounding", step: round },
  ]) {
    const recipe = written(bench, `${name}.json`, { steps: ["simplify", step] });
    const file = join(folder, `${name}.onnx`);
    const args = [...data, "--recipe", recipe, "-o", file];
    const { code, stderr } = await pare(root, ["quantize", model, ...args]);
    if (code !== 0) throw new Error(stderr.slice(-600));
    files.push(file);
  }
  const compared = await pare(root, [
    "bench",
    model,
    ...files,
    ...data,
    "--target",
    "cpu",
    "--json",
  ]);
  if (compared.code !== 0) throw new Error(compared.stderr.slice(-600));
  const { variants } = JSON.parse(compared.stdout);
  const [equalized, rounded] = variants;
  const larger = equalized.sizeBytes.brotli / equalized.baseline.sizeBytes.brotli;
  claim("equalizing alone: download over the float model's", {
    value: larger,
    bound: "> 1",
    met: larger > 1,
  });
  const [lowest] = rounded.accuracy.dropInterval;
  claim("rounding alone: drop of top-1 on the test digits, lower end", {
    value: lowest,
    bound: `> ${maxDrop}`,
    n: rounded.accuracy.n,
    interval: rounded.accuracy.dropInterval,
    met: lowest > maxDrop,
  });
}

/** An older opset gains nothing, and an older engine cannot do without it. */
async function whateverItGains({ claim, root, folder }) {
  const bench = { root, folder, model: join(root, "fixtures/models/mnist-cnn.onnx") };
  const { decodeModel, inferNode } = await import(join(root, "compiler/dist/index.js"));
  const { byteSource } = await import(join(root, "runtime/dist/format/index.js"));
  const opsetOf = async (bundle) => {
    const [{ files }] = manifestOf(bundle).variants;
    const bytes = new Uint8Array(readFileSync(join(bundle, files[0].path)));
    const source = { proto: byteSource(bytes), external: new Map() };
    return (await decodeModel(source, { infer: inferNode })).opset();
  };
  const must = await optimized(
    bench,
    "required",
    written(bench, "required.json", recipes.required),
  );
  const report = reportOf(must);
  verdict(claim, report, ["lower-opset"], "kept");
  const chosen = report.candidates.find(({ verdict: is }) => is === "chosen");
  claim("lower-opset, required: opset of what was chosen", {
    value: await opsetOf(must),
    bound: opset,
    met: (await opsetOf(must)) === opset && chosen.name !== "float",
    note: `${chosen.name}, of ${report.candidates.length} candidates`,
  });
  const without = report.candidates.filter(({ reason }) => reason.includes(`opset ${opset}`));
  claim("lower-opset, required: candidates that this opset cannot say are turned down", {
    value: without.length,
    bound: ">= 1",
    met: without.length >= 1 && without.every(({ verdict: is }) => is === "rejected"),
    note: without.map(({ name, reason }) => `${name}: ${reason}`)[0],
  });
  const free = await optimized(bench, "free", written(bench, "free.json", recipes.free));
  const chosenFree = reportOf(free).candidates.find(({ verdict: is }) => is === "chosen");
  claim("lower-opset, not required: opset of what was chosen", {
    value: await opsetOf(free),
    bound: `> ${opset}`,
    met: (await opsetOf(free)) > opset,
    note: chosenFree.name,
  });
}

async function oldNames(bench) {
  const { claim, root, folder, model } = bench;
  const fileOf = async (recipe, name) => {
    const file = join(folder, `${name}.onnx`);
    const args = [...data, "--recipe", written(bench, `${name}.json`, recipe), "-o", file];
    const { code, stderr } = await pare(root, ["quantize", model, ...args]);
    if (code !== 0) throw new Error(stderr.slice(-600));
    return readFileSync(file);
  };
  let same = 0;
  for (const [index, { old, now }] of former.entries())
    if ((await fileOf(old, `old-${index}`)).equals(await fileOf(now, `now-${index}`))) same += 1;
  claim("options by their former names make the same files as by today's", {
    value: same,
    bound: former.length,
    n: former.length,
    met: same === former.length,
    note: former.map(({ use, old }) => `${use} ${JSON.stringify(old.steps[0].with)}`).join("; "),
  });
}

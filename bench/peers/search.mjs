// node bench/peers/search.mjs [MODEL… [TARGET…]]: finds the best file that onnxruntime's quantizer makes of each model, and writes
// what it tried to found.json. Calibrated on the samples that calibrate Pare, judged on those that Pare chooses by; the
// test samples are not looked at.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { pare, run, scratch } from "../proofs/shell.mjs";
import { choose, close } from "./choose.mjs";
import { models } from "./models.mjs";
import { findPython, versions } from "./python.mjs";
import { writeSamples } from "./write-samples.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const result = new URL("found.json", import.meta.url);
const asked = process.argv.slice(2);
const targets = ["cpu", "wasm"].filter(
  (target) => asked.includes(target) || !(asked.includes("cpu") || asked.includes("wasm")),
);
/** The tool keeps every activation for some kinds of ranges. */
const mostKilobytes = 8_000_000;
const mostSeconds = 300;

const operators = [null, "Conv,MatMul,Gemm", "Conv", "MatMul,Gemm"];
/** Settings as quantize.py takes them. */
const first = [
  ...operators.flatMap((each) => [
    settings({ operators: each }),
    settings({ operators: each, perChannel: true }),
  ]),
  ...[null, "MatMul,Gemm"].flatMap((each) => [
    settings({ mode: "dynamic", operators: each }),
    settings({ mode: "dynamic", operators: each, perChannel: true }),
  ]),
];
/** Each added to the static settings that lost least. */
const further = [
  ["--ranges", "Percentile"],
  ["--ranges", "Entropy"],
  ["--reduce-range"],
  ["--activations", "QInt8"],
];

const python = await findPython();
const before = existsSync(result) ? JSON.parse(readFileSync(result, "utf8")) : {};
const found = before.models ?? {};
/** When and where a model's files were tried: a search of some of them leaves the others as they are. */
const searched = before.searched ?? {};
const here = {
  date: new Date().toISOString().slice(0, 10),
  processor: cpus()[0]?.model ?? "",
  versions,
};
const named = models.filter(({ name }) => asked.includes(name));
for (const model of named.length === 0 ? models : named) {
  const answers = await search(model);
  found[model.name] = { ...found[model.name], ...answers };
  const now = Object.fromEntries(Object.keys(answers).map((target) => [target, here]));
  searched[model.name] = { ...searched[model.name], ...now };
}
const how = "node bench/peers/search.mjs";
writeFileSync(result, `${JSON.stringify({ how, searched, models: found }, null, 2)}\n`);

function settings({ mode = "static", operators: only = null, perChannel = false }) {
  return [
    ...(mode === "static" ? [] : ["--mode", mode]),
    ...(only === null ? [] : ["--operators", only]),
    ...(perChannel ? ["--per-channel"] : []),
  ];
}

function search({ name, data, maxDrop }) {
  return scratch(async (folder) => {
    const model = join(root, `fixtures/models/${name}.onnx`);
    const module = join(root, `fixtures/data/${data}.mjs`);
    const samples = join(folder, "samples");
    await writeSamples(module, samples);
    const judged = join(folder, "validation.mjs");
    writeFileSync(judged, validationOnly(pathToFileURL(module).href));

    const files = [];
    const make = async (options) => {
      const out = join(folder, `${files.length}.onnx`);
      const error = await quantize([model, samples, out, ...options]);
      files.push({ options, out: error === null ? out : null, error });
    };
    const measured = async (target, some) => {
      const rows = await bench(
        model,
        some.filter(({ out }) => out !== null),
        judged,
        target,
      );
      const failed = some.filter(({ out }) => out === null);
      return [...rows, ...failed.map(({ options, error }) => ({ options, error }))];
    };
    for (const options of first) await make(options);
    const tried = await measured("cpu", files);
    const gentlest = tried
      .filter(({ options, size = 1 }) => size < 1 - close && !options.includes("dynamic"))
      .sort((a, b) => a.drop - b.drop || a.brotli - b.brotli)[0];
    const done = files.length;
    for (const more of gentlest === undefined ? [] : further)
      await make([...gentlest.options, ...more]);
    tried.push(...(await measured("cpu", files.slice(done))));

    const answers = {};
    for (const target of targets) {
      const rows = target === "cpu" ? tried : await measured(target, files);
      answers[target] = rows;
      for (const [what, file] of Object.entries(choose(rows, maxDrop)))
        console.log(`${name}, ${target}, ${what}: ${file?.options.join(" ") || "its defaults"}`);
    }
    return answers;
  });
}

/** Null, or why there is no file. */
async function quantize(args) {
  const script = join(root, "bench/peers/quantize.py");
  const limited = `ulimit -v ${mostKilobytes}; exec timeout ${mostSeconds} "$@"`;
  const { code, stderr } = await run("sh", ["-c", limited, "sh", python, script, ...args]);
  if (code === 0) return null;
  return code === 124 ? `more than ${mostSeconds} s` : (stderr.trim().split("\n").at(-1) ?? "");
}

/** In one session; where the engine refuses a file, each in a session of its own. */
async function bench(model, files, data, target) {
  const ask = async (some) => {
    const paths = some.map(({ out }) => out);
    const args = [model, ...paths, "--data", data, "--target", target, "--quiet", "--json"];
    const { code, stdout, stderr } = await pare(root, ["bench", ...args]);
    if (code !== 0) return stderr.trim().split("\n").slice(0, 2).join(" ").slice(0, 200);
    const { variants, skipped } = JSON.parse(stdout);
    return variants.length === some.length
      ? variants.map((row, index) => rowOf(row, some[index]))
      : (skipped[0]?.reason ?? "the engine refuses it");
  };
  const together = files.length === 0 ? [] : await ask(files);
  if (typeof together !== "string") return together;
  const rows = [];
  for (const file of files) {
    const alone = await ask([file]);
    rows.push(...(typeof alone === "string" ? [{ options: file.options, error: alone }] : alone));
  }
  return rows;
}

function rowOf({ sizeBytes, accuracy, latencyMs, baseline }, { options }) {
  const { drop, n } = accuracy;
  const size = sizeBytes.brotli / baseline.sizeBytes.brotli;
  const { ratio: latency, ratioInterval: latencyInterval } = latencyMs;
  return { options, brotli: sizeBytes.brotli, size, drop, n, latency, latencyInterval };
}

/** The samples that choose, where `bench` looks for those that test. */
function validationOnly(module) {
  const url = JSON.stringify(module);
  return `import { splits as whole } from ${url};
export * from ${url};
const { calibration, validation, test } = whole;
export const splits = { calibration, validation: test.slice(0, 1), test: validation };
`;
}

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { footprint } from "../../peers/footprint.mjs";
import { writeSamples } from "../../peers/write-samples.mjs";
import { manifestOf, pare, run, scratch } from "../shell.mjs";

const targets = ["cpu", "wasm"];
/**
 * Of each: the bar; the test samples that are compared on wasm, where the Python tools' files are slow (Pare's own drop is
 * over all of them); and the best that onnxruntime's quantizer makes of it, found by measuring its recipes.
 */
const models = [
  {
    name: "ocr-direction",
    data: "ocr-direction",
    maxDrop: 0.01,
    onWasm: 500,
    best: ["best", "--operators", "Conv,MatMul"],
    bestIs: "Conv and MatMul per channel",
    mode: "static",
  },
  {
    name: "blazeface-front",
    data: "blazeface-front",
    maxDrop: 0.002,
    best: ["best", "--operators", "Conv", "--ranges", "Percentile"],
    bestIs: "Conv per channel, percentile ranges",
    mode: "static",
  },
  {
    name: "ocr-recognition",
    data: "ocr-recognition",
    maxDrop: 0.01,
    onWasm: 200,
    best: ["best", "--operators", "Conv,MatMul"],
    bestIs: "Conv and MatMul per channel",
    mode: "static",
  },
  {
    name: "mnist-cnn",
    data: "mnist",
    maxDrop: 0.01,
    best: ["dynamic", "--operators", "MatMul,Gemm"],
    bestIs: "dynamic, MatMul and Gemm",
    mode: "dynamic",
  },
];
const versions = { onnxruntime: "1.31.1", onnx: "1.23.2", onnxsim: "0.8.1", onnxslim: "0.1.98" };

// What Pare makes of each model, next to what a Python user makes: the same test samples, the same engines, one session
// per target in which every file takes turns with the float model.
export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const { python, reason } = await findPython();
    const table = [];
    const costs = [];
    let environment = {};
    for (const model of models) {
      const file = join(root, `fixtures/models/${model.name}.onnx`);
      const data = join(root, `fixtures/data/${model.data}.mjs`);
      const own = join(folder, `${model.name}.pare`);
      const made = await pare(root, [
        "optimize",
        file,
        "--data",
        data,
        "--target",
        targets.join(),
        "--max-drop",
        String(model.maxDrop),
        "--quiet",
        "-o",
        own,
      ]);
      claim(`${model.name}: pare optimize exits with`, {
        value: made.code,
        bound: 0,
        met: made.code === 0,
        note: `${Math.round(made.seconds)} s${made.code === 0 ? "" : `, ${made.stderr.slice(-300)}`}`,
      });
      if (made.code !== 0) continue;
      const peers = python === null ? [] : await makePeers(model, file, data, python);
      for (const { what, code, stderr, seconds } of peers)
        claim(`${model.name}: ${what} exits with`, {
          value: code,
          bound: 0,
          met: code === 0,
          note: `${seconds.toFixed(1)} s${code === 0 ? "" : `, ${stderr.slice(-300)}`}`,
        });

      for (const target of targets) {
        const variant = manifestOf(own).variants.find((one) => one.target === target);
        if (variant === undefined) {
          claim(`${model.name}, ${target}: a variant`, { value: "none", bound: "one", met: false });
          continue;
        }
        const files = [
          {
            what: `Pare, ${variant.precision}`,
            is: "pare",
            path: join(own, variant.files[0].path),
          },
          ...peers.filter(({ code }) => code === 0),
        ];
        const compared = await bench(file, files, fewer(model, target, data), target);
        if (!compared.rows.some(({ is }) => is === "pare")) continue;
        environment = { ...compared.environment, ...environment };
        table.push(...tell(claim, model, target, compared, variant.accuracy));
      }
      costs.push(...peers.filter(({ is }) => is === "best"), await ownCost(model, file, data));
      if (python !== null) costs.push(...(await simplifiers(model, file, python)));
    }
    if (reason !== null)
      claim("rows of the Python tools that were skipped", {
        value: models.length * targets.length * 2,
        bound: "0 with a Python",
        met: true,
        note: reason,
      });
    writeTables(
      table,
      costs.filter(({ code }) => code === 0),
      environment,
      reason,
    );

    /** The data module, or one with as many of its test samples as that target takes. */
    function fewer({ name, onWasm }, target, module) {
      if (target !== "wasm" || onWasm === undefined) return module;
      const path = join(folder, `${name}.wasm.mjs`);
      const url = JSON.stringify(pathToFileURL(module).href);
      writeFileSync(
        path,
        `import { splits as whole } from ${url};
export * from ${url};
export const splits = { ...whole, test: whole.test.slice(0, ${onWasm}) };
`,
      );
      return path;
    }

    /** The plain and the best file of a Python user. */
    async function makePeers({ name, best, bestIs }, path, module, command) {
      const samples = join(folder, `${name}.samples`);
      await writeSamples(module, samples);
      const rows = [];
      for (const [is, recipe, what] of [
        ["plain", ["plain"], "its defaults"],
        ["best", best, bestIs],
      ]) {
        const out = join(folder, `${name}.${is}.onnx`);
        const script = join(root, "bench/peers/quantize.py");
        const cost = await footprint(command, [script, path, samples, out, "--recipe", ...recipe]);
        rows.push({
          ...cost,
          what: `onnxruntime's quantizer, ${what}`,
          is,
          path: out,
          model: name,
        });
      }
      return rows;
    }

    /** `pare quantize` on the same samples. */
    async function ownCost({ name, mode }, path, module) {
      const out = join(folder, `${name}.own.onnx`);
      const only = join(folder, `${name}.calibration.mjs`);
      writeFileSync(only, calibrationOnly(pathToFileURL(module).href));
      const cost = await footprint(process.execPath, [
        join(root, "cli/bin/pare.js"),
        "quantize",
        path,
        "--mode",
        mode,
        ...(mode === "static" ? ["--data", only] : []),
        "--quiet",
        "-o",
        out,
      ]);
      claim(`${name}: pare quantize exits with`, {
        value: cost.code,
        bound: 0,
        met: cost.code === 0,
        note: `${cost.seconds.toFixed(1)} s${cost.code === 0 ? "" : `, ${cost.stderr.slice(-300)}`}`,
      });
      return { ...cost, what: `pare quantize --mode ${mode}`, path: out, model: name };
    }

    async function simplifiers({ name }, path, command) {
      const rows = [];
      const own = join(folder, `${name}.simplified.onnx`);
      const cost = await footprint(process.execPath, [
        join(root, "cli/bin/pare.js"),
        "simplify",
        path,
        "--quiet",
        "-o",
        own,
      ]);
      rows.push({ ...cost, what: "pare simplify", path: own, model: name });
      for (const tool of ["onnxsim", "onnxslim"]) {
        const out = join(folder, `${name}.${tool}.onnx`);
        const script = join(root, "bench/peers/simplify.py");
        const taken = await footprint(command, [script, path, out, "--tool", tool]);
        rows.push({ ...taken, what: tool, path: out, model: name });
      }
      return rows;
    }

    /** All files in one session; where an engine refuses one of them, each in a session of its own. */
    async function bench(baseline, files, data, target) {
      const together = await benchOnce(baseline, files, data, target);
      if (together.report !== null) return rowsOf(together.report, files);
      const found = { float: null, rows: [], environment: {} };
      for (const one of files) {
        const { report, stderr } = await benchOnce(baseline, [one], data, target);
        if (report === null) {
          claim(`${baseline.split("/").at(-1)}, ${target}: ${one.what} runs`, {
            value: false,
            bound: one.is === "pare" ? true : "told",
            met: one.is !== "pare",
            note: stderr.slice(-300),
          });
          continue;
        }
        const alone = rowsOf(report, [one]);
        found.float ??= alone.float;
        found.environment = alone.environment;
        found.rows.push(...alone.rows);
      }
      return found;
    }

    async function benchOnce(baseline, files, data, target) {
      const paths = files.map(({ path }) => path);
      const { code, stdout, stderr } = await pare(root, [
        "bench",
        baseline,
        ...paths,
        "--data",
        data,
        "--target",
        target,
        "--quiet",
        "--json",
      ]);
      return { report: code === 0 ? JSON.parse(stdout) : null, stderr };
    }
  });
}

const rowsOf = (report, files) => ({
  float: report.variants[0].baseline,
  rows: report.variants.map((row, index) => ({ ...files[index], row })),
  environment: report.environment,
});

/** The claims of one model on one target, `whole` being Pare's accuracy on all test samples; gives the table's rows. */
function tell(claim, { name, maxDrop }, target, { float, rows }, whole) {
  const label = `${name}, ${target}`;
  const n = float.accuracy.n;
  const chain = ["float", ...rows.map(({ is }) => is)].join(" → ");
  const interval = (read) => rows.map(({ row }) => read(row)).map((each) => each ?? [null, null]);
  claim(`${label}: ${float.accuracy.metric}, ${chain}`, {
    value: [float.accuracy.value, ...rows.map(({ row }) => row.accuracy.value)],
    bound: "told",
    n,
    interval: [float.accuracy.interval, ...interval(({ accuracy }) => accuracy.interval)],
    met: true,
  });
  claim(`${label}: brotli bytes over the float model's, ${chain}`, {
    value: [1, ...rows.map(({ row }) => row.sizeBytes.brotli / float.sizeBytes.brotli)],
    bound: "told",
    met: true,
  });
  claim(`${label}: latency over the float model's, ${chain}`, {
    value: [1, ...rows.map(({ row }) => row.latencyMs.ratio)],
    bound: "told",
    interval: [[1, 1], ...interval(({ latencyMs }) => latencyMs.ratioInterval)],
    met: true,
  });
  const own = rows.find(({ is }) => is === "pare").row;
  const holds = whole.drop <= maxDrop + 1e-9;
  claim(`${label}: Pare's drop on all test samples`, {
    value: whole.drop,
    bound: `<= ${maxDrop}`,
    n: whole.n,
    interval: whole.dropInterval,
    met: holds,
  });
  for (const { is, row } of rows) {
    const within = row.accuracy.drop <= maxDrop + 1e-9;
    if (is === "pare" || (is === "plain" && !within)) continue;
    const size = own.sizeBytes.brotli / row.sizeBytes.brotli;
    const faster = own.latencyMs.ratioInterval?.[1] < row.latencyMs.ratioInterval?.[0];
    claim(`${label}: within the bar, and no larger than Python's ${is} or surely faster`, {
      value: `${size.toFixed(3)}× its bytes, latency ${shown(own.latencyMs.ratio)} against ${shown(row.latencyMs.ratio)}`,
      bound: "<= 1× its bytes, or intervals apart",
      n,
      interval: [own.latencyMs.ratioInterval, row.latencyMs.ratioInterval],
      met: holds && (size <= 1 || faster),
      note: `Python's ${is} drops ${shown(row.accuracy.drop, 4)}, ${within ? "within" : "over"} the bar`,
    });
  }
  return [{ what: "float", row: float }, ...rows].map((each) => ({ ...each, name, target }));
}

/** The interpreter with the tools, as PARE_PYTHON names it; or why there is none. */
async function findPython() {
  const python = process.env.PARE_PYTHON;
  if (python === undefined)
    return { python: null, reason: "PARE_PYTHON names no interpreter: see bench/peers/README.md" };
  const asked = `from importlib.metadata import version; print(*map(version, ${JSON.stringify(Object.keys(versions))}))`;
  const told = await run(python, ["-c", asked]).catch((error) => ({
    code: 1,
    stdout: "",
    stderr: error.message,
  }));
  const wanted = Object.values(versions).join(" ");
  if (told.code !== 0) return { python: null, reason: told.stderr.trim().split("\n").at(-1) };
  if (told.stdout.trim() !== wanted)
    return { python: null, reason: `it has ${told.stdout.trim()}, not ${wanted}` };
  return { python, reason: null };
}

/** A data module of what calibrates alone, so that nobody waits for test samples; the other splits must not be empty. */
const calibrationOnly = (module) => `
import { samples as all, splits as whole } from ${JSON.stringify(module)};
const [validation, test] = whole.validation;
export const splits = { calibration: whole.calibration, validation: [validation], test: [test] };
export async function* samples() {
  const wanted = new Set([...whole.calibration, validation, test]);
  for await (const sample of all()) {
    if (!wanted.delete(sample.id)) continue;
    yield sample;
    if (wanted.size === 0) return;
  }
}
`;

function writeTables(table, costs, environment, reason) {
  const engines = targets.map((target) => environment[target]).filter(Boolean);
  const text = [
    "# Against the alternatives",
    "",
    `Made by \`npm run prove -- line/against-the-alternatives\` on ${new Date().toISOString().slice(0, 10)}: ${[environment.processor, ...engines].join("; ")}. Every file ran on the same engines and the same test samples. Download is after brotli. Latency is over the float model's, with its 99 % interval; drop is of the metric, with its 95 % interval.${
      reason === null
        ? ` The Python tools: ${Object.entries(versions)
            .map((pair) => pair.join(" "))
            .join(", ")}.`
        : ` The Python tools' rows are missing: ${reason}.`
    }`,
    "",
    "| model | target | what | download | latency × | metric | drop |",
    "|---|---|---|---|---|---|---|",
    ...table.map(({ name, target, what, row: { sizeBytes, latencyMs, accuracy } }) =>
      cells([
        name,
        target,
        what,
        kilobytes(sizeBytes.brotli),
        what === "float"
          ? `1 (${shown(latencyMs.p50)} ms)`
          : `${shown(latencyMs.ratio)} ${range(latencyMs.ratioInterval, 2)}`,
        `${accuracy.metric} ${shown(accuracy.value, 4)} (n ${accuracy.n})`,
        what === "float" ? "" : `${shown(accuracy.drop, 4)} ${range(accuracy.dropInterval, 4)}`,
      ]),
    ),
    "",
    "What making a file takes, calibration included; `pare quantize` also renders its samples, the Python tools find theirs on disk. Memory is the sum over all processes.",
    "",
    "| model | what | seconds | peak memory | file |",
    "|---|---|---|---|---|",
    ...costs.map(({ model, what, seconds, peakBytes, path }) =>
      cells([
        model,
        what,
        shown(seconds, 1),
        peakBytes === null ? "" : `${Math.round(peakBytes / 1e6)} MB`,
        kilobytes(statSync(path).size),
      ]),
    ),
    "",
  ].join("\n");
  console.log(`\n${text}`);
  const measured = new URL("../../../docs/measured/line/", import.meta.url);
  mkdirSync(measured, { recursive: true });
  writeFileSync(new URL("against-the-alternatives.md", measured), text);
}

const cells = (row) => `| ${row.join(" | ")} |`;
const kilobytes = (bytes) =>
  bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
const shown = (value, digits = 2) => (typeof value === "number" ? value.toFixed(digits) : "–");
const range = (interval, digits) =>
  interval === null ? "" : `[${interval.map((each) => shown(each, digits)).join(", ")}]`;

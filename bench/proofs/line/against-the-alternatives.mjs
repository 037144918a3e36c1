import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { choose } from "../../peers/choose.mjs";
import { footprint } from "../../peers/footprint.mjs";
import { models } from "../../peers/models.mjs";
import { findPython, versions } from "../../peers/python.mjs";
import { writeSamples } from "../../peers/write-samples.mjs";
import { json, manifestOf, pare, scratch } from "../shell.mjs";

const targets = ["cpu", "wasm"];
/** What bench/peers/search.mjs tried of onnxruntime's quantizer on each model and target. */
const found = json(new URL("../../peers/found.json", import.meta.url));

function triedOn(name, target) {
  const tried = found.models[name]?.[target];
  if (tried === undefined)
    throw new Error(`Nothing was tried on ${name}: node bench/peers/search.mjs ${name} ${target}`);
  return tried;
}

// What Pare makes of each model, next to what a Python user makes: the same test samples, the same engines, one session
// per target in which every file takes turns with the float model.
export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const python = await findPython();
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
      const peers = await makePeers(model, file, data);
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
          ...peers
            .filter(({ code, on }) => code === 0 && on[target] !== undefined)
            .map((peer) => ({ ...peer, is: peer.on[target] })),
        ];
        const tested = model.tested === undefined ? data : join(root, model.tested);
        const compared = await bench(file, files, tested, target);
        if (!compared.rows.some(({ is }) => is === "pare")) continue;
        environment = { ...compared.environment, ...environment };
        table.push(...tell({ claim, inform }, model, target, compared));
      }
      costs.push(...peers, await ownCost(model, file, data));
      costs.push(...(await simplifiers(model, file)));
    }
    writeTables(
      table,
      costs.filter(({ code }) => code === 0),
      environment,
    );

    /** The plain file of a Python user, and the fastest and the smallest within the bar on each target; no file twice. */
    async function makePeers({ name, maxDrop }, path, module) {
      const samples = join(folder, `${name}.samples`);
      await writeSamples(module, samples);
      /** By settings: what they are on a target. */
      const wanted = new Map([
        ["", Object.fromEntries(targets.map((target) => [target, "plain"]))],
      ]);
      for (const target of targets)
        for (const [is, { options }] of Object.entries(choose(triedOn(name, target), maxDrop))) {
          const on = wanted.get(options.join(" ")) ?? {};
          wanted.set(options.join(" "), {
            ...on,
            [target]: on[target] === undefined ? is : `${on[target]} and ${is}`,
          });
        }
      const rows = [];
      for (const [index, [settings, on]] of [...wanted].entries()) {
        const out = join(folder, `${name}.${index}.onnx`);
        const script = join(root, "bench/peers/quantize.py");
        const options = settings === "" ? [] : settings.split(" ");
        const cost = await footprint(python, [script, path, samples, out, ...options]);
        const what = `onnxruntime's quantizer, ${settings === "" ? "its defaults" : settings.replaceAll("--", "")}`;
        rows.push({ ...cost, what, on, path: out, model: name });
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

    async function simplifiers({ name }, path) {
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
        const taken = await footprint(python, [script, path, out, "--tool", tool]);
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
          const name = `${baseline.split("/").at(-1)}, ${target}: ${one.what} runs`;
          const note = stderr.slice(-300);
          if (one.is === "pare") claim(name, { value: false, bound: true, met: false, note });
          else inform(name, { value: false, note });
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

/** The claims of one model on one target; gives the table's rows. */
function tell({ claim, inform }, { name, maxDrop }, target, { float, rows }) {
  const label = `${name}, ${target}`;
  const n = float.accuracy.n;
  const chain = ["float", ...rows.map(({ is }) => is)].join(" → ");
  const interval = (read) => rows.map(({ row }) => read(row)).map((each) => each ?? [null, null]);
  inform(`${label}: ${float.accuracy.metric}, ${chain}`, {
    value: [float.accuracy.value, ...rows.map(({ row }) => row.accuracy.value)],
    n,
    interval: [float.accuracy.interval, ...interval(({ accuracy }) => accuracy.interval)],
  });
  inform(`${label}: brotli bytes over the float model's, ${chain}`, {
    value: [1, ...rows.map(({ row }) => row.sizeBytes.brotli / float.sizeBytes.brotli)],
  });
  inform(`${label}: latency over the float model's, ${chain}`, {
    value: [1, ...rows.map(({ row }) => row.latencyMs.ratio)],
    interval: [[1, 1], ...interval(({ latencyMs }) => latencyMs.ratioInterval)],
  });
  const own = rows.find(({ is }) => is === "pare").row;
  const { drop, dropInterval } = own.accuracy;
  const [, upper] = dropInterval ?? [0, drop];
  claim(`${label}: Pare's drop on all test samples, upper end of its interval`, {
    value: upper,
    bound: `<= ${maxDrop}`,
    n,
    interval: dropInterval,
    met: upper <= maxDrop + 1e-9,
    note: `the drop itself is ${shown(drop, 4)}`,
  });
  for (const { is, row } of rows) {
    const surelyOver = (row.accuracy.dropInterval?.[0] ?? row.accuracy.drop) > maxDrop;
    if (is === "pare") continue;
    const size = own.sizeBytes.brotli / row.sizeBytes.brotli;
    const faster = own.latencyMs.ratioInterval?.[1] < row.latencyMs.ratioInterval?.[0];
    const value = `${size.toFixed(3)}× its bytes, latency ${shown(own.latencyMs.ratio)} against ${shown(row.latencyMs.ratio)}`;
    const note = `Python's ${is} drops ${shown(row.accuracy.drop, 4)} ${range(row.accuracy.dropInterval, 4)}`;
    const next = `${label}: next to Python's ${is}`;
    // Nobody would take it.
    if (surelyOver) inform(`${next}, which surely drops too much`, { value, n, note });
    else
      claim(`${next}: no larger, or surely faster`, {
        value,
        bound: "<= 1× its bytes, or intervals apart",
        n,
        interval: [own.latencyMs.ratioInterval, row.latencyMs.ratioInterval],
        met: size <= 1 || faster,
        note,
      });
  }
  return [{ what: "float", row: float }, ...rows].map((each) => ({ ...each, name, target }));
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

function writeTables(table, costs, environment) {
  const engines = targets.map((target) => environment[target]).filter(Boolean);
  const text = [
    "# Against the alternatives",
    "",
    `Made by \`npm run prove -- line/against-the-alternatives\` on ${new Date().toISOString().slice(0, 10)}: ${[environment.processor, environment.instructions, ...engines].filter(Boolean).join("; ")}. Every file ran on the same engines and the same test samples. Download is after brotli. Latency is over the float model's, with its 99 % interval; drop is of the metric, with its 95 % interval. The Python tools: ${Object.entries(
      versions,
    )
      .map((pair) => pair.join(" "))
      .join(", ")}; their settings are the best of those in \`bench/peers/found.json\`.`,
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

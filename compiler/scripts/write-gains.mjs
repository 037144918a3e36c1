// Writes what exhaustive searches measured as the table that later searches expect by:
// node compiler/scripts/write-gains.mjs
// It reads docs/measured/house/exhaustive/*.report.json and the models of bench/proofs/house/support/models.mjs.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { argumentsFor, models, shapeOptions } from "../../bench/proofs/house/support/models.mjs";
import { openModel } from "../../cli/dist/workbench/opened-model.js";
import { parseShapes } from "../../cli/dist/workbench/shape-options.js";
import { workloadOf } from "../dist/analysis/workload.js";
import { findPass } from "../dist/index.js";
import { expectedGain, operatorMix } from "../dist/targets/gains.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** As the searches that made the reports had it. */
const maxDrop = 0.01;
/** The processor that the reports were made on multiplies integers without saturating. */
const place = { cpu: "cpu exact", wasm: "wasm", webgpu: "webgpu" };

const rows = [];
for (const model of Object.keys(models)) {
  const path = join(root, `docs/measured/house/exhaustive/${model}.report.json`);
  if (!existsSync(path)) {
    console.error(`${model}: nothing was tried exhaustively`);
    continue;
  }
  const { args, reason } = await argumentsFor(root, model);
  // Without its model, what a report showed would be lost from the table.
  if (args === null) throw new Error(`${model} is not here: ${reason}`);
  const mix = await mixOf(args);
  const { candidates } = JSON.parse(readFileSync(path, "utf8"));
  for (const target of ["cpu", "wasm", "webgpu"]) {
    const own = candidates.filter((one) => one.target === target && one.measurement !== null);
    const float = own.find(({ name }) => name === "float")?.measurement;
    if (float === undefined || ratioOf(float) === null) continue;
    for (const { name, measurement } of own) {
      const ratio = ratioOf(measurement);
      // What no table proposes, such as a part left float, is nothing to expect.
      if (ratio === null || expectedGain(target, name, mix, false) === undefined) continue;
      const drop = measurement.accuracy?.drop ?? null;
      const size = measurement.sizeBytes.brotli / float.sizeBytes.brotli;
      const accepted = drop === null ? null : drop <= maxDrop;
      const latency = ratio / ratioOf(float);
      rows.push([place[target], name, mix, model, round(latency), round(size), accepted]);
    }
  }
}
const lines = rows.map((row) => `  [${row.map((one) => JSON.stringify(one)).join(", ")}],`);
writeFileSync(
  new URL("../src/targets/tables/measured-gains.ts", import.meta.url),
  `import type { MeasuredGain } from "./gain-row.js";

/** Written by compiler/scripts/write-gains.mjs from docs/measured/house/exhaustive: what trying everything showed. */
export const measuredGains: readonly MeasuredGain[] = [
${lines.join("\n")}
];
`,
);
console.error(`${rows.length} rows`);

function ratioOf({ latencyMs }) {
  return latencyMs.ratio ?? null;
}

async function mixOf([path, ...options]) {
  const model = await openModel(path, parseShapes(shapeOptions(options)));
  try {
    const pass = findPass("simplify");
    await pass.create(pass.parse({})).run(model.graph, {});
    return operatorMix(workloadOf(model.graph));
  } finally {
    model.close();
  }
}

function round(number) {
  return Number(number.toPrecision(3));
}

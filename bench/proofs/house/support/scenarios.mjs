// What the real models showed of what a search without limit looked at to the end, as scenarios to draw searches from.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { json } from "../../shell.mjs";

/**
 * @typedef {object} Way to a file
 * @property {string} name of the proposal
 * @property {number} ratio of the float model's latency
 * @property {number} drop
 * @property {number} flips share of the samples whose answer changed
 * @property {number} size of the float model's download
 * @property {number} noise standard deviation of the logarithm of a block's ratio
 */

const busiest = 0.45;

/** On a busy machine a static file at half the time was once called a tie with one at all of it. */
const busy = {
  model: "a busy machine",
  target: "wasm",
  runMs: 20,
  loadMs: 200,
  sampleMs: 22,
  validation: 400,
  test: 2000,
  ways: [
    { name: "int8-static", ratio: 0.502, drop: 0.002, flips: 0.01, size: 0.25, noise: busiest },
    { name: "int8-weights", ratio: 1, drop: 0, flips: 0.002, size: 0.2499, noise: 0.25 },
    { name: "int8-dynamic", ratio: 0.8, drop: 0.001, flips: 0.005, size: 0.26, noise: 0.3 },
    { name: "fp16-weights", ratio: 1, drop: 0, flips: 0.0005, size: 0.5, noise: 0.25 },
  ],
};

/** One scenario for each real model and target. */
export function scenarios(root) {
  const folder = join(root, "docs/measured/house/exhaustive");
  const found = readdirSync(folder)
    .filter((name) => name.endsWith(".report.json"))
    .flatMap((name) => ofReport(name.replace(".report.json", ""), json(join(folder, name))));
  return [...found, busy];
}

function ofReport(model, report) {
  return report.variants.flatMap((variant) => {
    const { target, baseline } = variant;
    if (baseline === null || baseline.latencyMs.p50 === undefined) return [];
    const measured = [
      ...report.candidates.filter((one) => one.target === target),
      ...report.steps.filter((one) => one.target === target),
    ].flatMap(({ name, measurement, verdict }) => wayOf(name, verdict, measurement, baseline));
    const ways = [...new Map(measured.map((way) => [way.name, way])).values()];
    return [
      {
        model,
        target,
        runMs: baseline.latencyMs.p50,
        loadMs: variant.startupMs ?? 200,
        sampleMs: baseline.latencyMs.p50 * 1.2 + 0.5,
        validation: report.data.validation,
        test: report.data.test,
        ways,
      },
    ];
  });
}

function wayOf(name, _, measurement, baseline) {
  const plain = name.split(":")[0];
  if (measurement === null || plain === "float" || plain === "simplify") return [];
  const { latencyMs, accuracy, sizeBytes } = measurement;
  if (latencyMs.ratioInterval === undefined || accuracy === null) return [];
  const [low, high] = latencyMs.ratioInterval;
  // A 99 % interval of a median over some eight blocks.
  const noise = (Math.log(high / low) / (2 * 2.576)) * Math.sqrt(8);
  const { drop, flips, n } = accuracy;
  return [
    {
      name: plain,
      ratio: latencyMs.ratio,
      drop: drop ?? 0,
      flips: flips === null ? Math.min(0.1, Math.abs(drop ?? 0) * 2 + 0.005) : flips.count / n,
      size: sizeBytes.brotli / baseline.sizeBytes.brotli,
      // Where one block out of a few made an end, the others were quieter: no more than on the busy machine.
      noise: Math.min(busiest, Math.max(0.005, noise)),
    },
  ];
}

// What gradient checkpointing gives and costs: the most memory of a training step and its time, with all values kept and with
// few of them, in processes that take turns; and that the same is learned.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { deep } from "./support/deep-networks.mjs";

const rounds = 3;
/** Samples of a batch whose values take next to nothing: what is left is the engine, the code and the weights. */
const fewSamples = 4;
const script = fileURLToPath(new URL("support/steps-in-process.mjs", import.meta.url));

export async function prove({ claim }) {
  for (const [name, { called, batch }] of Object.entries(deep)) {
    const whole = [];
    const again = [];
    const laidOut = [];
    const small = [];
    for (let round = 0; round < rounds; round += 1) {
      whole.push(await stepsOf(name, "whole", batch));
      again.push(await stepsOf(name, "again", batch));
      laidOut.push(await stepsOf(name, "laid-out", batch));
      small.push(await stepsOf(name, "whole", fewSamples));
    }
    const besides = median(small.map(({ bytes }) => bytes));
    const ratio = (of) => median(again.map((one, at) => of(one) / of(whole[at])));
    const memory = ratio(({ bytes }) => bytes - besides);
    const [before, after] = [whole, again].map((all) => median(all.map(({ bytes }) => bytes)));
    claim(`${called}: memory of a batch's values where few are kept, over all`, {
      value: memory,
      bound: 0.6,
      n: rounds,
      met: memory <= 0.6,
      note: `batches of ${batch}: the process grows by ${megabytes(after)} instead of ${megabytes(before)} MB, of ${fewSamples} by ${megabytes(besides)}`,
    });
    const time = ratio(({ ms }) => ms);
    const [slow, quick] = [again, whole].map((all) => median(all.map(({ ms }) => ms)));
    claim(`${called}: time of a step where few values are kept, over all`, {
      value: time,
      bound: 1.5,
      n: rounds,
      met: time <= 1.5,
      note: `${slow.toFixed(1)} instead of ${quick.toFixed(1)} ms on one thread`,
    });
    const without = (of) => median(whole.map((one, at) => of(one) / of(laidOut[at])));
    const kept = without(({ bytes }) => bytes - besides);
    claim(`${called}: memory of a batch's values, of what the engine lays out beforehand`, {
      value: kept,
      bound: 0.8,
      n: rounds,
      met: kept <= 0.8,
    });
    const taken = without(({ ms }) => ms);
    claim(`${called}: time of a step, of that with memory laid out beforehand`, {
      value: taken,
      bound: 1.05,
      n: rounds,
      met: taken <= 1.05,
    });
    const apart = Math.max(
      ...whole[0].losses.map((loss, at) => Math.abs(again[0].losses[at] / loss - 1)),
    );
    claim(`${called}: how far apart the losses of ${whole[0].losses.length} epochs are`, {
      value: apart,
      bound: 1e-3,
      n: whole[0].losses.length,
      met: apart <= 1e-3,
    });
  }
}

async function stepsOf(name, how, batch) {
  const args = [script, name, how, String(batch)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(0);

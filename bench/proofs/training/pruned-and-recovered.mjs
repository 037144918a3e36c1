// Pruned well under half and taught again by what they were: how right they stay, and how much quicker they get.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyStep, encodeModel, passes } from "../../../compiler/dist/index.js";
import { run, scratch } from "../shell.mjs";
import { bytesOf, inverted, residual } from "./support/networks.mjs";
import { accuracyOf, graphOf, mean, splitsOf, spread, taught } from "./support/teach.mjs";

const seeds = [1, 2, 3];
/** Of the multiplications saved, the share by which latency must fall at least. */
const leastShare = 0.6;

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const context = { claim, inform, root, folder };
    const digits = await splitsOf(
      new URL("fixtures/data/mnist-training.mjs", `file://${root}`).href,
    );
    const float = readFileSync(join(root, "fixtures/models/mnist-cnn.onnx"));
    for (const [times, points] of [
      [5.5, 1],
      [11.8, 2],
    ])
      await recovered(context, {
        name: `digits, ${times}× fewer parameters`,
        float,
        step: { keepParams: 1 / times },
        data: digits,
        options: { epochs: 12, batch: 32, rate: 0.003 },
        points,
      });
    const clothes = await splitsOf(
      new URL("fixtures/data/fashion-mnist.mjs", `file://${root}`).href,
    );
    const some = { ...clothes, training: clothes.training.slice(0, 18_000) };
    for (const { name, network } of [
      { name: "ResNet-8, 32 channels", network: residual({ width: 32 }) },
      { name: "inverted residuals", network: inverted() },
    ]) {
      const start = await bytesOf(network);
      const options = { epochs: 4, batch: 64, rate: 0.004 };
      const { bytes } = await taught(start, { samples: some.training, seed: 1, options });
      await recovered(context, {
        name: `clothes, ${name}, half of the multiplications`,
        float: bytes,
        step: { keepFlops: 0.5 },
        data: some,
        options: { epochs: 4, batch: 64, rate: 0.002 },
        points: 1,
      });
    }
  });
}

async function recovered({ claim, inform, root, folder }, { name, float, step, data, ...how }) {
  const before = await accuracyOf(float, data.test);
  const cut = await pruned(float, step);
  inform(`${name}: top-1 as it came, and cut but not taught`, {
    value: [before, await accuracyOf(cut, data.test)],
    n: data.test.length,
  });
  const rights = [];
  for (const seed of seeds) {
    const { options } = how;
    const { bytes } = await taught(cut, { samples: data.training, teacher: float, seed, options });
    rights.push(await accuracyOf(bytes, data.test));
  }
  const drops = rights.map((right) => 100 * (before - right));
  claim(`${name}: points lost once taught, mean of three seeds`, {
    value: mean(drops),
    bound: how.points,
    n: data.test.length,
    interval: spread(drops),
    met: mean(drops) <= how.points,
    note: `${data.training.length} samples to learn from, ${how.options.epochs} epochs; the interval is the three's spread`,
  });
  const files = { float: join(folder, "float.onnx"), cut: join(folder, "cut.onnx") };
  writeFileSync(files.float, float);
  writeFileSync(files.cut, cut);
  const { code, stdout, stderr } = await run(
    process.execPath,
    [
      join(root, "cli/bin/pare.js"),
      "bench",
      files.float,
      files.cut,
      "--target",
      "cpu,wasm",
      "--json",
    ],
    { cwd: root },
  );
  if (code !== 0) throw new Error(`bench: exit ${code}: ${stderr.slice(-500)}`);
  const report = JSON.parse(stdout);
  for (const { target, macs, latencyMs, baseline } of report.variants) {
    const saved = 1 - macs / baseline.macs;
    const { ratio, ratioInterval } = latencyMs;
    const bound = 1 - leastShare * saved;
    claim(`${name}, ${target}: latency over that of the model as it came`, {
      value: ratio,
      bound,
      interval: ratioInterval,
      n: latencyMs.n,
      met: ratioInterval[1] <= bound,
      note: `${Math.round(100 * saved)} % of the multiplications saved; ${latencyMs.baselineP50} ms before`,
    });
  }
}

async function pruned(bytes, options) {
  const { graph } = await applyStep(
    await graphOf(bytes),
    { use: "prune", with: options },
    {},
    passes,
  );
  return (await encodeModel(graph)).proto;
}

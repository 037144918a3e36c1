import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "../../../runtime/dist/index.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { pare, scratch } from "../shell.mjs";

const blocks = 60;
const runs = 40;

// A model of about a millisecond, run through the runtime and through onnxruntime-node itself, in blocks that take turns.
export async function prove({ claim, inform, root }) {
  const ort = await import("onnxruntime-node");
  await scratch(async (folder) => {
    const bundle = join(folder, "overhead.pare");
    const { path: model, reason } = await modelPath("latency/mbv2-100-96");
    if (model === null) throw new Error(reason);
    const made = await pare(root, [
      "optimize",
      model,
      "--recipe",
      "simplify",
      "--target",
      "cpu",
      "-o",
      bundle,
    ]);
    claim("a bundle of a small model", {
      value: made.code,
      bound: 0,
      met: made.code === 0,
      note: made.code === 0 ? undefined : made.stderr.slice(-200),
    });
    const manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8"));
    const own = await load(bundle, { backends: [cpu()] });
    const session = await ort.InferenceSession.create(
      join(bundle, manifest.variants[0].files[0].path),
      { intraOpNumThreads: 1, interOpNumThreads: 1 },
    );
    const [input] = own.inputs;
    const data = Float32Array.from({ length: input.dims.reduce((a, b) => a * b, 1) }, (_, index) =>
      Math.sin(index),
    );
    const feeds = { [input.name]: { type: input.type, dims: input.dims, data } };
    const tensors = { [input.name]: new ort.Tensor(input.type, data, input.dims) };
    const contenders = [() => own.run(feeds), () => session.run(tensors)];
    for (const run of contenders) for (let index = 0; index < 300; index += 1) await run();

    const ratios = [];
    const medians = [[], []];
    for (let block = 0; block < blocks; block += 1) {
      const order = block % 2 === 0 ? [0, 1] : [1, 0];
      const times = [[], []];
      for (let turn = 0; turn < runs; turn += 1) {
        for (const which of order) {
          const started = performance.now();
          await contenders[which]();
          times[which].push(performance.now() - started);
        }
      }
      medians[0].push(median(times[0]));
      medians[1].push(median(times[1]));
      ratios.push(median(times[0]) / median(times[1]));
    }
    const interval = bootstrap(ratios);
    inform("milliseconds of onnxruntime-node alone", {
      value: median(medians[1]),
      n: blocks * runs,
    });
    claim("the runtime's latency over onnxruntime's", {
      value: median(ratios),
      bound: "< 1.02",
      n: blocks,
      interval,
      met: median(ratios) < 1.02,
      note: `${Math.round(1000 * (median(medians[0]) - median(medians[1])))} µs a run`,
    });

    const outputs = await own.run(feeds);
    const again = await own.run(feeds);
    const name = own.outputs[0].name;
    claim("outputs belong to the caller", {
      value: outputs[name].data !== again[name].data,
      bound: true,
      met:
        outputs[name].data !== again[name].data &&
        outputs[name].data.join() === again[name].data.join(),
    });
    await own.dispose();
    await session.release();
  });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** 99 %, of the median. */
function bootstrap(values, rounds = 2000) {
  let seed = 1;
  const next = () => (seed = (Math.imul(seed, 48271) >>> 0) % 2147483647) / 2147483647;
  const medians = Array.from({ length: rounds }, () =>
    median(values.map(() => values[Math.floor(next() * values.length)])),
  ).sort((a, b) => a - b);
  return [medians[Math.floor(rounds * 0.005)], medians[Math.floor(rounds * 0.995)]];
}

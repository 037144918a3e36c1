import { join } from "node:path";
import { load } from "../../../runtime/dist/index.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { pare, scratch } from "../shell.mjs";

const blocks = 60;
const runs = 40;

// A model of about a millisecond, run through the runtime and through onnxruntime-node itself, in blocks that take turns:
// one session runs both, for two sessions of one file differ by 2 % by where their weights came to lie. The blocks come
// twice: what V8 has compiled after some thousand runs is what an app runs for most of its time.
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
    const { loaded: own, session } = await withItsSession(ort, () =>
      load(bundle, { backends: [cpu()] }),
    );
    const [input] = own.inputs;
    const data = Float32Array.from({ length: input.dims.reduce((a, b) => a * b, 1) }, (_, index) =>
      Math.sin(index),
    );
    const feeds = { [input.name]: { type: input.type, dims: input.dims, data } };
    const tensors = { [input.name]: new ort.Tensor(input.type, data, input.dims) };
    const contenders = [() => own.run(feeds), () => session.run(tensors)];
    const first = await compared(contenders);
    const later = await compared(contenders);
    const added = ({ medians: [runtime, engine] }) =>
      `${Math.round(1000 * (runtime - engine))} µs a run`;
    inform("milliseconds of onnxruntime-node alone", {
      value: later.medians[1],
      n: blocks * runs,
    });
    inform(`the runtime's latency over onnxruntime's in the first ${blocks * runs} runs`, {
      value: first.ratio,
      n: blocks,
      interval: first.interval,
      note: added(first),
    });
    claim("the runtime's latency over onnxruntime's", {
      value: later.ratio,
      bound: "< 1.02",
      n: blocks,
      interval: later.interval,
      met: later.ratio < 1.02,
      note: added(later),
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
  });
}

/** Medians of two, in milliseconds, and of their ratio in each block, with its interval. */
async function compared(contenders) {
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
  return { medians: medians.map(median), ratio: median(ratios), interval: bootstrap(ratios) };
}

/** What `make` gives, and the engine's session that it made. */
async function withItsSession({ InferenceSession }, make) {
  const { create } = InferenceSession;
  let session = null;
  InferenceSession.create = async (...given) => (session = await create(...given));
  try {
    return { loaded: await make(), session };
  } finally {
    InferenceSession.create = create;
  }
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

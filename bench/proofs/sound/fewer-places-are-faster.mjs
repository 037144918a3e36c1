// Work that is done at each place of an image is done where it has fewer: `simplify` moves it, and `convolve-repeats`, which
// stores more weights, is a step that is measured. Networks that decode maps, by their shapes; weights are noise.
import { brotliCompressSync } from "node:zlib";
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { attribute, findPass, findTarget } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { wasm } from "../../../runtime/dist/backends/ort-web.js";
import { inputsOf, noiseFor } from "../aot/support/compiled.mjs";
import { graphOf } from "../aot/support/made-network.mjs";
import { relativeError } from "../aot/support/relative-error.mjs";

const enlarged = (b, x, mode, times = 2) =>
  b.add("Resize", [x, null, b.floats([1, 1, times, times])], {
    mode: attribute.string(mode),
    coordinate_transformation_mode: attribute.string("asymmetric"),
    nearest_mode: attribute.string("floor"),
  });

/** What `simplify` moves. */
const moved = {
  "a palm detector's decoder: 256 channels of 8 × 8, enlarged, to 256": {
    input: [1, 256, 8, 8],
    build: (b, x) => b.relu(b.convolved(enlarged(b, x, "linear"), 256, 256, 1)),
  },
  "a segmenter's decoder: 128 channels of 16 × 16, enlarged, to 24": {
    input: [1, 128, 16, 16],
    build: (b, x) => b.relu(b.convolved(enlarged(b, x, "linear"), 128, 24, 1)),
  },
  "a transition of a dense network: 256 channels of 28 × 28 to 128, pooled": {
    input: [1, 256, 28, 28],
    build: (b, x) =>
      b.add("AveragePool", [b.convolved(x, 256, 128, 1)], {
        kernel_shape: attribute.ints([2, 2]),
        strides: attribute.ints([2, 2]),
      }),
  },
};

/** What `convolve-repeats` says otherwise: channels, size, channels, window, times. */
const repeats = [
  [256, 16, 128, 3, 2],
  [64, 64, 32, 3, 2],
  [16, 64, 16, 3, 2],
  [32, 64, 3, 3, 2],
  [64, 8, 64, 3, 2],
  [32, 32, 32, 3, 4],
];
/** Of time, geometric means over networks; threads as an engine takes them by itself. */
const most = { cpu: 1, wasm: 0.75, aot: 0.95 };

const places = { cpu, wasm, aot };
const blocks = 31;
const blockMs = 25;
const mostError = 1e-5;

export async function prove({ claim, inform }) {
  for (const [name, network] of Object.entries(moved)) {
    const before = graphOf(network);
    await findPass("normalize").create({}).run(before, {});
    const after = before.fork();
    await findPass("simplify").create({}).run(after, {});
    // What becomes a module is simplified anyhow.
    for (const place of ["cpu", "wasm"]) {
      const { ratios, error } = await compared(place, before, after);
      claim(`${name}: time on ${place}, of what it takes as it is`, { ...told(ratios), bound: "≤ 1", met: median(ratios) <= 1 }); // prettier-ignore
      agrees(claim, `${name}, ${place}`, error);
    }
  }
  const logs = { cpu: [], wasm: [], aot: [] };
  for (const [from, size, to, window, times] of repeats) {
    const name = `${from} channels of ${size} × ${size}, repeated ${times} × ${times} times, to ${to} by ${window} × ${window}`;
    const before = graphOf({
      input: [1, from, size, size],
      build: (b, x) =>
        b.relu(b.convolved(enlarged(b, b.relu(x), "nearest", times), from, to, window)),
    });
    await findPass("simplify").create({}).run(before, {});
    const after = before.fork();
    await findPass("convolve-repeats").create({}).run(after, {});
    for (const place of Object.keys(places)) {
      const { ratios, error, bytes } = await compared(place, before, after);
      inform(`${name}: time on ${place}, of what it takes as it is`, { ...told(ratios), note: `${bytes.toPrecision(3)} of its download` }); // prettier-ignore
      agrees(claim, `${name}, ${place}`, error);
      logs[place].push(Math.log(median(ratios)));
    }
  }
  for (const [place, bound] of Object.entries(most)) {
    const mean = Math.exp(logs[place].reduce((sum, log) => sum + log, 0) / logs[place].length);
    claim(`repeats, ${place}: time of what it takes as it is, geometric mean`, { value: mean, bound: `≤ ${bound}`, n: logs[place].length, met: mean <= bound }); // prettier-ignore
  }
}

function told(ratios) {
  const interval = bootstrapInterval(ratios, median, {
    confidence: 0.95,
    resamples: 1000,
    seed: 1,
  });
  return { value: median(ratios), n: ratios.length, interval };
}

function agrees(claim, name, error) {
  claim(`${name}: the largest difference, relative`, { value: error, bound: `≤ ${mostError}`, n: 1, met: error <= mostError }); // prettier-ignore
}

/** The second's time over the first's, in blocks of runs in turns; how far it is from it, and how much larger after brotli. */
async function compared(place, before, after) {
  const artifacts = [];
  for (const graph of [before, after]) artifacts.push(await findTarget(place).emit(graph, {}));
  const sessions = [];
  for (const artifact of artifacts) sessions.push(await places[place]().load(artifact));
  const feeds = noiseFor(inputsOf(before), 3);
  const outputs = [];
  for (const session of sessions) outputs.push(await session.run(feeds));
  const runs = await runsIn(blockMs, sessions[0], feeds);
  const block = async (session) => {
    const began = performance.now();
    for (let at = 0; at < runs; at += 1) await session.run(feeds);
    return performance.now() - began;
  };
  for (const session of sessions) for (let at = 0; at < 8; at += 1) await block(session);
  const ratios = [];
  for (let at = 0; at < blocks; at += 1) {
    const [one, other] = at % 2 === 0 ? [0, 1] : [1, 0];
    const times = [];
    for (const turn of [one, other]) times[turn] = await block(sessions[turn]);
    ratios.push(times[1] / times[0]);
  }
  for (const session of sessions) await session.dispose();
  const [small, large] = artifacts.map(({ files }) =>
    files.reduce((sum, { bytes }) => sum + brotliCompressSync(bytes).length, 0),
  );
  return { ratios, error: relativeError(...outputs), bytes: large / small };
}

async function runsIn(ms, session, feeds) {
  await session.run(feeds);
  const began = performance.now();
  await session.run(feeds);
  return Math.max(1, Math.round(ms / (performance.now() - began)));
}

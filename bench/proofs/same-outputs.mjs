// Two models on the same noise on one engine: how far apart their outputs are.
import { goldenFeeds, goldenInputs, onnxArtifact } from "../../runtime/dist/format/index.js";

/** What noise is made of: a run each. Signals, brightness and pixels. */
export const noises = [
  [-1, 1],
  [0, 1],
  [0, 255],
];
/** A smaller one counts as this: the tail of a sigmoid has no more digits. */
const leastNumber = 0.01;

/**
 * The largest difference in an output over the largest number in it, of all outputs and runs the worst; how many runs, and
 * how many numbers were compared.
 */
export async function compareOutputs(host, before, after) {
  const [given, made] = [
    await host.load(onnxArtifact(before)),
    await host.load(onnxArtifact(after)),
  ];
  let worst = 0;
  let elements = 0;
  for (const [seed, range] of noises.entries()) {
    const feeds = noiseFor(given.inputs, seed, range);
    const expected = await host.run(given, feeds);
    worst = Math.max(worst, distance(expected, await host.run(made, feeds)));
    for (const { data } of Object.values(expected)) elements += data.length;
  }
  await host.unload(given);
  await host.unload(made);
  return { worst, runs: noises.length, elements };
}

/** Noise; voice detectors take one window of their sampling rate, of a sound: its samples are no pixels. */
export function noiseFor(inputs, seed, [least, most]) {
  const isVoice = inputs.some(({ name }) => name === "sr");
  const range = isVoice ? [Math.max(-1, least), Math.min(1, most)] : [least, most];
  const choices = {};
  for (const { name, type, dims } of inputs) {
    const free = isVoice ? (name === "input" ? 512 : 1) : 64;
    choices[name] = {
      dims: dims.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? 1 : free)),
      ...(type === "float32" && { range }),
      ...(name === "sr" && { values: [16_000] }),
    };
  }
  return goldenFeeds(goldenInputs(inputs, 1 + 1000 * seed, choices));
}

/** The largest difference in an output over the largest number in it; of all outputs the worst. */
function distance(expected, actual) {
  let worst = 0;
  for (const [name, { dims, data }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.dims.join() !== dims.join()) return Infinity;
    let largest = leastNumber;
    let apart = 0;
    for (const [at, value] of data.entries()) {
      largest = Math.max(largest, Math.abs(Number(value)));
      if (Object.is(value, other.data[at])) continue;
      const difference = Math.abs(Number(value) - Number(other.data[at]));
      apart = Math.max(apart, Number.isNaN(difference) ? Infinity : difference);
    }
    worst = Math.max(worst, apart / largest);
  }
  return worst;
}

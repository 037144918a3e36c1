// Encoders as modules whose products are of integers, with ranges that a run finds, as `optimize` tries them: how much sooner
// they answer than in floats, how much less is downloaded, and that they give what onnxruntime gives for the same steps.
import { bootstrapInterval } from "../../../bench/dist/statistics/bootstrap.js";
import { median } from "../../../bench/dist/statistics/quantile.js";
import { applyStep, findTarget, passes } from "../../../compiler/dist/index.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { asModule, fixedGraph, inputsOf, noiseFor, outputsOfEngine } from "./support/compiled.mjs";
import { blocks, downloadOf, resultsOf, timed } from "./support/modules-side-by-side.mjs";

const encoders = ["latency/enc-64x128", "latency/enc-128x384x1", "minilm"];
const most = { bytes: 0.35, time: 0.85, apart: 0.001 };

export async function prove({ claim, inform }) {
  for (const name of encoders) {
    const { path, reason } = await modelPath(name);
    if (path === null) inform(`${name} cannot be had here`, { value: reason });
    else await proveOne(name, path);
  }

  async function proveOne(name, path) {
    const graph = await fixedGraph({ name, path });
    const { group } = findTarget("aot")
      .propose(graph)
      .find((one) => one.name === "int8-dynamic");
    let rounded = graph.fork();
    for (const step of group.steps) rounded = (await applyStep(rounded, step, {}, passes)).graph;
    const [integers, floats] = [await asModule(rounded), await asModule(graph)];

    const [less, whole] = [integers, floats].map(downloadOf);
    claim(`${name}: what is downloaded, of the module with floats`, {
      value: less / whole,
      bound: `≤ ${most.bytes}`,
      met: less / whole <= most.bytes,
      note: `${less} instead of ${whole} bytes after brotli`,
    });

    const feeds = { ...noiseFor(inputsOf(graph), 3), ...sentenceFor(inputsOf(graph)) };
    const expected = await outputsOfEngine(rounded, feeds);
    const apart = differenceOf(expected, await resultsOf(integers, feeds));
    // One rounding that falls the other way moves the ranges of all that follows.
    const ofItself = differenceOf(
      expected,
      await outputsOfEngine(rounded, feeds, { graphOptimizationLevel: "disabled" }),
    );
    const bound = Math.max(most.apart, ofItself);
    claim(
      `${name}: root mean square of what it gives less what onnxruntime gives, of the latter's`,
      {
        value: apart,
        bound: `≤ ${most.apart}, or what onnxruntime is from itself without optimizing`,
        met: apart <= bound,
        note: `onnxruntime from itself ${ofItself.toPrecision(2)}`,
      },
    );

    const { ratios, ms } = await timed(integers, floats, feeds);
    const ratio = median(ratios);
    claim(`${name}: time of a run, of that of the module with floats`, {
      value: ratio,
      bound: `≤ ${most.time}`,
      n: blocks,
      interval: bootstrapInterval(ratios, median, { confidence: 0.95, resamples: 1000, seed: 1 }),
      met: ratio <= most.time,
      note: ms.map((one) => `${one.toPrecision(3)} ms`).join(" and "),
    });
  }
}

function differenceOf(expected, given) {
  let [apart, all] = [0, 0];
  for (const [name, { data }] of Object.entries(expected))
    data.forEach((value, at) => {
      apart += (value - given[name].data[at]) ** 2;
      all += value ** 2;
    });
  return Math.sqrt(apart / all);
}

/** Words from all over a sentence transformer's table: of two alone, engines differ by what a rounding makes of the next. */
function sentenceFor(inputs) {
  const words = { input_ids: (at) => 1000 + ((at * 397) % 20_000), attention_mask: () => 1, token_type_ids: () => 0 }; // prettier-ignore
  const known = inputs.flatMap(({ name, type, dims }) => {
    if (words[name] === undefined) return [];
    const count = dims.reduce((product, size) => product * size, 1);
    const data = BigInt64Array.from({ length: count }, (_, at) => BigInt(words[name](at)));
    return [[name, { type, dims, data }]];
  });
  return Object.fromEntries(known);
}

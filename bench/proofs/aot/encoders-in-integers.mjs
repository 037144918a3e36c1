// Encoders as modules whose products are of integers, with ranges that a run finds, as `optimize` tries them: how much sooner
// they answer than in floats, how much less is downloaded, and that they give what onnxruntime gives for the same steps.
import { applyStep, findTarget, passes } from "../../../compiler/dist/index.js";
import { asModule, inputsOf, noiseFor, outputsOfEngine } from "./support/compiled.mjs";
import { shake } from "../support/shake.mjs";
import { claimSmaller, claimTime, ofEach, resultsOf } from "./support/modules-side-by-side.mjs";

export { partByProcessor as part } from "../without-vnni.mjs";

const encoders = ["latency/enc-64x128", "latency/enc-128x384x1", "minilm"];
/** About what sums of some hundred float32 are off, added up in another order. */
const roundings = [1e-6, 2e-6, 3e-6];
const most = { bytes: 0.35, time: 0.85, apart: 0.001 };

export async function prove({ claim, inform }) {
  await ofEach(encoders, inform, async ({ name, graph }) => {
    const { group } = findTarget("aot")
      .propose(graph)
      .find((one) => one.name === "int8-dynamic");
    let rounded = graph.fork();
    for (const step of group.steps) rounded = (await applyStep(rounded, step, {}, passes)).graph;
    const [integers, floats] = [await asModule(rounded), await asModule(graph)];

    claimSmaller(claim, name, integers, floats, most.bytes);

    const feeds = { ...noiseFor(inputsOf(graph), 3), ...sentenceFor(inputsOf(graph)) };
    const expected = await outputsOfEngine(rounded, feeds);
    const apart = differenceOf(expected, await resultsOf(integers, feeds));
    // One rounding that falls the other way moves the ranges of all that follows: so far is the engine from itself where it
    // does not optimize, or where weights are rounded otherwise.
    const others = [await outputsOfEngine(rounded, feeds, { graphOptimizationLevel: "disabled" })];
    for (const by of roundings) {
      const shaken = rounded.fork();
      await shake(shaken, by);
      others.push(await outputsOfEngine(shaken, feeds));
    }
    const ofItself = Math.max(...others.map((other) => differenceOf(expected, other)));
    const bound = Math.max(most.apart, ofItself);
    claim(
      `${name}: root mean square of what it gives less what onnxruntime gives, of the latter's`,
      {
        value: apart,
        bound: `≤ ${most.apart}, or what onnxruntime is from itself where it rounds otherwise`,
        met: apart <= bound,
        note: `onnxruntime from itself ${ofItself.toPrecision(2)}`,
      },
    );

    await claimTime(claim, name, integers, floats, feeds, most.time);
  });
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

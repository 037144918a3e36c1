// At the same 4 bits per block, products on examples come out closer than with the nearest integers.
import {
  answersOf,
  applyGroup,
  claim,
  cpu,
  digits,
  done,
  examplesOf,
  importModel,
  mnist,
  optimize,
  passes,
  rewriteSchema,
  sessionOf,
  sourceOf,
} from "../../capability-run.mjs";

await rewriteSchema();
const calibration = await examplesOf(digits, "calibration", 200);
const graph = await importModel(sourceOf(mnist));
const context = { examples: calibration };
const made = async (...steps) =>
  (await applyGroup(graph, { steps: [{ use: "simplify" }, ...steps] }, context, passes)).graph;
const matrices = { use: "round-with-examples" };
const convolutions = { keepFloat: { ops: ["Conv"] } };
const nearest = {
  use: "quantize-weights",
  with: { bits: 4, granularity: "block", ...convolutions },
};
const others = await examplesOf(digits, "validation", 200);
const answers = async (of) => {
  const session = await sessionOf(of);
  const all = [];
  for await (const { feeds } of others.read())
    all.push(...Object.values(await session.run(feeds))[0].data);
  await session.dispose();
  return all;
};
const float = await answers(await made());
const error = (some) => Math.hypot(...some.map((value, at) => value - float[at]));
const examples = error(await answers(await made(matrices)));
const round = error(await answers(await made(nearest)));
claim("error of the logits on other digits, over that of rounding to the nearest", {
  value: examples / round,
  bound: 0.9,
  n: others.count,
  met: examples / round <= 0.9,
});

const recipe = { steps: ["simplify", { ...matrices, required: true }] };
const options = ["--data", digits, "--target", "cpu,wasm"];
const { bundle, variant, report } = await optimize("rounded", recipe, mnist, options);
claim("the precision that the bundle says", {
  value: variant.precision,
  bound: "int4-weights",
  met: variant.precision === "int4-weights",
  note: report.steps.map(({ target, name, verdict }) => `${target} ${name} ${verdict}`).join("; "),
});
const right = await answersOf(bundle, cpu(), await examplesOf(digits, "test", 500));
claim("right on test digits, from the bundle", {
  value: right,
  bound: 0.97,
  n: 500,
  met: right >= 0.97,
});
done();

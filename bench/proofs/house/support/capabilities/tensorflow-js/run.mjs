// The digits' network as a TensorFlow.js graph model: read, optimized and bundled like any other, and the same function.
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  answersOf,
  byteSource,
  claim,
  cpu,
  digits,
  done,
  examplesOf,
  importModel,
  mnist,
  optimize,
  rewriteSchema,
  root,
  sessionOf,
  sourceOf,
  work,
} from "../../capability-run.mjs";
import { graphModelOf } from "./graph-model-of.mjs";

await rewriteSchema();
const original = await importModel(sourceOf(mnist));
const { model, shard } = await graphModelOf(original);
writeFileSync(join(work, "model.json"), JSON.stringify(model));
writeFileSync(join(work, "group1-shard1of1.bin"), shard);

const read = await importModel({
  name: "model.json",
  main: byteSource(new TextEncoder().encode(JSON.stringify(model))),
  beside: new Map([["group1-shard1of1.bin", byteSource(shard)]]),
});
const some = await examplesOf(digits, "validation", 100);
const [onnx, tensorflow] = [await sessionOf(original), await sessionOf(read)];
let most = 0;
for await (const { feeds } of some.read()) {
  const expected = Object.values(await onnx.run(feeds))[0].data;
  const x = { ...feeds.x, dims: [1, 28, 28, 1] };
  const got = Object.values(await tensorflow.run({ x }))[0].data;
  expected.forEach((value, at) => (most = Math.max(most, Math.abs(value - got[at]))));
}
claim("logits, greatest difference from the ONNX file's", {
  value: most,
  bound: 1e-4,
  n: some.count,
  met: most <= 1e-4,
});

const data = join(work, "digits.mjs");
writeFileSync(
  data,
  `import * as digits from ${JSON.stringify(join(root, digits))};
export const { splits } = digits;
export async function* samples() {
  for await (const sample of digits.samples())
    yield { ...sample, feeds: { x: { ...sample.feeds.x, dims: [1, 28, 28, 1] } } };
}
`,
);
const options = ["--data", data, "--target", "cpu", "--time-budget", "40s"];
const recipe = { steps: ["simplify"], propose: true };
const { bundle, report, variant } = await optimize(
  "read",
  recipe,
  join(work, "model.json"),
  options,
);
const examples = await examplesOf(relative(root, data), "test", 200);
const right = await answersOf(bundle, cpu(), examples);
claim("right on test digits, from the bundle", {
  value: right,
  bound: 0.97,
  n: 200,
  met: right >= 0.97,
  note: `${variant.id}; ${report.steps.map(({ name, verdict }) => `${name} ${verdict}`).join("; ")}`,
});
done();

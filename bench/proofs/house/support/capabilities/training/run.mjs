// A training step is right by central differences; the pass lowers the loss; a recipe with it is bundled and loads.
import {
  answersOf,
  applyGroup,
  claim,
  cpu,
  digits,
  done,
  edit,
  examplesOf,
  importModel,
  mnist,
  optimize,
  passes,
  random,
  rewriteSchema,
  root,
  sessionOf,
  sourceOf,
  Tensor,
} from "../../capability-run.mjs";

await rewriteSchema();
const calibration = await examplesOf(digits, "calibration", 200);
const graph = await importModel(sourceOf(mnist));
const group = (...steps) => ({ steps, required: false });
const float = await applyGroup(graph, group({ use: "simplify" }), {}, passes);

const { trainingStep } = await import(`${root}compiler/dist/train/training-step.js`);
const batch = 4;
const step = trainingStep(float.graph, batch);
const feeds = { target: { type: "float32", dims: [batch, 10], data: new Float32Array(40) } };
const pixels = new Float32Array(batch * 784);
let index = 0;
for await (const { feeds: one, label } of calibration.read()) {
  if (index === batch) break;
  pixels.set(one.x.data, index * 784);
  // A wrong class: the loss is not near 0, so that there is a slope to measure.
  feeds.target.data[index * 10 + ((label + 1) % 10)] = 1;
  index += 1;
}
feeds.x = { type: "float32", dims: [batch, 1, 28, 28], data: pixels };
for (const { tensor, input } of step.parameters)
  feeds[input] = { type: "float32", dims: tensor.dims, data: await tensor.readFloat32() };
const session = await sessionOf(step.graph);
const made = await session.run(feeds);
const draw = random();
let worst = 0;
for (const { input, gradient } of step.parameters) {
  const { data, dims } = feeds[input];
  const direction = Float32Array.from(data, () => draw() - 0.5);
  const size = Math.hypot(...direction);
  const along = async (by) => {
    const moved = data.map((value, at) => value + (by * direction[at]) / size);
    const answer = await session.run({ ...feeds, [input]: { type: "float32", dims, data: moved } });
    return answer.loss.data[0];
  };
  const slope = ((await along(0.02)) - (await along(-0.02))) / 0.04;
  const said = made[gradient].data.reduce((sum, g, at) => sum + (g * direction[at]) / size, 0);
  worst = Math.max(worst, Math.abs(slope - said) / Math.max(Math.abs(slope), 0.01));
}
await session.dispose();
claim("gradients against central differences, relative error at most", {
  value: worst,
  bound: 0.02,
  n: step.parameters.length,
  met: step.parameters.length === 4 && worst <= 0.02,
});

// Its last layer forgets what it had learned.
const [weights, bias] = step.parameters;
const forgotten = float.graph.fork();
edit(forgotten, "forget", (editor) => {
  const values = Float32Array.from({ length: weights.tensor.count }, () => (draw() - 0.5) / 10);
  editor.setConstant(weights.value, Tensor.float32(weights.tensor.dims, values));
  editor.setConstant(bias.value, Tensor.float32(bias.tensor.dims, new Float32Array(10)));
});
const train = group({ use: "fine-tune", with: { epochs: 8 } });
const context = { examples: calibration, random };
const hashes = [];
let said = "";
for (let time = 0; time < 2; time += 1) {
  const { graph: trained, journal } = await applyGroup(forgotten, train, context, passes);
  said = journal.at(-1)?.reason ?? "";
  const parts = step.parameters.map(({ value }) => trained.constant(value).readFloat32());
  hashes.push((await Promise.all(parts)).map((values) => values.join()).join());
}
claim("the same step on the same examples gives the same weights, twice", {
  value: hashes[0] === hashes[1],
  bound: true,
  n: 2,
  met: hashes[0] === hashes[1],
});
const [, before, after] = /loss (\S+) to (\S+) in/.exec(said) ?? [];
claim("loss after training over loss before", {
  value: Number(after) / Number(before),
  bound: 0.5,
  met: Number(after) <= 0.5 * Number(before),
  note: said,
});

const recipe = {
  name: "trained",
  steps: ["simplify", { use: "fine-tune", with: { epochs: 2 }, required: true }],
};
const options = ["--data", digits, "--target", "cpu", "--max-drop", "0.02"];
const { bundle, report } = await optimize("trained", recipe, mnist, options);
const right = await answersOf(bundle, cpu(), await examplesOf(digits, "test", 200));
claim("the bundle's model loads with its golden check, and is right on test digits", {
  value: right,
  bound: 0.95,
  n: 200,
  met: right >= 0.95,
  note: JSON.stringify(report.steps.map(({ name, verdict }) => [name, verdict])),
});
done();

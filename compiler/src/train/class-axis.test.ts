import { expect, it } from "vitest";
import { attribute, type Graph } from "../ir/index.js";
import { evaluateGraph } from "../ops/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { LabelReader } from "./labels.js";
import { chooseObjectives, type ObjectiveOptions } from "./objectives.js";
import { learnedConstants } from "./parameters.js";
import { targetName, trainingGraph } from "./training-graph.js";

const [batch, classes, height, width] = [2, 3, 2, 4];
const places = height * width;
const options: ObjectiveOptions = { alpha: 0.7, temperature: 4, signals: [], labels: "auto" };

/** Scores of classes at each place of a map, [C, H, W] or [H, W, C] of a sample. */
function network(isLast: boolean, softmax: boolean): Graph {
  return graphOf({ x: ["float32", batch, 2, height, width] }, (input, b) => {
    const scores = b.add("Conv", [input("x"), b.weights(classes, 2, 1, 1)]);
    const y = isLast
      ? b.add("Transpose", [scores], { perm: attribute.ints([0, 2, 3, 1]) })
      : scores;
    const axis = attribute.int(isLast ? 3 : 1);
    return { y: softmax ? b.add("Softmax", [y], { axis }) : y };
  });
}

const x = {
  type: "float32" as const,
  dims: [batch, 2, height, width],
  data: Float32Array.from({ length: 2 * batch * places }, (_, at) => Math.sin(3 * at)),
};
const right = Array.from({ length: batch * places }, (_, at) => (at * 7) % classes);

/** −log softmax of the right class, a mean over all places. */
async function byHand(): Promise<number> {
  const { y } = await evaluateGraph(network(true, false), { x });
  const scores = Array.from((y?.data ?? []) as Float32Array);
  const losses = right.map((wanted, place) => {
    const row = scores.slice(place * classes, (place + 1) * classes);
    return Math.log(row.reduce((sum, one) => sum + Math.exp(one), 0)) - (row[wanted] ?? Number.NaN);
  });
  return losses.reduce((sum, one) => sum + one, 0) / losses.length;
}

it.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])("is where classes are told apart: last %s, a softmax behind %s", async (isLast, softmax) => {
  const graph = network(isLast, softmax);
  const reader = new LabelReader("a test");
  for (let sample = 0; sample < batch; sample += 1)
    reader.add(right.slice(sample * places, (sample + 1) * places), String(sample));
  const objectives = chooseObjectives({ graph, batch }, null, reader.finish(), options, "a test");
  const learned = learnedConstants(graph);
  const step = trainingGraph(graph, {
    samples: { x: [1, 2, height, width] },
    batch,
    objectives,
    learned,
    trained: learned,
    norms: "batch",
    dropout: "skip",
    recompute: false,
    engine: "cpu",
  });
  const weights = learned.map(({ tensor }, index) => [
    step.parameters[index]?.input ?? "",
    { type: "float32" as const, dims: tensor.dims, data: tensor.data as Float32Array },
  ]);
  const target = {
    type: "int64" as const,
    dims: [batch, height, width],
    data: BigInt64Array.from(right, BigInt),
  };
  const feeds = { x, ...Object.fromEntries(weights), [targetName(0)]: target };
  const { loss } = await evaluateGraph(step.graph, feeds);
  expect(loss?.data[0]).toBeCloseTo(await byHand(), 5);
});

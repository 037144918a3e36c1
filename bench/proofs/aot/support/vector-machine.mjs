// A classifier by support vectors that tells handwritten digits apart: for each two of them a perceptron in its dual form
// (Freund and Schapire, 1999), whose mistakes become the vectors; and what scikit-learn exports of one, with probabilities.
import {
  attribute,
  edit,
  Graph,
  inferNode,
  newHeader,
  randomOf,
  tensorType,
} from "../../../../compiler/dist/index.js";

const classes = 10;
const epochs = 4;

/**
 * @param kernel LINEAR or RBF
 * @param learned samples, so many of each class
 * @returns a graph: `pixels` [1, 784] to `label` [1], which is text, and `probabilities` [1, 10]
 */
export function vectorMachineOf(kernel, learned, perClass, seed) {
  const samples = Array.from({ length: classes }, (_, label) =>
    learned.filter((one) => one.label === label).slice(0, perClass),
  ).flat();
  const gamma = kernel === "RBF" ? 1 / (784 * varianceOf(samples)) : 0;
  const similar = similarities(samples, kernel, gamma);
  const pairs = [];
  for (let first = 0; first < classes; first += 1)
    for (let second = first + 1; second < classes; second += 1)
      pairs.push({ first, second, ...perceptron(samples, similar, [first, second], seed) });
  const used = samples.map((_, at) => pairs.some(({ factors }) => (factors.get(at) ?? 0) !== 0));
  const vectors = [...samples.keys()].filter((at) => used[at]);
  const coefficients = Array.from({ length: classes - 1 }, () => vectors.map(() => 0));
  for (const { first, second, factors } of pairs)
    for (const [place, at] of vectors.entries()) {
      const { label } = samples[at];
      const row = label === first ? second - 1 : label === second ? first : -1;
      if (row >= 0) coefficients[row][place] = factors.get(at) ?? 0;
    }
  const attributes = {
    kernel_type: attribute.string(kernel),
    kernel_params: attribute.floats([gamma, 0, 3]),
    vectors_per_class: attribute.ints(
      Array.from({ length: classes }, (_, label) => vectors.filter((at) => samples[at].label === label).length), // prettier-ignore
    ),
    support_vectors: attribute.floats(vectors.flatMap((at) => [...samples[at].pixels])),
    coefficients: attribute.floats(coefficients.flat()),
    rho: attribute.floats(pairs.map(({ bias }) => bias)),
    prob_a: attribute.floats(pairs.map(({ scale }) => -2 / scale)),
    prob_b: attribute.floats(pairs.map(() => 0)),
    classlabels_strings: {
      type: "strings",
      value: "zero one two three four five six seven eight nine".split(" "),
    },
    post_transform: attribute.string("NONE"),
  };
  return { graph: graphOf(attributes), vectors: vectors.length };
}

function graphOf(attributes) {
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      editor.setOpset("ai.onnx.ml", 1);
      const pixels = editor.addInput("pixels", tensorType("float32", [1, 784]));
      const options = { domain: "ai.onnx.ml", outputs: ["label", "probabilities"] };
      for (const output of editor.add("SVMClassifier", [pixels], attributes, options))
        editor.addOutput(output);
    },
    { interface: true },
  );
  return graph;
}

/** Every mistake makes the sample count once more, on its class's side. */
function perceptron(samples, similar, [first, second], seed) {
  const random = randomOf(seed, `pair ${first} ${second}`);
  const own = [...samples.keys()].filter((at) => [first, second].includes(samples[at].label));
  const factors = new Map();
  let [bias, sum, count] = [0, 0, 0];
  const scoreOf = (at) => {
    let score = bias;
    for (const [other, factor] of factors) score += factor * similar[at * samples.length + other];
    return score;
  };
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    for (let at = own.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [own[at], own[other]] = [own[other], own[at]];
    }
    for (const at of own) {
      const side = samples[at].label === first ? 1 : -1;
      const score = scoreOf(at);
      if (score * side <= 0) {
        factors.set(at, (factors.get(at) ?? 0) + side);
        bias += side;
      }
      [sum, count] = [sum + Math.abs(score), count + 1];
    }
  }
  return { factors, bias, scale: sum / count };
}

function similarities(samples, kernel, gamma) {
  const { length } = samples;
  const result = new Float64Array(length * length);
  for (let i = 0; i < length; i += 1)
    for (let j = 0; j <= i; j += 1) {
      const [x, y] = [samples[i].pixels, samples[j].pixels];
      let sum = 0;
      if (kernel === "LINEAR") for (let at = 0; at < x.length; at += 1) sum += x[at] * y[at];
      else for (let at = 0; at < x.length; at += 1) sum += (x[at] - y[at]) ** 2;
      result[i * length + j] = kernel === "LINEAR" ? sum : Math.exp(-gamma * sum);
      result[j * length + i] = result[i * length + j];
    }
  return result;
}

function varianceOf(samples) {
  let [sum, squares, count] = [0, 0, 0];
  for (const { pixels } of samples)
    for (const x of pixels) [sum, squares, count] = [sum + x, squares + x * x, count + 1];
  return squares / count - (sum / count) ** 2;
}

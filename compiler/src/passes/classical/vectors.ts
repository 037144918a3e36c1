import { attribute, type ValueId } from "../../ir/index.js";
import {
  classifierVectors,
  couplingOfPairs,
  linearScores,
  mostCoupled,
  pairsOf,
  regressorVectors,
  type SupportVectors,
} from "../../ops/index.js";
import type { Step } from "../opset/adapter.js";
import { answer, classLabels, labelOfLargest } from "./classes.js";
import { cast, samples } from "./samples.js";

/** Numbers that are made of a file's: sums of its vectors, or a coefficient of each vector and score. */
const mostNumbers = 2 ** 24;
/** Multiplications of a linear kernel's sums. */
const mostWork = 2 ** 31;
/** Larger powers are left to Pow. */
const mostProducts = 8;

/** Of every sample the sums over its products with vectors, or over what the kernel says of those. */
function scoresOf(step: Step, machine: SupportVectors): ValueId {
  const { x, features } = samples(step);
  const { biases, count } = machine;
  if (machine.features !== features) return step.refuse("its vectors are not as long as a sample");
  const isLinear = machine.kernel === "LINEAR";
  const columns = isLinear ? features : count;
  if (columns * biases.length > mostNumbers || machine.terms * features > mostWork)
    return step.refuse("it has too many vectors");
  const weights = isLinear ? linearScores(machine) : coefficients(machine);
  const similar = isLinear ? x : similarity(step, x, machine);
  return product(step, similar, weights, biases);
}

function product(
  step: Step,
  x: ValueId,
  weights: Float64Array,
  biases: ArrayLike<number>,
): ValueId {
  const dims = [biases.length, weights.length / biases.length];
  const inputs = [x, step.float32("vectors", weights, dims), step.float32("biases", biases)];
  return step.add("Gemm", inputs, { transB: attribute.int(1) });
}

/** Score by score one of each vector. */
function coefficients(machine: SupportVectors): Float64Array {
  const { count, biases } = machine;
  const result = new Float64Array(biases.length * count);
  machine.eachTerm((vector, score, coefficient) => {
    result[score * count + vector] = coefficient;
  });
  return result;
}

/** What the kernel says of each sample and each vector, as onnxruntime's svmclassifier.h has it. */
function similarity(step: Step, x: ValueId, machine: SupportVectors): ValueId {
  const { kernel, gamma, offset, degree, count, vectors } = machine;
  const scaled = () =>
    product(step, x, Float64Array.from(vectors, (value) => gamma * value), Array.from({ length: count }, () => offset)); // prettier-ignore
  switch (kernel) {
    case "RBF":
      return step.add("Exp", [distances(step, x, machine)]);
    case "SIGMOID":
      return step.add("Tanh", [scaled()]);
    case "POLY":
      return power(step, scaled(), degree);
    case "LINEAR":
      return step.refuse("a linear kernel is a product alone");
    default:
      return kernel satisfies never;
  }
}

function power(step: Step, x: ValueId, degree: number): ValueId {
  if (!Number.isInteger(degree) || degree < 1 || degree > mostProducts)
    return step.add("Pow", [x, step.float32("degree", [degree], [])]);
  return Array.from({ length: degree - 1 }).reduce<ValueId>((sum) => step.add("Mul", [sum, x]), x);
}

/**
 * −γ·|x − v|² as a product: 2γ·x·v − γ·|v|² − γ·|x|². All are taken from their mean first: of features that are far from 0,
 * and near each other, what is left of such large numbers would be noise.
 */
function distances(step: Step, x: ValueId, machine: SupportVectors): ValueId {
  const { gamma, count, features, vectors } = machine;
  const mean = new Float64Array(features);
  vectors.forEach((value, at) => {
    mean[at % features] = (mean[at % features] ?? 0) + value / count;
  });
  // As the module subtracts it.
  const centre = Float32Array.from(mean);
  const centred = Float64Array.from(vectors, (value, at) => value - (centre[at % features] ?? 0));
  const lengths = new Float64Array(count);
  centred.forEach((value, at) => {
    const vector = Math.floor(at / features);
    lengths[vector] = (lengths[vector] ?? 0) - gamma * value * value;
  });
  const from = step.add("Sub", [x, step.float32("centre", centre)]);
  const own = step.add("ReduceSumSquare", [from, step.int64("axes", [1])]);
  const scaled = step.add("Mul", [own, step.float32("gamma", [-gamma], [])]);
  const cross = product(step, from, centred.map((value) => 2 * gamma * value), lengths); // prettier-ignore
  // Rounding aside no distance is below 0.
  return step.add("Min", [step.add("Add", [cross, scaled]), step.float32("zero", [0], [])]);
}

function regress(step: Step): void {
  const machine = regressorVectors(step.attributes);
  if (typeof machine === "string") return step.refuse(machine);
  const scores = scoresOf(step, machine);
  if (step.attributes.int("one_class", 0) === 0) return step.replaceBy(scores);
  const isInside = step.add("Greater", [scores, step.float32("zero", [0], [])]);
  const sides = [step.float32("inside", [1], []), step.float32("outside", [-1], [])];
  step.replaceBy(step.add("Where", [isInside, ...sides]));
}

/** As onnxruntime's svmclassifier.cc has it: the class that wins most of its pairs, whatever the probabilities are. */
function classify(step: Step): void {
  const machine = classifierVectors(step.attributes);
  if (typeof machine === "string") return step.refuse(machine);
  const labels = classLabels(step, "classlabels_ints");
  const { count: classes } = labels;
  if (machine.biases.length !== (classes * (classes - 1)) / 2)
    return step.refuse("its classes are not as many as its scores");
  const transform = step.attributes.string("post_transform", "NONE");
  if (transform !== "NONE") return step.refuse(`${transform} of its scores has no words`);
  if (classes * machine.biases.length > mostNumbers) return step.refuse("it has too many classes");
  const scores = scoresOf(step, machine);
  const label = labelOfLargest(step, votes(step, scores, classes), labels.id);
  if (step.attributes.has("prob_a"))
    return answer(step, label, probabilities(step, scores, classes));
  if (classes > 2) return answer(step, label, scores);
  const both = [step.add("Neg", [scores]), scores];
  answer(step, label, step.add("Concat", both, { axis: attribute.int(1) }));
}

/** Of each class how many of its pairs it wins: with a score above 0 the first of them. */
function votes(step: Step, scores: ValueId, classes: number): ValueId {
  const pairs = pairsOf(classes);
  const weights = new Float64Array(classes * pairs.length);
  const others = Array.from({ length: classes }, () => 0);
  for (const [at, [first, second]] of pairs.entries()) {
    weights[first * pairs.length + at] = 1;
    weights[second * pairs.length + at] = -1;
    others[second] = (others[second] ?? 0) + 1;
  }
  const isFirst = step.add("Greater", [scores, step.float32("zero", [0], [])]);
  return product(step, cast(step, isFirst, "float32"), weights, others);
}

/**
 * Probabilities of classes are found in rounds from those of pairs, which no operator of ai.onnx does. What is left to do is
 * said as a classifier whose features are the logits of pairs.
 */
function probabilities(step: Step, scores: ValueId, classes: number): ValueId {
  const { length: pairs } = pairsOf(classes);
  const [slopes, shifts] = [step.attributes.floats("prob_a"), step.attributes.floats("prob_b")];
  if (slopes?.length !== pairs || shifts?.length !== pairs)
    return step.refuse("its probabilities are not as many as its scores");
  if (classes > mostCoupled) return step.refuse("it has too many classes");
  const scaled = step.add("Mul", [scores, step.float32("slopes", slopes.map((slope) => -slope))]); // prettier-ignore
  const logits = step.add("Sub", [scaled, step.float32("shifts", shifts)]);
  const [, shares] = step.editor.add("SVMClassifier", [logits], couplingOfPairs(classes), {
    body: step.graph.body(step.node.body),
    domain: "ai.onnx.ml",
    outputs: 2,
  });
  return shares ?? step.refuse("it has no probabilities");
}

export const vectorWords: Readonly<Record<string, (step: Step) => void>> = {
  "ai.onnx.ml::SVMClassifier": classify,
  "ai.onnx.ml::SVMRegressor": regress,
};

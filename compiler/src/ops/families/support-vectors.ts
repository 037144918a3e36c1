import { attribute, type Attributes } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

const kernels = ["LINEAR", "POLY", "RBF", "SIGMOID"] as const;
export type VectorKernel = (typeof kernels)[number];

/** Support vectors, and how what a kernel says of a sample and each of them becomes scores. */
export interface SupportVectors {
  readonly kernel: VectorKernel;
  readonly gamma: number;
  /** Added to a product, of POLY and SIGMOID. */
  readonly offset: number;
  readonly degree: number;
  readonly features: number;
  readonly count: number;
  /** Vector by vector. */
  readonly vectors: readonly number[];
  /** Each score is a sum over vectors, and this. */
  readonly biases: readonly number[];
  /** How many numbers those sums have. */
  readonly terms: number;
  eachTerm(visit: VisitTerm): void;
}

type VisitTerm = (vector: number, score: number, coefficient: number) => void;

/** SVMRegressor's, of one score; without vectors its coefficients are one. Else why there are none. */
export function regressorVectors(attributes: AttributeReader): SupportVectors | string {
  const coefficients = attributes.floats("coefficients") ?? [];
  const given = attributes.int("n_supports", 0);
  const [bias] = attributes.floats("rho") ?? [];
  if (bias === undefined || coefficients.length === 0) return "it has no coefficients";
  const own = given === 0 ? asVector(coefficients) : vectorsOf(attributes, given);
  const factors = given === 0 ? [1] : coefficients;
  if (typeof own === "string") return own;
  if (factors.length !== own.count) return "its coefficients are not as many as its vectors";
  return {
    ...own,
    biases: [bias],
    terms: factors.length,
    eachTerm(visit) {
      factors.forEach((factor, vector) => visit(vector, 0, factor));
    },
  };
}

/** SVMClassifier's, with a score for each pair of classes. Else why there are none. */
export function classifierVectors(attributes: AttributeReader): SupportVectors | string {
  const perClass = attributes.ints("vectors_per_class") ?? [];
  const coefficients = attributes.floats("coefficients") ?? [];
  const rho = attributes.floats("rho") ?? [];
  if (perClass.length < 2 || perClass.some((count) => count < 0))
    return "how many vectors a class has is not known";
  const classes = perClass.length;
  let count = 0;
  const starts = perClass.map((own) => (count += own) - own);
  if (count === 0) return "it has no support vectors";
  const own = vectorsOf(attributes, count);
  if (typeof own === "string") return own;
  if (coefficients.length !== (classes - 1) * count || rho.length !== (classes * (classes - 1)) / 2)
    return "its coefficients are not as many as its vectors and classes";
  const pairs = pairsOf(classes);
  return {
    ...own,
    biases: rho,
    terms: coefficients.length,
    eachTerm(visit) {
      const visitClass = (at: number, row: number, score: number): void => {
        const [start = 0, size = 0] = [starts[at], perClass[at]];
        for (let vector = start; vector < start + size; vector += 1)
          visit(vector, score, coefficients[row * count + vector] ?? 0);
      };
      for (const [score, [first, second]] of pairs.entries()) {
        visitClass(first, second - 1, score);
        visitClass(second, first, score);
      }
    },
  };
}

type Compared = Pick<
  SupportVectors,
  "kernel" | "gamma" | "offset" | "degree" | "count" | "features" | "vectors"
>;

function vectorsOf(attributes: AttributeReader, count: number): Compared | string {
  const vectors = attributes.floats("support_vectors") ?? [];
  const type = attributes.string("kernel_type", "LINEAR");
  const kernel = kernels.find((name) => name === type);
  const [gamma = 0, offset = 0, degree = 0] = attributes.floats("kernel_params") ?? [];
  if (kernel === undefined) return `its kernel ${type} is not known`;
  const features = vectors.length / count;
  if (!Number.isInteger(features) || features < 1)
    return "its vectors are not as long as they should be";
  return { kernel, gamma, offset, degree, count, features, vectors };
}

/** What features are multiplied by, where nothing is compared. */
function asVector(vectors: readonly number[]): Compared {
  const { length: features } = vectors;
  return { kernel: "LINEAR", gamma: 0, offset: 0, degree: 0, count: 1, features, vectors };
}

/** Of a linear kernel, what each score multiplies features by, score by score. */
export function linearScores(machine: SupportVectors): Float64Array {
  const { features, vectors, biases } = machine;
  const result = new Float64Array(biases.length * features);
  machine.eachTerm((vector, score, coefficient) => {
    if (coefficient === 0) return;
    for (let feature = 0; feature < features; feature += 1)
      result[score * features + feature] =
        (result[score * features + feature] ?? 0) +
        coefficient * (vectors[vector * features + feature] ?? 0);
  });
  return result;
}

/** Pairs of classes in the order of their scores. */
export function pairsOf(classes: number): readonly (readonly [first: number, second: number])[] {
  return Array.from({ length: classes }, (_, first) =>
    Array.from({ length: classes - 1 - first }, (_unused, at) => [first, first + 1 + at] as const),
  ).flat();
}

/**
 * A linear classifier with one vector for each pair of classes: the vectors are what its scores multiply features by. A
 * pair's vector belongs to its second class, so that the last class has some: where one begins has to be a place that there is.
 * @param weights score by score
 */
export function vectorOfEachPair(
  classes: number,
  features: number,
  weights: ArrayLike<number>,
): Attributes {
  const pairs = pairsOf(classes);
  const placed = [...pairs.entries()].sort(
    ([, [first, second]], [, [otherFirst, otherSecond]]) =>
      second - otherSecond || first - otherFirst,
  );
  const coefficients = Array.from({ length: (classes - 1) * pairs.length }, () => 0);
  const vectors: number[] = [];
  for (const [at, [score, [first]]] of placed.entries()) {
    coefficients[first * pairs.length + at] = 1;
    for (let feature = 0; feature < features; feature += 1)
      vectors.push(weights[score * features + feature] ?? 0);
  }
  return {
    kernel_type: attribute.string("LINEAR"),
    vectors_per_class: attribute.ints(Array.from({ length: classes }, (_, at) => at)),
    coefficients: attribute.floats(coefficients),
    support_vectors: attribute.floats(vectors),
  };
}

/** Classes of which probabilities are found: what says so grows with their fourth power. */
export const mostCoupled = 40;

/**
 * A classifier whose features are the logits of its pairs: vectors and coefficients pass them on, and what is left to do is
 * to find probabilities of classes from them.
 */
export function couplingOfPairs(classes: number): Attributes {
  const { length: pairs } = pairsOf(classes);
  const logits = new Float64Array(pairs * pairs);
  for (let pair = 0; pair < pairs; pair += 1) logits[pair * pairs + pair] = 1;
  const ofPairs = (value: number) => attribute.floats(Array.from({ length: pairs }, () => value));
  return {
    ...vectorOfEachPair(classes, pairs, logits),
    rho: ofPairs(0),
    prob_a: ofPairs(-1),
    prob_b: ofPairs(0),
    classlabels_ints: attribute.ints(Array.from({ length: classes }, (_, at) => at)),
  };
}

/** Of how many classes a node does nothing else; undefined where it is no such node. */
export function classesOfCoupling(attributes: AttributeReader): number | undefined {
  const { length: classes } = attributes.ints("vectors_per_class") ?? [];
  if (classes < 2 || classes > mostCoupled) return undefined;
  // As many numbers as what it is compared with: that is not put together for what is something else.
  const pairs = (classes * (classes - 1)) / 2;
  if (attributes.floats("support_vectors")?.length !== pairs * pairs) return undefined;
  const isThat = Object.entries(couplingOfPairs(classes)).every(([name, expected]) => {
    const found = attributes.get(name);
    if (expected.type === "string") return found?.type === "string" && found.value === expected.value; // prettier-ignore
    if (expected.type !== "floats" && expected.type !== "ints") return false;
    const values = found?.type === expected.type ? found.value : [];
    return (
      values.length === expected.value.length &&
      expected.value.every((value, at) => value === values[at])
    );
  });
  return isThat ? classes : undefined;
}

import { attribute, type Graph, type Node, type NodeId, type ValueId } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { sayNodes, type Words } from "../opset/say.js";
import { addBias, convolveByProduct, scatterProduct } from "./computed-weights.js";

/** alpha·A·B + beta·C, whatever C is: what k-means and Gaussian processes of scikit-learn measure distances with. */
function gemm(step: Step): void {
  const { graph, attributes } = step;
  const [a, b, c] = [operand(step, 0), operand(step, 1), step.input(2)];
  const alpha = attributes.float("alpha", 1);
  // A factor of constant weights is a part of them.
  const isOwn = graph.constant(b) !== undefined;
  const product = step.add("Gemm", [a, b], {
    alpha: attribute.float(isOwn ? alpha : 1),
    transA: attribute.int(attributes.int("transA", 0)),
    transB: attribute.int(attributes.int("transB", 0)),
  });
  const scaled = isOwn ? product : times(step, product, alpha);
  if (c === undefined) return step.replaceBy(scaled);
  step.replaceBy(step.add("Add", [scaled, times(step, c, attributes.float("beta", 1))]));
}

function times(step: Step, value: ValueId, factor: number): ValueId {
  return factor === 1 ? value : step.add("Mul", [value, step.float("factor", [factor], [])]);
}

/** By what stands in for its weights, where a run computes them. */
const convolution =
  (byWeights: (step: Step) => void) =>
  (step: Step): void =>
    isConstant(step.graph, operand(step, 1)) ? addBias(step) : byWeights(step);

const words: Words = new Map(
  Object.entries({
    Gemm: gemm,
    Conv: convolution(convolveByProduct),
    ConvTranspose: convolution(scatterProduct),
  }),
);

/** Is one of its operands none that is a part of a product? Those are constant, and a bias is a row. */
function concerns(graph: Graph, node: Node): boolean {
  const [, weights, bias = null] = node.inputs;
  const isComputed = !isConstant(graph, weights);
  const isFree = bias !== null && !isConstant(graph, bias);
  if (node.op !== "Gemm") return isComputed || isFree;
  const isFactor = attributeReader(node.attributes).float("alpha", 1) !== 1;
  return (isFactor && isComputed) || isFree || (bias !== null && !isRow(graph, bias));
}

/** Also what is decoded from integers: they are multiplied, and the bias added, as such. */
function isConstant(graph: Graph, id: ValueId | null | undefined): boolean {
  if (id === null || id === undefined) return false;
  return graph.constant(id) !== undefined || graph.producer(id)?.op === "DequantizeLinear";
}

function isRow(graph: Graph, id: ValueId): boolean {
  const { type } = graph.value(id);
  return type.kind === "tensor" && type.shape?.slice(0, -1).every((size) => size === 1) === true;
}

/** Says what multiplies as it is compiled: a product, its factor and what is added, where these are no parts of it. */
export function sayProducts(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-products", words, concerns);
}

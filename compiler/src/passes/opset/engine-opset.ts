import { isPareError } from "@pare/runtime/format";
import { normalOpset, type Graph, type Node } from "../../ir/index.js";
import { withWholeSizes } from "../../onnx/index.js";
import { operatorOf } from "../../ops/index.js";
import { attributesOf, dtypeOf, inputOf } from "../../rules/pattern.js";
import { lowerOpset } from "./lower.js";

/** What onnxruntime rounds the result of where it rounds what is moved (`qdq_propagation.cc`, CanNodePropagate). */
const moving = new Set(["MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"]);

/**
 * A graph as onnxruntime loads it and runs it soonest. Where what was int8 is moved, it adds a QuantizeLinear behind, since some version
 * before 1.30 with the attribute output_dtype of opset 21, and then refuses its own node, because ONNX's inference takes every zero
 * point beside that for uint8 (onnxruntime's issue 25526): such a graph is written in opset 20, which has no such attribute, if that
 * has words for it. And its AveragePool of opset 19 has a kernel of its own, for dilations, that takes up to twelve times as long
 * as the other: a graph of pools without them is written in opset 18, where that has as few. And of operators that are functions
 * of others it has no kernel in float64, and says them in others up to opset 18 alone.
 * @returns the graph itself wherever that does
 */
export function inEngineOpset(asItIs: Graph): Graph {
  const graph = withWholeSizes(asItIs);
  if (graph.opset() !== normalOpset) return graph;
  const nodes = [...graph.allNodes()];
  const said = nodes.some((node) => isSaidInDoubles(graph, node)) && inOpset(graph, lastOfSaid);
  if (said) return said;
  const pooled = nodes.some(isPlainPool) ? inOpset(graph, beforeDilatedPools) : undefined;
  if (pooled !== undefined && [...pooled.allNodes()].length <= nodes.length) return pooled;
  return (nodes.some((node) => isMoved(graph, node)) && inOpset(graph, normalOpset - 1)) || graph;
}

const beforeDilatedPools = 18;
/** The last in which onnxruntime says operators in others whatever floats they are of. */
const lastOfSaid = 18;

function isSaidInDoubles(graph: Graph, node: Node): boolean {
  return (
    operatorOf(node)?.traits.saidInDoubles === true &&
    dtypeOf(graph, inputOf(node, 0)) === "float64"
  );
}

/** Undefined where that has no words for it. */
function inOpset(graph: Graph, opset: number): Graph | undefined {
  const older = graph.fork();
  try {
    lowerOpset(older, opset);
  } catch (error) {
    if (!isPareError(error) || error.code !== "UNSUPPORTED_OP") throw error;
    return undefined;
  }
  return older;
}

function isPlainPool(node: Node): boolean {
  if (node.op !== "AveragePool" || node.domain !== "") return false;
  return (
    attributesOf(node)
      .ints("dilations")
      ?.every((one) => one === 1) !== false
  );
}

/** Is what a node dequantizes moved, and not rounded again at once? */
function isMoved(graph: Graph, node: Node): boolean {
  const [result] = node.outputs;
  if (node.op !== "DequantizeLinear" || node.domain !== "" || !result) return false;
  const stored = inputOf(node, 0);
  if (dtypeOf(graph, stored) !== "int8" || graph.constant(stored) !== undefined) return false;
  return graph.consumers(result).some((mover) => {
    const [moved] = mover.outputs;
    if (!moving.has(mover.op) || mover.domain !== "" || !moved) return false;
    const readers = graph.consumers(moved);
    return readers.length === 0 || readers.some(({ op }) => op !== "QuantizeLinear");
  });
}

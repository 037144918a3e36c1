import { isPareError, PareError, type Tensor as Dense } from "@pare/runtime/format";
import type { Graph, Node } from "../../ir/index.js";
import { attributeReader } from "../schema/attributes.js";
import { keyOf } from "../schema/schemas.js";
import type { EvaluateContext } from "./evaluation.js";
import { references } from "./references.js";

/**
 * What a node gives for these inputs (null where one is left out), by its operator's reference evaluation.
 * Undefined where the operator has none, or not for this dtype.
 * @throws PareError MODEL_SHAPE when the inputs do not fit the operator
 */
export function evaluateNode(
  graph: Graph,
  node: Node,
  inputs: readonly (Dense | null)[],
): readonly (Dense | null)[] | undefined {
  const evaluate = references.get(keyOf(node));
  if (evaluate === undefined) return undefined;
  const where = graph.nodeLabel(node);
  const context: EvaluateContext = {
    inputs,
    attributes: attributeReader(node.attributes),
    outputs: node.outputs.length,
    input(index) {
      const found = inputs[index];
      if (found === undefined || found === null) {
        throw new PareError("MODEL_SHAPE", `${node.op} needs an input at position ${index}.`, {
          where,
        });
      }
      return found;
    },
  };
  try {
    return evaluate(context);
  } catch (error) {
    // A dtype that it cannot compute in is as a missing cell.
    if (isPareError(error) && error.code === "UNSUPPORTED_OP") return undefined;
    throw error;
  }
}

import { PareError } from "@pare/runtime/format";
import { edit, bodiesOf, type Body, type Graph, type Node, normalOpset } from "../../ir/index.js";
import { inferAll } from "../../ops/index.js";
import type { Adapter } from "./adapter.js";
import { elementwiseAdapters } from "./raise-elementwise.js";
import { experimentalAdapters } from "./raise-experimental.js";
import { neuralAdapters } from "./raise-neural.js";
import { shapeAdapters } from "./raise-shape.js";
import { stepOf } from "./step.js";

const adapters: ReadonlyMap<string, readonly Adapter[]> = byOperator([
  ...elementwiseAdapters,
  ...shapeAdapters,
  ...neuralAdapters,
  ...experimentalAdapters,
]);

/**
 * Raises ai.onnx, operator by operator, to opset 21. Nodes are visited in order of execution, so that the types of a
 * node's inputs are known when its own adapters ask for them. Operators of other domains stay as they are.
 * @throws PareError UNSUPPORTED_OP naming the node where its meaning cannot be said in opset 21
 */
export function raiseOpset(graph: Graph, from: number): void {
  const visit = (body: Body): void => {
    for (const node of graph.order(body)) {
      if (!graph.hasNode(node.id)) continue;
      raiseNode(graph, node, from);
      if (graph.hasNode(node.id)) bodiesOf(node).forEach(visit);
    }
  };
  if (from < 13) inferAll(graph);
  visit(graph.main);
  edit(graph, "raise-opset", (editor) => editor.setOpset("", normalOpset));
}

function raiseNode(graph: Graph, node: Node, from: number): void {
  if (node.domain !== "" && node.domain !== "ai.onnx") return;
  for (let to = from + 1; to <= normalOpset; to += 1) {
    if (!graph.hasNode(node.id)) return;
    for (const found of adapters.get(graph.node(node.id).op) ?? []) {
      if (found.to !== to || !graph.hasNode(node.id)) continue;
      edit(
        graph,
        `opset-${to}`,
        (editor) => found.convert(stepOf(graph, editor, node.id, from, to)),
        { interface: true },
      );
    }
  }
}

function byOperator(list: readonly Adapter[]): Map<string, Adapter[]> {
  const map = new Map<string, Adapter[]>();
  for (const item of list) map.set(item.op, [...(map.get(item.op) ?? []), item]);
  return map;
}

/**
 * The version of ai.onnx that a model is written in; 21 where it has no node of that domain.
 * @throws PareError MODEL_VERSION where it has, and does not say
 */
export function opsetOf(graph: Graph): number {
  const opset = graph.opset("");
  if (opset !== undefined) return opset;
  const node = [...graph.allNodes()].find((candidate) => candidate.domain === "");
  if (node === undefined) return normalOpset;
  throw new PareError(
    "MODEL_VERSION",
    `The model does not say which version of ${node.op} it means.`,
    {
      where: graph.nodeLabel(node),
      hint: "Export the model again: opset_import must name the default domain.",
    },
  );
}

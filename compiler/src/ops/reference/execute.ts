import {
  PareError,
  type Tensor as Dense,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { bodiesOf, type Body, type Graph, type Node, type ValueId } from "../../ir/index.js";
import { attributeReader } from "../schema/attributes.js";
import { type RunBody, runControlFlow } from "./control-flow.js";
import { evaluateNode } from "./evaluate.js";

/** What values hold while a graph is executed. */
export type Environment = Map<ValueId, Dense>;

/**
 * Runs a whole normalized graph by the operators' reference evaluations: slow and exact, to check engines, passes and kernels
 * against. `feeds` and the result go by the names of inputs and outputs.
 * @throws PareError INPUT for a missing input, UNSUPPORTED_OP where an operator has no evaluation
 */
export async function evaluateGraph(
  graph: Graph,
  feeds: Tensors,
  signal?: AbortSignal,
): Promise<Tensors> {
  const values: Environment = new Map();
  for (const id of graph.main.inputs) {
    const { name, constant } = graph.value(id);
    const feed = feeds[name];
    if (feed !== undefined) values.set(id, feed);
    else if (constant === undefined)
      throw new PareError("INPUT", `Input "${name}" is missing.`, { where: name });
  }
  await runNodes(graph, graph.main, values, signal);
  const outputs: [name: string, value: Dense][] = [];
  for (const id of graph.main.outputs)
    outputs.push([graph.value(id).name, await valueOf(graph, values, id)]);
  return Object.fromEntries(outputs);
}

async function runNodes(
  graph: Graph,
  body: Body,
  values: Environment,
  signal: AbortSignal | undefined,
): Promise<void> {
  const runBody: RunBody = async (inner, inputs) => {
    inner.inputs.forEach((id, index) => {
      const input = inputs[index];
      if (input !== undefined) values.set(id, input);
    });
    await runNodes(graph, inner, values, signal);
    const outputs: Dense[] = [];
    for (const id of inner.outputs) outputs.push(await valueOf(graph, values, id));
    return outputs;
  };
  const order = graph.order(body);
  const lastUse = lastUses(graph, body, order);
  for (const node of order) {
    throwIfAborted(signal);
    const inputs: (Dense | null)[] = [];
    for (const id of node.inputs)
      inputs.push(id === null ? null : await valueOf(graph, values, id));
    const results =
      bodiesOf(node).length > 0
        ? await runControlFlow(node, attributeReader(node.attributes), inputs, runBody)
        : evaluateNode(graph, node, inputs);
    if (results === undefined) throw unsupported(graph, node, inputs);
    node.outputs.forEach((id, index) => {
      const result = results[index];
      if (id !== null && result !== undefined && result !== null) values.set(id, result);
    });
    for (const id of lastUse.get(node) ?? []) values.delete(id);
  }
}

/** Values that only nodes of this body read, by the last of them: they can be forgotten after it. */
function lastUses(
  graph: Graph,
  body: Body,
  order: readonly Node[],
): ReadonlyMap<Node, readonly ValueId[]> {
  const last = new Map<ValueId, Node>();
  for (const node of order) for (const id of node.inputs) if (id !== null) last.set(id, node);
  const forgotten = new Map<Node, ValueId[]>();
  for (const [id, node] of last) {
    const value = graph.value(id);
    const isLocal = value.body === body.id && value.producer !== null;
    if (
      !isLocal ||
      !value.uses.every((use) => use.kind === "node" && graph.node(use.node).body === body.id)
    )
      continue;
    const list = forgotten.get(node) ?? [];
    list.push(id);
    forgotten.set(node, list);
  }
  return forgotten;
}

async function valueOf(graph: Graph, values: Environment, id: ValueId): Promise<Dense> {
  const known = values.get(id);
  if (known !== undefined) return known;
  const { constant, name } = graph.value(id);
  if (constant === undefined)
    throw new PareError("MODEL_NAME", `Value "${name}" has no elements when it is read.`, {
      where: name,
    });
  const dense = { type: constant.dtype, dims: constant.dims, data: await constant.read() };
  values.set(id, dense);
  return dense;
}

function unsupported(graph: Graph, node: Node, inputs: readonly (Dense | null)[]): PareError {
  const types = inputs.map((input) => input?.type ?? "none").join(", ");
  const name = node.domain === "" ? node.op : `${node.domain}::${node.op}`;
  return new PareError("UNSUPPORTED_OP", `${name} (${types}) has no reference evaluation.`, {
    where: graph.nodeLabel(node),
  });
}

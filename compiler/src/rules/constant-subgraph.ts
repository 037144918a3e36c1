import { dtypeBytes, type Tensor as Dense } from "@pare/runtime/format";
import { nodeMacs } from "../analysis/macs.js";
import {
  bodiesOf,
  type Graph,
  isStatic,
  type Node,
  type NodeId,
  spannedCount,
  Tensor,
  type TensorData,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { attributeReader, evaluateNode, hasUnconfirmedSizes, operatorOf } from "../ops/index.js";
import { dtypeOf, staticCount } from "./pattern.js";

/** Beyond so many nodes a subgraph is left to the engine. */
const nodeLimit = 64;

/** What is computed on the way may be as large as the constants it comes from, and always so many bytes. */
const innerBytes = 1024 * 1024;

/** Elements that there would be, were no axis 0. */
const mostHidden = 2 ** 20;

/** Multiply-accumulates that evaluation, which is exact and slow, does within about a second. */
const workLimit = 1e8;

/** A node and all that it is computed from, down to constants alone. */
export interface ConstantCone {
  /** In order of execution; the last one is the root. */
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<ValueId, Tensor>;
}

/**
 * Undefined where something that it is computed from is no constant, or has no evaluation.
 * @param inner bytes that what is computed on the way may have
 */
export function constantSubgraph(
  graph: Graph,
  root: Node,
  inner = innerBytes,
): ConstantCone | undefined {
  const nodes: Node[] = [];
  const seen = new Set<NodeId>();
  const constants = new Map<ValueId, Tensor>();
  const visit = (node: Node): boolean => {
    if (seen.has(node.id)) return true;
    seen.add(node.id);
    if (seen.size > nodeLimit || !isEvaluable(node)) return false;
    for (const id of node.inputs) {
      if (id === null) continue;
      const tensor = graph.constant(id);
      const producer = graph.producer(id);
      if (tensor !== undefined) constants.set(id, tensor);
      else if (producer === undefined || !visit(producer)) return false;
    }
    nodes.push(node);
    return true;
  };
  return visit(root) && isAffordable(graph, root, { nodes, constants }, inner)
    ? { nodes, constants }
    : undefined;
}

/**
 * A file of a stranger may ask for a tensor of any size, only to take its sum; and what it declares of sizes that do not
 * follow, as how long a Range is, bounds nothing.
 */
function isAffordable(
  graph: Graph,
  root: Node,
  { nodes, constants }: ConstantCone,
  inner: number,
): boolean {
  let given = 0;
  for (const tensor of constants.values()) given += tensor.byteLength;
  const ceiling = Math.max(inner, given);
  return nodes.every((node) => {
    if ([...node.inputs, ...node.outputs].some((id) => id !== null && hidesSize(graph, id)))
      return false;
    if (listsWithout(graph, node)) return false;
    const most = operatorOf(node)?.traits.listing === "places" ? listLimit : workLimit;
    if ((nodeMacs(graph, node) ?? Infinity) > most || windowWork(graph, node) > most) return false;
    if (hasUnconfirmedSizes(graph, node)) return false;
    return (
      node === root || node.outputs.every((id) => id === null || bytesOfValue(graph, id) <= ceiling)
    );
  });
}

/** Entries of lists of places. */
const listLimit = 2 ** 24;

/** How elements are moved without a list of sizes that they do not have. */
const moving = new Set<string | undefined>(["copies", "reshapes", "selects", "joins", "pads"]);

/**
 * Whether something of a node has no elements while its evaluation may list places by sizes that this leaves unsaid: products
 * of sizes, which work is counted by, are 0 then.
 */
function listsWithout(graph: Graph, node: Node): boolean {
  const isEmpty = [...node.inputs, ...node.outputs].some(
    (id) => id !== null && staticCount(shapeOf(graph, id)) === 0,
  );
  const { elementwise, dataMovement, listing } = operatorOf(node)?.traits ?? {};
  return isEmpty && elementwise !== true && !moving.has(dataMovement) && listing !== "elements";
}

/** Is there nothing in a value because one axis is 0, while others reach far? */
function hidesSize(graph: Graph, id: ValueId): boolean {
  const shape = shapeOf(graph, id);
  return (
    shape !== undefined &&
    isStatic(shape) &&
    staticCount(shape) === 0 &&
    spannedCount(shape) > mostHidden
  );
}

/** Multiply-accumulates, looks at elements and elements that evaluation reads and makes: known before it is done. */
export function workOf(graph: Graph, { nodes }: ConstantCone): number {
  let work = 0;
  for (const node of nodes) {
    work += (nodeMacs(graph, node) ?? Infinity) + windowWork(graph, node);
    for (const id of [...node.inputs, ...node.outputs])
      if (id !== null) work += staticCount(shapeOf(graph, id)) ?? Infinity;
  }
  return work;
}

/** Elements that are looked at for all of a node's result; 0 where each is made of those in its own place. */
function windowWork(graph: Graph, node: Node): number {
  const looked = operatorOf(node)?.traits.window;
  if (looked === undefined) return 0;
  const output = shapeOf(graph, node.outputs[0] ?? undefined);
  if (output === undefined || !isStatic(output)) return Infinity;
  const window = looked(attributeReader(node.attributes), output);
  return window <= 1 ? 0 : window * (staticCount(output) ?? Infinity);
}

/** Infinity where the shape is not known before it is computed. */
export function bytesOfValue(graph: Graph, id: ValueId): number {
  const count = staticCount(shapeOf(graph, id));
  const dtype = dtypeOf(graph, id);
  if (count === undefined || dtype === undefined) return Infinity;
  return dtype === "string" ? count : dtypeBytes(dtype, count);
}

/** What quantizes is left: its purpose is to be stored small and to be expanded by the engine. */
function isEvaluable(node: Node): boolean {
  const operator = operatorOf(node);
  return (
    operator?.reference !== undefined &&
    operator.schema.deterministic &&
    operator.traits.quantization === undefined &&
    bodiesOf(node).length === 0
  );
}

/** Bytes of the constants that go when the root's outputs become constants themselves. */
export function freedBytes(graph: Graph, { nodes, constants }: ConstantCone): number {
  const root = nodes.at(-1);
  const going = new Set<NodeId>();
  const isRead = (id: ValueId): boolean =>
    graph.value(id).uses.some((use) => use.kind === "output" || !going.has(use.node));
  for (const node of [...nodes].reverse()) {
    if (node === root || !node.outputs.some((id) => id !== null && isRead(id))) going.add(node.id);
  }
  let bytes = 0;
  for (const [id, tensor] of constants) if (!isRead(id)) bytes += tensor.byteLength;
  return bytes;
}

/**
 * The root's outputs. Undefined where an evaluation refuses its inputs: the engine will say so.
 * @param data of the subgraph's constants, in order
 */
export function evaluateSubgraph(
  graph: Graph,
  { nodes, constants }: ConstantCone,
  data: readonly TensorData[],
): readonly (Tensor | null)[] | undefined {
  const values = new Map<ValueId, Dense>();
  [...constants].forEach(([id, { dtype, dims }], index) =>
    values.set(id, { type: dtype, dims, data: data[index] ?? [] }),
  );
  let results: readonly (Dense | null)[] = [];
  for (const node of nodes) {
    try {
      results =
        evaluateNode(
          graph,
          node,
          node.inputs.map((id) => (id === null ? null : (values.get(id) ?? null))),
        ) ?? [];
    } catch {
      return undefined;
    }
    for (const [index, id] of node.outputs.entries()) {
      const result = results[index];
      if (id === null) continue;
      if (result === undefined || result === null) return undefined;
      values.set(id, result);
    }
  }
  return results.map((result) =>
    result === null ? null : Tensor.of(result.type, result.dims, result.data),
  );
}

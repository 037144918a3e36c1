import {
  bodiesOf,
  type Body,
  dim,
  type Dim,
  type Graph,
  isStatic,
  type Node,
} from "../ir/index.js";

/**
 * Multiply-accumulates of one run: those of convolutions, matrix products and recurrent layers; what is done once per
 * element is not counted. A free batch (the first axis of an input) counts as one. Null where another shape that decides
 * is free, or a loop's length unknown.
 */
export function countMacs(graph: Graph, body: Body = graph.main): number | null {
  let total = 0;
  for (const id of body.nodes) {
    const macs = nodeMacs(graph, graph.node(id));
    if (macs === null) return null;
    total += macs;
  }
  return total;
}

/** Multiply-accumulates of one node; 0 for operators that have none. */
export function nodeMacs(graph: Graph, node: Node): number | null {
  const shape = (position: number): readonly number[] | null =>
    staticShape(graph, node.inputs[position]);
  const output = staticShape(
    graph,
    node.outputs.find((id) => id !== null),
  );
  switch (node.op) {
    // output × (input channels / group) × kernel; the weight is [out, in / group, …kernel]
    case "Conv":
    case "ConvInteger":
    case "FusedConv":
      return times(output, shape(1)?.slice(1));
    case "QLinearConv":
      return times(output, shape(3)?.slice(1));
    // input × (output channels / group) × kernel; the weight is [in, out / group, …kernel]
    case "ConvTranspose":
      return times(shape(0), shape(1)?.slice(1));
    case "MatMul":
    case "MatMulInteger":
    case "DynamicQuantizeMatMul":
    case "FusedMatMul":
      return times(output, shape(0)?.slice(-1));
    case "QLinearMatMul":
      return times(output, shape(0)?.slice(-1));
    case "Gemm":
    case "FusedGemm": {
      const transposed = integer(node, "transA") === 1;
      return times(output, transposed ? shape(0)?.slice(0, 1) : shape(0)?.slice(1));
    }
    case "MatMulNBits":
      return times(output, [integer(node, "K") ?? 1]);
    case "LSTM":
      return recurrent(shape(0), shape(1), shape(2));
    case "GRU":
      return recurrent(shape(0), shape(1), shape(2));
    case "RNN":
      return recurrent(shape(0), shape(1), shape(2));
    case "If":
      // Only one branch runs: the dearer one.
      return bodiesOf(node).reduce<number | null>(
        (most, branch) => larger(most, countMacs(graph, branch)),
        0,
      );
    case "Loop":
    case "Scan":
      return bodiesOf(node).every((inner) => countMacs(graph, inner) === 0) ? 0 : null;
    case "Einsum":
    case "Attention":
    case "MultiHeadAttention":
    case "GroupQueryAttention":
      return null;
    default:
      return 0;
  }
}

/** steps × batch × directions × (gates × hidden × input + gates × hidden × hidden); W is [directions, gates × hidden, input]. */
function recurrent(
  x: readonly number[] | null,
  w: readonly number[] | null,
  r: readonly number[] | null,
): number | null {
  const perStep = times(w, []);
  const recurring = times(r, []);
  const steps = times(x?.slice(0, 2) ?? null, []);
  return perStep === null || recurring === null || steps === null
    ? null
    : steps * (perStep + recurring);
}

function times(
  left: readonly number[] | null,
  right: readonly number[] | undefined,
): number | null {
  if (left === null || right === undefined) return null;
  return [...left, ...right].reduce((product, dim) => product * dim, 1);
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

function staticShape(
  graph: Graph,
  id: Node["inputs"][number] | undefined,
): readonly number[] | null {
  if (id === null || id === undefined) return null;
  const { type } = graph.value(id);
  const shape: readonly Dim[] | undefined = type.kind === "tensor" ? type.shape : undefined;
  const sizes = shape?.map((size) => dim.substitute(size, batchOfOne(graph)));
  return sizes !== undefined && isStatic(sizes) ? sizes : null;
}

function batchOfOne(graph: Graph): ReadonlyMap<string, Dim> {
  const batches = new Map<string, Dim>();
  for (const id of graph.main.inputs) {
    const { type } = graph.value(id);
    const first = type.kind === "tensor" ? type.shape?.[0] : undefined;
    if (first !== undefined) for (const name of dim.symbolsOf(first)) batches.set(name, 1);
  }
  return batches;
}

function integer(node: Node, name: string): number | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.type === "int" ? Number(attribute.value) : undefined;
}

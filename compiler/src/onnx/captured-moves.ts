import { captures, edit, type Editor, type Graph, type Node, type ValueId } from "../ir/index.js";
import { isAsRead } from "./origin.js";

/** What onnxruntime moves a DequantizeLinear behind (`qdq_propagation.cc`, CanNodePropagate). */
const moving = new Set(["MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"]);

/**
 * A graph of which no body reads what was dequantized and then moved, but rounded again, in the same steps: onnxruntime (to
 * 1.31) moves the DequantizeLinear behind, looks for the reader among explicit inputs alone, and ends its process.
 * @returns the graph itself where none does, or nobody touched it
 */
export function withRoundedCaptures(graph: Graph): Graph {
  if (isAsRead(graph)) return graph;
  const originOf = dequantizers(graph);
  const found = new Map<ValueId, Node>();
  for (const body of graph.allBodies())
    for (const value of body === graph.main ? [] : captures(graph, body)) {
      const maker = originOf(value);
      if (maker !== undefined && maker.outputs[0] !== value && !isRounded(graph, value))
        found.set(value, maker);
    }
  if (found.size === 0) return graph;
  const written = graph.fork();
  edit(written, "rounded-captures", (editor) => {
    for (const [value, maker] of found) roundForBodies(written, editor, value, maker);
  });
  return written;
}

/** The node that dequantized a value, or what it was moved from; each value is asked for once, however many are behind it. */
function dequantizers(graph: Graph): (value: ValueId) => Node | undefined {
  const known = new Map<ValueId, Node | undefined>();
  return (value) => {
    const way: ValueId[] = [];
    let at: ValueId | null = value;
    while (at !== null && !known.has(at)) {
      way.push(at);
      const node: Node | undefined = graph.producer(at);
      const isMove: boolean = node?.domain === "" && node.outputs[0] === at && moving.has(node.op);
      if (isDequantizer(graph, node)) known.set(at, node);
      at = (isMove ? node?.inputs[0] : null) ?? null;
    }
    const origin = known.get(at ?? way.at(-1) ?? value);
    for (const one of way) known.set(one, origin);
    return origin;
  };
}

/** Others are not moved; without a zero point there is none to tell the type of the integers by. */
function isDequantizer(graph: Graph, node: Node | undefined): boolean {
  if (node?.op !== "DequantizeLinear" || node.domain !== "") return false;
  const [input, scale, zeroPoint] = node.inputs;
  const isOne = graph.constant(scale)?.count === 1 && graph.constant(zeroPoint)?.count === 1;
  return isOne && graph.constant(input) === undefined;
}

/** Is it rounded anyway? */
function isRounded(graph: Graph, value: ValueId): boolean {
  const { body } = graph.value(value);
  return graph.consumers(value).some((one) => one.op === "QuantizeLinear" && one.body === body);
}

function roundForBodies(graph: Graph, editor: Editor, value: ValueId, { inputs }: Node): void {
  const { name, body, uses } = graph.value(value);
  const before = Array.from(uses);
  const [, scale = null, zeroPoint = null] = inputs;
  const add = (op: string, of: ValueId, ending: string): ValueId =>
    editor.add1(
      op,
      [of, scale, zeroPoint],
      {},
      { body: graph.body(body), outputs: [`${name}_${ending}`] },
    );
  const rounded = add("DequantizeLinear", add("QuantizeLinear", value, "quantized"), "dequantized");
  // What a body gives cannot be a value from around it.
  for (const use of before)
    if (use.kind === "node" && graph.node(use.node).body !== body)
      editor.setInput(use.node, use.index, rounded);
}

import { captures, edit, type Editor, type Graph, type Node, type ValueId } from "../ir/index.js";

/** What onnxruntime moves a DequantizeLinear behind (`qdq_propagation.cc`, CanNodePropagate). */
const moving = new Set(["MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"]);

/**
 * A graph of which no body reads what was dequantized and then moved, but rounded again, in the same steps: onnxruntime (to
 * 1.31) moves the DequantizeLinear behind, looks for the reader among explicit inputs alone, and ends its process.
 * @returns the graph itself where none does, or nobody touched it
 */
export function withRoundedCaptures(graph: Graph): Graph {
  if (graph.changes === 0) return graph;
  const found = new Map<ValueId, Node>();
  for (const body of graph.allBodies())
    for (const value of body === graph.main ? [] : captures(graph, body)) {
      const maker = dequantizerBehind(graph, value);
      if (maker !== undefined) found.set(value, maker);
    }
  if (found.size === 0) return graph;
  const written = graph.fork();
  edit(written, "rounded-captures", (editor) => {
    for (const [value, maker] of found) roundForBodies(written, editor, value, maker);
  });
  return written;
}

/** The node that dequantized what a value was moved from; undefined where it is rounded anyway, or nothing was. */
function dequantizerBehind(graph: Graph, value: ValueId): Node | undefined {
  let node = graph.producer(value);
  const isRounded = (reader: Node): boolean =>
    reader.op === "QuantizeLinear" && reader.body === node?.body;
  if (graph.consumers(value).some(isRounded)) return undefined;
  if (node?.outputs[0] !== value) return undefined;
  for (let moves = 0; node !== undefined && node.domain === ""; moves += 1) {
    const [input, scale, zeroPoint] = node.inputs;
    if (node.op === "DequantizeLinear") {
      // Others are not moved; without a zero point there is none to tell the type of the integers by.
      const isOne = graph.constant(scale)?.count === 1 && graph.constant(zeroPoint)?.count === 1;
      return moves > 0 && isOne && graph.constant(input) === undefined ? node : undefined;
    }
    if (!moving.has(node.op) || input === null || input === undefined) return undefined;
    node = graph.producer(input);
  }
  return undefined;
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

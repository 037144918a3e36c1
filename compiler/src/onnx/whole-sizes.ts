import {
  attribute,
  type Dim,
  edit,
  type Editor,
  type Graph,
  isStatic,
  type Node,
  shapeOf,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { isAsRead } from "./origin.js";

/**
 * A graph whose Resizes name no axes: where onnxruntime moves a Transpose past one, it permutes its sizes as if they were of all
 * axes, and then refuses its own node.
 * @returns the graph itself where none does, or nobody touched it
 */
export function withWholeSizes(graph: Graph): Graph {
  if (isAsRead(graph) || ![...graph.allNodes()].some(namesAxes)) return graph;
  const written = graph.fork();
  edit(
    written,
    "whole-sizes",
    (editor) => {
      for (const node of [...written.allNodes()].filter(namesAxes))
        resizeEveryAxis(written, editor, node, shapeOf(written, node.inputs[0]));
    },
    { interface: true },
  );
  return written;
}

function namesAxes({ op, domain, attributes }: Node): boolean {
  const policy = attributes.get("keep_aspect_ratio_policy");
  const isStretch = policy?.type !== "string" || policy.value === "stretch";
  return op === "Resize" && domain === "" && attributes.has("axes") && isStretch;
}

/**
 * Sizes, or scales, of all axes instead of those that a Resize names: of the others what they are.
 * @returns why it cannot, with nothing changed
 */
export function resizeEveryAxis(
  graph: Graph,
  editor: Editor,
  node: Node,
  shape: readonly Dim[] | undefined,
): string | undefined {
  if (shape === undefined) return "it names axes, and the rank of its input is not known";
  const [x = null, region = null, scales = null, sizes = null] = node.inputs;
  if (region !== null) return "it names axes, and a region of them";
  const [at, given] = sizes === null ? [2, scales] : [3, sizes];
  const named = node.attributes.get("axes");
  if (x === null || given === null || named?.type !== "ints") return "an input is missing";
  const body = graph.body(node.body);
  const axes = named.value.map((axis) => (Number(axis) + shape.length) % shape.length);
  const numbers = graph.constant(given)?.numbers();
  const own = sizes === null ? shape.map(() => 1) : shape;
  const constant = (tensor: Tensor): ValueId => editor.constant("sizes", tensor, body);
  const sizesOf = (start: number, end: number): readonly ValueId[] => {
    const range = { start: attribute.int(start), end: attribute.int(end) };
    return start < end ? [editor.add1("Shape", [x], range, { body })] : [];
  };
  const joined = (parts: readonly ValueId[]): ValueId =>
    editor.add1("Concat", parts, { axis: attribute.int(0) }, { body });
  const all = (): ValueId | undefined => {
    const [first = 0] = axes;
    if (numbers !== undefined && isStatic(own)) {
      const known = own.map((size, axis) => numbers[axes.indexOf(axis)] ?? size);
      return constant(sizes === null ? Tensor.float32([known.length], known) : Tensor.int64(known));
    }
    if (sizes === null) return undefined;
    const end = first + axes.length;
    if (axes.every((axis, index) => axis === first + index))
      return joined([...sizesOf(0, first), given, ...sizesOf(end, shape.length)]);
    const places = shape.map((_, axis) => {
      const place = axes.indexOf(axis);
      return place < 0 ? axis : shape.length + place;
    });
    const both = joined([...sizesOf(0, shape.length), given]);
    return editor.add1("Gather", [both, constant(Tensor.int64(places))], {}, { body });
  };
  const whole = all();
  if (whole === undefined) return "it names axes, and its scales are computed";
  editor.setInput(node.id, at, whole);
  editor.setAttribute(node.id, "axes", undefined);
  return undefined;
}

import { visibleLine } from "@pare/runtime/format";
import { edit, type Editor, type Graph, type Node, Tensor, type ValueId } from "../ir/index.js";
import { constantOf } from "../ops/families/creation.js";
import { attributeReader } from "../ops/index.js";
import { isNowhereNegative } from "./pads.js";
import { attributesOf, dtypeOf, inputOf } from "./pattern.js";
import type { Rule } from "./rule.js";

/** −0 of each type that has one. */
const negativeZero = {
  float32: () => Tensor.float32([], [-0]),
  float64: () => Tensor.of("float64", [], Float64Array.of(-0)),
  float16: () => Tensor.of("float16", [], Uint16Array.of(0x8000)),
};

/**
 * MaxPool(Pad(x)), which pads with 0 what may be negative, pads with −0, which is as large. onnxruntime 1.30, when it optimizes
 * (pad_fusion.cc), lets the pool pad in place of a Pad whose bits are 0: it pads with −∞, and the answer is another.
 */
export const keepZerosOfPads: Rule = {
  name: "keep-zeros-of-pads",
  exactness: "bitwise",
  ops: ["MaxPool"],
  match(graph, node) {
    const found = misread(graph, node);
    if (found === undefined) return undefined;
    return {
      because: "engines take its zeros for less than any number",
      rewrite: (editor) => writeNegativeZero(editor, graph, found),
    };
  },
};

/** The same at once, of a graph in its normal form. */
export function keepZerosApart(graph: Graph): void {
  const found = allMisread(graph);
  if (found.length === 0) return;
  edit(graph, keepZerosOfPads.name, (editor) => {
    for (const one of found) writeNegativeZero(editor, graph, one);
  });
}

function writeNegativeZero(editor: Editor, graph: Graph, { pad, dtype }: Misread): void {
  const body = graph.body(pad.body);
  editor.setInput(pad.id, 2, editor.constant("zero", negativeZero[dtype](), body));
}

/** Pads that an engine would misread, of a model as it was read or in its normal form. */
export function misreadPads(graph: Graph): readonly Node[] {
  return allMisread(graph).map(({ pad }) => pad);
}

/** What is to be said of them: a sentence, or none. */
export function misreadNotes(graph: Graph): readonly string[] {
  const [first, ...others] = misreadPads(graph);
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : `, as of ${others.length} more`;
  return [
    visibleLine(
      `onnxruntime takes the zeros of ${graph.nodeLabel(first)}, a Pad before a MaxPool${more}, for less than any number, and does not answer as the file says: what is written here, and the float model that it is held to, pad with −0, which it leaves alone.`,
    ),
  ];
}

/** Several pools may look at one Pad. */
function allMisread(graph: Graph): readonly Misread[] {
  const found = [...graph.allNodes()].flatMap((node) => misread(graph, node) ?? []);
  return [...new Map(found.map((one) => [one.pad, one])).values()];
}

interface Misread {
  readonly pad: Node;
  readonly dtype: keyof typeof negativeZero;
}

function misread(graph: Graph, { op, domain, inputs }: Node): Misread | undefined {
  const pad = op === "MaxPool" && domain === "" ? graph.producer(inputs[0]) : undefined;
  if (pad?.op !== "Pad" || pad.domain !== "") return undefined;
  const source = inputOf(pad, 0);
  const attributes = attributesOf(pad);
  // Before opset 11 an attribute says what is padded with.
  const isFilled =
    attributes.string("mode", "constant") === "constant" &&
    attributes.float("value", 0) === 0 &&
    isZero(graph, inputOf(pad, 2));
  if (!isFilled || isNowhereNegative(graph, source)) return undefined;
  const dtype = dtypeOf(graph, source);
  const has = dtype === "float32" || dtype === "float64" || dtype === "float16";
  return has ? { pad, dtype } : undefined;
}

/** Of all bits: −0 is another. */
function isZero(graph: Graph, fill: ValueId | undefined): boolean {
  if (fill === undefined) return true;
  const node = graph.producer(fill);
  const own = graph.constant(fill);
  const constant = node?.op === "Constant" ? constantOf(attributeReader(node.attributes)) : own;
  return Object.is(constant?.numbers()?.[0], 0);
}

import {
  type Editor,
  edit,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../../../ir/index.js";
import { attributeReader, movesExactly, operatorOf } from "../../../ops/index.js";
import { dtypeOf } from "../node-facts.js";
import type { StoredConstants } from "../stored-constants.js";
import { movesStoredBytes } from "./moved-bytes.js";
import { decodeConstants } from "./decoded-constants.js";
import {
  byteBounds,
  encodedBy,
  isLeftOut,
  isPlain,
  mostOf,
  type Steps,
  stepsOf,
} from "./quantization.js";

/** A graph in the form in which integers are lowered. */
export interface IntegerForm {
  readonly graph: Graph;
  /** What constants were stored as. */
  readonly stored: StoredConstants;
}

/**
 * A graph that says in one way what exporters say in many: constants are floats, their integers beside them; activations
 * are unsigned; bytes are moved, compared and joined as bytes. What holds no integers is given back as it is.
 */
export async function integerForm(graph: Graph): Promise<IntegerForm> {
  const isInteger = [...graph.allNodes()].some(
    (node) => operatorOf(node)?.traits.quantization !== undefined,
  );
  if (!isInteger) return { graph, stored: new Map() };
  const fork = graph.fork();
  const stored = await decodeConstants(fork);
  for (const rewrite of [unsigned, movedAsBytes, joinedAsBytes, withoutPairs]) {
    rewriteAll(fork, rewrite);
  }
  dropUnread(fork);
  rewriteAll(fork, turnedBefore);
  dropUnread(fork);
  return { graph: fork, stored };
}

type Rewrite = (graph: Graph, node: Node, editor: Editor) => void;

function rewriteAll(graph: Graph, rewrite: Rewrite): void {
  for (const node of graph.order()) {
    if (!graph.hasNode(node.id)) continue;
    edit(graph, "integer-form", (editor) => rewrite(graph, node, editor));
  }
}

/** How many nodes one value's bytes are followed through. */
const mostFollowed = 256;

/** Signed bytes become unsigned ones, 128 larger, where nothing but moving lies between rounding and scaling back. */
const unsigned: Rewrite = (graph, node, editor) => {
  if (!isPlain(node, "QuantizeLinear")) return;
  const steps = stepsOf(graph, node);
  const [output] = node.outputs;
  if (steps?.dtype !== "int8" || output === null || output === undefined) return;
  const [clips, readers]: [Node[], Node[]] = [[], []];
  const open: ValueId[] = [output];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (graph.isOutput(id) || clips.length + readers.length + open.length > mostFollowed) return;
    for (const reader of graph.consumers(id)) {
      const isMoved = movesBytes(reader) && reader.inputs[0] === id;
      if (isPlain(reader, "DequantizeLinear")) {
        if (stepsOf(graph, reader)?.dtype !== "int8") return;
        readers.push(reader);
        continue;
      }
      if (isPlain(reader, "Clip")) {
        if (byteBounds(graph, reader) === undefined) return;
        clips.push(reader);
      } else if (!isMoved) return;
      open.push(...reader.outputs.flatMap((each) => each ?? []));
    }
  }
  const shift = (at: Node, index: number): void => {
    const [value = 0] = graph.constant(at.inputs[index])?.numbers() ?? [];
    const tensor = Tensor.of("uint8", [], Uint8Array.of(value + 128));
    editor.setInput(at.id, index, editor.constant("zero_point", tensor));
  };
  for (const each of [node, ...readers]) shift(each, 2);
  if (node.attributes.has("output_dtype")) editor.setAttribute(node.id, "output_dtype", undefined);
  for (const clip of clips) {
    if (clip.inputs[1] !== null && clip.inputs[1] !== undefined) shift(clip, 1);
    if (clip.inputs[2] !== null && clip.inputs[2] !== undefined) shift(clip, 2);
  }
};

/** Does an operator move bytes as they are, or choose the largest? */
function movesBytes(node: Node): boolean {
  const movement = operatorOf(node)?.traits.dataMovement;
  if (movement === undefined || !movesExactly(movement) || node.domain !== "") return false;
  return movement === "chooses"
    ? node.op === "MaxPool" && node.outputs.length === 1
    : movesStoredBytes.has(node.op);
}

const zeroByte = Tensor.of("uint8", [], Uint8Array.of(0));

function padsZeros(graph: Graph, node: Node): boolean {
  if (!isPlain(node, "Pad")) return false;
  const mode = attributeReader(node.attributes).string("mode", "constant");
  const [, , value] = node.inputs;
  const [number = 0] = graph.constant(value)?.numbers() ?? [];
  return (
    mode === "constant" && number === 0 && (isLeftOut(value) || graph.constant(value) !== undefined)
  );
}

/** move(scale · (q − z)) = scale · (move(q) − z), and the same of the largest. */
const movedAsBytes: Rewrite = (graph, node, editor) => {
  const [input, ...more] = node.inputs;
  const pads = padsZeros(graph, node);
  if (input === null || input === undefined || !(movesBytes(node) || pads)) return;
  const encoded = encodedBy(graph, input);
  const decoder = graph.producer(input);
  if (encoded === undefined || decoder === undefined) return;
  // A zero is the zero point.
  if (pads) more[1] = decoder.inputs[2] ?? editor.constant("zero", zeroByte);
  const made = editor.addNode(
    node.op,
    [encoded.bytes, ...more],
    Object.fromEntries(node.attributes),
    { outputs: node.outputs.map((id) => (id === null ? null : `${graph.value(id).name}_bytes`)) },
  );
  node.outputs.forEach((id, at) => {
    const bytes = made.outputs[at];
    if (id === null || bytes === null || bytes === undefined) return;
    editor.replace(id, decodedAs(editor, bytes, decoder), "moved as bytes");
  });
};

function decodedAs(editor: Editor, bytes: ValueId, { inputs }: Node): ValueId {
  return editor.add1("DequantizeLinear", [bytes, inputs[1] ?? null, inputs[2] ?? null]);
}

/** concat(a, b), rounded, is the concatenation of both as they are rounded; of equal steps, that of their bytes. */
const joinedAsBytes: Rewrite = (graph, node, editor) => {
  const [output] = node.outputs;
  if (!isPlain(node, "Concat") || output === null || output === undefined) return;
  const parts = node.inputs.map((id) => ({ id, encoded: encodedBy(graph, id ?? undefined) }));
  const [first] = parts;
  const decoder = graph.producer(first?.id);
  if (decoder === undefined || parts.some(({ encoded }) => encoded === undefined)) return;
  const attributes = Object.fromEntries(node.attributes);
  const concat = (bytes: readonly ValueId[]): ValueId => editor.add1("Concat", bytes, attributes);
  const isAlike = parts.every(
    ({ encoded }) =>
      encoded?.scale === first?.encoded?.scale && encoded?.zeroPoint === first?.encoded?.zeroPoint,
  );
  if (isAlike) {
    const joined = concat(parts.flatMap(({ encoded }) => encoded?.bytes ?? []));
    editor.replace(output, decodedAs(editor, joined, decoder), "joined as bytes");
    return;
  }
  const [reader, ...more] = graph.consumers(output);
  if (reader === undefined || more.length > 0 || graph.isOutput(output)) return;
  if (!isPlain(reader, "QuantizeLinear")) return;
  const [rounded] = reader.outputs;
  if (stepsOf(graph, reader)?.dtype !== "uint8" || rounded === null || rounded === undefined)
    return;
  const steps = reader.inputs.slice(1);
  const all = parts.flatMap(({ id }) =>
    id === null ? [] : [editor.add1("QuantizeLinear", [id, ...steps])],
  );
  editor.replace(rounded, concat(all), "joined as bytes");
};

/** Rounding to the steps that a value has already is the value itself; a Clip that bounds nothing too. */
const withoutPairs: Rewrite = (graph, node, editor) => {
  const [input] = node.inputs;
  const [output] = node.outputs;
  if (input === null || input === undefined || output === null || output === undefined) return;
  if (isPlain(node, "QuantizeLinear")) {
    const encoded = encodedBy(graph, input);
    const steps = stepsOf(graph, node);
    if (encoded !== undefined && steps !== undefined && isSame(encoded, steps))
      editor.replace(output, encoded.bytes, "rounded already");
  }
  if (isPlain(node, "Clip") && dtypeOf(graph, input) === "uint8") {
    const [low, high] = byteBounds(graph, node) ?? [255, 0];
    if (low <= 0 && mostOf(graph, input) <= high) editor.replace(output, input, "bounded already");
  }
};

function isSame(
  { scale, zeroPoint }: Pick<Steps, "scale" | "zeroPoint">,
  { scale: s, zeroPoint: z, dtype }: Steps,
): boolean {
  return scale === s && zeroPoint === z && dtype === "uint8";
}

/**
 * round(xᵀ) = round(x)ᵀ: of the model's own input that is another view, and bytes are at once written as who reads them
 * wants. What a kernel makes is rounded there.
 */
const turnedBefore: Rewrite = (graph, node, editor) => {
  const [input] = node.inputs;
  const [output] = node.outputs;
  if (!isPlain(node, "Transpose") || isLeftOut(input) || isLeftOut(output)) return;
  const chain: Node[] = [];
  for (let id: ValueId | null | undefined = input; !isLeftOut(id); id = chain[0]?.inputs[0]) {
    const maker = graph.producer(id);
    const isOwn = graph.consumers(id).length === 1 && !graph.isOutput(id);
    if (maker === undefined || !isOwn) return;
    const isRounding = isPlain(maker, "QuantizeLinear") && stepsOf(graph, maker) !== undefined;
    if (!isRounding && !isPlain(maker, "Clip")) return;
    chain.unshift(maker);
    if (isRounding) break;
  }
  const [first] = chain;
  const [x] = first?.inputs ?? [];
  if (isLeftOut(x) || graph.producer(x) !== undefined) return;
  const turned = editor.add1("Transpose", [x], Object.fromEntries(node.attributes));
  const made = chain.reduce(
    (value, { op, inputs, attributes }) =>
      editor.add1(op, [value, ...inputs.slice(1)], Object.fromEntries(attributes)),
    turned,
  );
  editor.replace(output, made, "turned before it is rounded");
};

function dropUnread(graph: Graph): void {
  for (const node of [...graph.order()].reverse()) {
    const isRead = node.outputs.some((id) => id !== null && graph.value(id).uses.length > 0);
    if (!isRead) edit(graph, "integer-form", (editor) => editor.remove(node.id));
  }
}

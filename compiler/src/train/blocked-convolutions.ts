import { elementCount } from "@pare/runtime/format";
import {
  attribute,
  type Attributes,
  edit,
  type Editor,
  type Graph,
  isStatic,
  type Node,
  type ValueId,
} from "../ir/index.js";
import { Emitter, fewProducts } from "../ops/index.js";

/** The operators by which onnxruntime's own optimizer says convolutions of channels in blocks, and reads them from files. */
export const blocksDomain = "com.microsoft.nchwc";
export const blocksVersion = 1;

/**
 * Convolutions whose channels lie in blocks, as many side by side as a register holds: onnxruntime has its fastest kernels for
 * them, and uses them by itself where weights are constants. In training they are not, so a file says it: input, weights
 * and result are put in order, each time.
 *
 *     x [N, C, …] → [N, C/b, …, b]        w [M, C, …] → [M/b, C/b, …, b of C, b of M]
 *
 * Pictures of fewer channels than a block stay as they are.
 * @param block channels side by side, by `channelBlockOf`
 */
export function blockConvolutions(graph: Graph, block: number): void {
  const found = graph.order().flatMap((node) => convolutionIn(graph, node, block) ?? []);
  if (found.length === 0) return;
  edit(graph, "block-convolutions", (editor) => {
    editor.setOpset(blocksDomain, blocksVersion);
    const blocks = new Blocks(graph, editor, block);
    for (const { node, kind } of found) {
      const [x = null, w = null, ...bias] = node.inputs;
      const y = node.outputs[0] ?? null;
      if (x === null || w === null || y === null) continue;
      const input = kind === "few" ? x : blocks.ordered(x);
      const weights = blocks.weights(w, kind);
      const made = blocks.node(
        "Conv",
        [input, weights, ...bias],
        Object.fromEntries(node.attributes),
        y,
      );
      const channels = attribute.int(blocks.emit.shape(y)[1] ?? 1);
      const plain = blocks.node("ReorderOutput", [made], { channels }, y);
      editor.replace(y, plain, "channels in blocks");
    }
  });
}

/** By what its weights are put in order. */
type Kind = "full" | "few" | "depthwise";

interface Found {
  readonly node: Node;
  readonly kind: Kind;
}

function convolutionIn(graph: Graph, node: Node, block: number): Found | undefined {
  if (node.op !== "Conv" || node.domain !== "" || node.body !== graph.main.id) return undefined;
  const [input, weights, result] = [node.inputs[0], node.inputs[1], node.outputs[0]].map((value) =>
    dimsOf(graph, value ?? null),
  );
  if (input === undefined || weights === undefined || result === undefined) return undefined;
  // One by one there is nothing to unfold: it is a product as it is.
  if (weights.length !== 4 || elementCount(weights.slice(2)) === 1) return undefined;
  const [outputs = 1, depth = 1] = weights;
  const [, channels = 1] = input;
  if (outputs % block !== 0) return undefined;
  if (elementCount(result) * elementCount(weights.slice(1)) < fewProducts) return undefined;
  const isOneGroup = depth === channels;
  if (isOneGroup && channels < block) return { node, kind: "few" };
  if (channels % block !== 0) return undefined;
  if (isOneGroup) return { node, kind: "full" };
  return depth === 1 && outputs === channels ? { node, kind: "depthwise" } : undefined;
}

/** Of float32. */
function dimsOf(graph: Graph, value: ValueId | null): readonly number[] | undefined {
  const type = value === null ? undefined : graph.value(value).type;
  if (type?.kind !== "tensor" || type.dtype !== "float32" || type.shape === undefined)
    return undefined;
  return isStatic(type.shape) ? type.shape : undefined;
}

/** Writes what puts values in order. */
class Blocks {
  readonly emit: Emitter;
  readonly #editor: Editor;
  readonly #block: number;
  readonly #ordered = new Map<ValueId, ValueId>();

  constructor(graph: Graph, editor: Editor, block: number) {
    this.emit = new Emitter(graph, editor, "cpu");
    this.#editor = editor;
    this.#block = block;
  }

  /** A node of the blocks' domain, whose result is declared as another value is: in which order it lies is not said. */
  node(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Attributes,
    like: ValueId,
  ): ValueId {
    const made = this.#editor.add1(op, inputs, attributes, { domain: blocksDomain });
    this.#editor.setType(made, this.emit.graph.value(like).type);
    return made;
  }

  /** Once, whoever reads it. */
  ordered(x: ValueId): ValueId {
    const known = this.#ordered.get(x) ?? this.node("ReorderInput", [x], {}, x);
    this.#ordered.set(x, known);
    return known;
  }

  weights(w: ValueId, kind: Kind): ValueId {
    const { emit } = this;
    const dims = emit.shape(w);
    const block = this.#block;
    const [outputs = 1, depth = 1, ...kernel] = dims;
    if (kind === "depthwise") {
      // Kernels are planes like any.
      const planes = emit.reshape(w, [1, outputs, ...kernel]);
      return emit.reshape(this.ordered(planes), dims);
    }
    if (kind === "few") {
      const apart = emit.reshape(w, [outputs / block, block, depth, ...kernel]);
      return emit.reshape(emit.transpose(apart, [0, 2, 3, 4, 1]), dims);
    }
    const count = elementCount(kernel);
    const turned = this.#turned(w);
    if (turned === undefined) {
      const apart = emit.reshape(w, [outputs / block, block, depth / block, block, count]);
      return emit.reshape(emit.transpose(apart, [0, 2, 4, 3, 1]), dims);
    }
    // A cotangent whose samples became channels is large: it is put in order as inputs are, and then whole blocks are moved.
    const samples = emit.reshape(this.ordered(turned), [
      depth / block,
      block,
      outputs / block,
      count,
      block,
    ]);
    return emit.reshape(emit.transpose(samples, [2, 0, 3, 1, 4]), dims);
  }

  /** What the value is with its first two axes exchanged, where that was just done. */
  #turned(value: ValueId): ValueId | undefined {
    const node = this.emit.graph.producer(value);
    const permutation = node?.op === "Transpose" ? node.attributes.get("perm") : undefined;
    const isTurned = permutation?.type === "ints" && permutation.value.join() === "1,0,2,3";
    return isTurned ? (node?.inputs[0] ?? undefined) : undefined;
  }
}

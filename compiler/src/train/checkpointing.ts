import type { Node, NodeId, ValueId } from "../ir/index.js";
import { type Emitter, operatorOf } from "../ops/index.js";
import type { Path } from "./path.js";

/**
 * Gradient checkpointing: the backward pass reads copies of forward nodes, computed again from the values that are
 * kept, so that an engine may free what lies between. It costs one more forward pass of all but the last part.
 *
 * The path is cut behind each node that makes a kept value. What crosses a cut without being named (a shortcut) is kept
 * too. What random nodes gave is never computed again: it would be something else.
 */
export class Recomputation {
  readonly #emit: Emitter;
  readonly #parts: readonly (readonly Node[])[];
  readonly #partOf = new Map<NodeId, number>();
  readonly #copies = new Map<NodeId, Node>();
  readonly #done = new Set<number>();
  readonly #varies: ReadonlySet<ValueId>;

  constructor(emit: Emitter, { nodes, varies }: Path, kept: ReadonlySet<ValueId>) {
    const parts: Node[][] = [[]];
    for (const node of nodes) {
      parts.at(-1)?.push(node);
      this.#partOf.set(node.id, parts.length - 1);
      if (node.outputs.some((output) => output !== null && kept.has(output))) parts.push([]);
    }
    this.#emit = emit;
    this.#parts = parts.filter((part) => part.length > 0);
    this.#varies = varies;
  }

  /** The node that a gradient rule shall read: a copy, which is computed when the backward pass has come to its part. */
  nodeFor(node: Node, cotangent: ValueId | undefined): Node {
    const part = this.#partOf.get(node.id) ?? 0;
    // The backward pass begins with the last part: there is nothing to free in between.
    if (part >= this.#parts.length - 1 || cotangent === undefined) return node;
    if (!this.#done.has(part)) {
      this.#done.add(part);
      this.#copy(this.#parts[part] ?? [], cotangent);
    }
    return this.#copies.get(node.id) ?? node;
  }

  #copy(part: readonly Node[], cotangent: ValueId): void {
    const { graph, editor } = this.#emit;
    const copied = new Map<ValueId, ValueId>();
    const late = this.#late(cotangent);
    const read = (value: ValueId): ValueId => {
      const known = copied.get(value);
      if (known !== undefined) return known;
      const from =
        this.#varies.has(value) && graph.producer(value) !== undefined ? late(value) : value;
      copied.set(value, from);
      return from;
    };
    for (const node of part) {
      if (operatorOf(node)?.schema.deterministic === false) continue;
      const copy = editor.addNode(
        node.op,
        node.inputs.map((input) => (input === null ? null : read(input))),
        Object.fromEntries(node.attributes),
        {
          domain: node.domain,
          outputs: node.outputs.map((output) =>
            output === null ? null : `${graph.value(output).name}.again`,
          ),
        },
      );
      this.#emit.infer(copy);
      this.#copies.set(node.id, copy);
      node.outputs.forEach((output, index) => {
        const again = copy.outputs[index] ?? null;
        if (output !== null && again !== null) copied.set(output, again);
      });
    }
  }

  /**
   * A kept value plus a zero that is made of the cotangent: what depends on it cannot be computed before the backward
   * pass is there, and is not what the forward pass computed, so that no engine takes the two for one.
   */
  #late(cotangent: ValueId): (value: ValueId) => ValueId {
    const emit = this.#emit;
    const flat = emit.reshape(cotangent, [
      emit.shape(cotangent).reduce((all, size) => all * size, 1),
    ]);
    const first = emit.reshape(emit.slice(flat, [0], [0], [1], [1]), []);
    const zero = emit.scalar(0, first);
    const none = emit.where(emit.compare("Less", first, 0), zero, zero);
    return (value) => emit.add(value, emit.cast(none, emit.dtype(value)));
  }
}

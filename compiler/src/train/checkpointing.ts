import { elementCount } from "@pare/runtime/format";
import type { Node, NodeId, ValueId } from "../ir/index.js";
import { type Emitter, operatorOf } from "../ops/index.js";
import type { Path } from "./path.js";

/** What every engine adds. */
const addable: ReadonlySet<string> = new Set(["float32", "float16", "int64", "int32"]);

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

  /** Takes back copies that no gradient needed after all: an engine would run them. */
  dropUnread(): void {
    const { graph, editor } = this.#emit;
    for (const { id, outputs } of [...this.#copies.values()].reverse()) {
      if (outputs.every((output) => output === null || graph.value(output).uses.length === 0))
        editor.remove(id);
    }
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
      const inputs = node.inputs.map((input) => (input === null ? null : read(input)));
      const isOther = inputs.some((input, index) => input !== (node.inputs[index] ?? null));
      const copy = editor.addNode(
        node.op,
        isOther ? inputs : this.#oneLate(inputs, late),
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
   * What reads weights and samples alone would be the node itself, again and at any time: the smallest of what it reads
   * comes late instead.
   */
  #oneLate(
    inputs: readonly (ValueId | null)[],
    late: (value: ValueId) => ValueId,
  ): readonly (ValueId | null)[] {
    const emit = this.#emit;
    const sizes = inputs.map((input) => {
      // Gradients may have to know what a constant is.
      if (input === null || emit.graph.constant(input) !== undefined)
        return Number.POSITIVE_INFINITY;
      return addable.has(emit.dtype(input))
        ? elementCount(emit.shape(input))
        : Number.POSITIVE_INFINITY;
    });
    const smallest = sizes.indexOf(Math.min(...sizes));
    return inputs.map((input, index) =>
      index === smallest && input !== null && sizes[index] !== Number.POSITIVE_INFINITY
        ? late(input)
        : input,
    );
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

import { PareError } from "@pare/runtime/format";
import type { Node, ValueId } from "../../ir/index.js";
import type { Emitter } from "./emitter.js";
import { Forward } from "./forward.js";

/** A node of the forward pass as its operator's gradient rule sees it. */
export class Backward extends Forward {
  readonly #cotangents: readonly (ValueId | null)[];
  readonly #needs: (index: number) => boolean;

  /**
   * @param cotangents of each output, of the output's shape; null where the loss does not depend on it
   * @param needs is the gradient of an input asked for?
   */
  constructor(
    emit: Emitter,
    node: Node,
    cotangents: readonly (ValueId | null)[],
    needs: (index: number) => boolean,
  ) {
    super(emit, node);
    this.#cotangents = cotangents;
    this.#needs = needs;
  }

  /** An output; it is added where the node left it out. */
  output(index: number): ValueId {
    const isNew = (this.node.outputs[index] ?? null) === null;
    const id = this.emit.editor.output(this.node.id, index);
    if (isNew) this.emit.infer(this.emit.graph.node(this.node.id));
    return id;
  }

  /** Of an output that the loss depends on: the only one, where an operator has but one. */
  cotangent(index = 0): ValueId {
    const id = this.#cotangents[index];
    if (id !== undefined && id !== null) return id;
    throw new PareError("INTERNAL", `The loss does not depend on output ${index} of this node.`, {
      where: this.emit.graph.nodeLabel(this.node),
    });
  }

  hasCotangent(index: number): boolean {
    return (this.#cotangents[index] ?? null) !== null;
  }

  needs(index: number): boolean {
    return this.has(index) && this.#needs(index);
  }

  /** The gradient where it is asked for. */
  where(index: number, gradient: () => ValueId): ValueId | null {
    return this.needs(index) ? gradient() : null;
  }
}

import { PareError } from "@pare/runtime/format";
import { isStatic, type Node, type ValueId } from "../../ir/index.js";
import { type AttributeReader, attributeReader } from "../schema/attributes.js";
import type { Emitter } from "./emitter.js";
import type { TrainingEngine } from "./training-engine.js";

/** A node of the forward pass as its operator's gradient rule sees it. */
export class Backward {
  readonly emit: Emitter;
  readonly node: Node;
  readonly attributes: AttributeReader;
  readonly #cotangents: readonly (ValueId | null)[];
  readonly #needs: (value: ValueId) => boolean;

  /**
   * @param cotangents of each output, of the output's shape; null where the loss does not depend on it
   * @param needs is the gradient of an input asked for?
   */
  constructor(
    emit: Emitter,
    node: Node,
    cotangents: readonly (ValueId | null)[],
    needs: (value: ValueId) => boolean,
  ) {
    this.emit = emit;
    this.node = node;
    this.attributes = attributeReader(node.attributes);
    this.#cotangents = cotangents;
    this.#needs = needs;
  }

  get engine(): TrainingEngine {
    return this.emit.engine;
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? null) !== null;
  }

  input(index: number): ValueId {
    const id = this.node.inputs[index];
    if (id !== undefined && id !== null) return id;
    throw this.#malformed(`has no input ${index}`);
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
    const id = this.node.inputs[index];
    return id !== undefined && id !== null && this.#needs(id);
  }

  /** The gradient where it is asked for. */
  where(index: number, gradient: () => ValueId): ValueId | null {
    return this.needs(index) ? gradient() : null;
  }

  /** The dims of an input. */
  dims(index: number): readonly number[] {
    return this.emit.shape(this.input(index));
  }

  /** The integers in an input, where they are known; undefined where it is left out. */
  integers(index: number): readonly number[] | undefined {
    if (!this.has(index)) return undefined;
    const { elements, constant, name } = this.emit.graph.value(this.input(index));
    const known = elements !== undefined && isStatic(elements) ? elements : constant?.numbers();
    if (known !== undefined) return known;
    throw this.unsupported(`what ${name} holds is only known when it runs`);
  }

  /** An error that names the node: with these inputs or attributes there is no gradient. */
  unsupported(why: string): PareError {
    const label = this.emit.graph.nodeLabel(this.node);
    return new PareError("UNSUPPORTED_OP", `${this.node.op} ${label} has no gradient: ${why}.`, {
      where: label,
      hint: "Train only what comes after it, or replace it.",
    });
  }

  #malformed(what: string): PareError {
    const label = this.emit.graph.nodeLabel(this.node);
    return new PareError("MODEL_INVALID", `${this.node.op} ${label} ${what}.`, { where: label });
  }
}

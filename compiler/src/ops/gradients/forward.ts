import { PareError } from "@pare/runtime/format";
import { isStatic, type Node, type Tensor, type ValueId } from "../../ir/index.js";
import { type AttributeReader, attributeReader } from "../schema/attributes.js";
import type { Emitter } from "./emitter.js";

/** A node of the forward pass: its inputs and attributes. */
export class Forward {
  readonly emit: Emitter;
  readonly node: Node;
  readonly attributes: AttributeReader;

  constructor(emit: Emitter, node: Node) {
    this.emit = emit;
    this.node = node;
    this.attributes = attributeReader(node.attributes);
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? null) !== null;
  }

  /** @throws PareError MODEL_INVALID where it is left out */
  input(index: number): ValueId {
    const id = this.node.inputs[index];
    if (id !== undefined && id !== null) return id;
    const label = this.emit.graph.nodeLabel(this.node);
    throw new PareError("MODEL_INVALID", `${this.node.op} ${label} has no input ${index}.`, {
      where: label,
    });
  }

  /** The dims of an input. */
  dims(index: number): readonly number[] {
    return this.emit.shape(this.input(index));
  }

  /** An input's tensor, where it is constant. */
  constant(index: number): Tensor | undefined {
    return this.emit.graph.constant(this.node.inputs[index]);
  }

  /** The integers in an input; undefined where it is left out. @throws PareError UNSUPPORTED_OP where they vary */
  integers(index: number): readonly number[] | undefined {
    if (!this.has(index)) return undefined;
    const { elements, name } = this.emit.graph.value(this.input(index));
    const known = elements !== undefined && isStatic(elements) ? elements : undefined;
    const found = known ?? this.constant(index)?.numbers();
    if (found !== undefined) return found;
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
}

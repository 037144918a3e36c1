import { PareError } from "@pare/runtime/format";
import type { Dim } from "../dim.js";
import type { BodyId, ValueId } from "../ids.js";
import { OrderedSet } from "../ordered-map.js";
import type { Body, ModelHeader, MutableBody, MutableValue } from "../model.js";
import { elementsOf, type Tensor } from "../tensor.js";
import { Transaction } from "./transaction.js";
import { tensorType, type ValueType } from "../type.js";

/** Edits of the header, of values and of bodies: initializers, types, inputs and outputs. */
export class BodyEditor extends Transaction {
  #constantBytes = 0;

  /** Of the initializers that were added. */
  get constantBytes(): number {
    return this.#constantBytes;
  }

  /** Changes facts about the file. */
  setHeader(changed: Partial<ModelHeader>): void {
    const before = this.tables.header;
    this.tables.header = { ...before, ...changed };
    this.undo(() => (this.tables.header = before));
    this.touched += 1;
  }

  /** Says which version of a domain's operators the model is written in; undefined takes the domain out. */
  setOpset(domain: string, version: number | undefined): void {
    const opsets = new Map(this.tables.header.opsets);
    if (opsets.get(domain) === version) return;
    if (version === undefined) opsets.delete(domain);
    else opsets.set(domain, version);
    this.setHeader({ opsets });
  }

  /** Adds an initializer. */
  constant(name: string, tensor: Tensor, body: Body = this.graph.main): ValueId {
    const owner = this.mutableBody(body.id);
    const id = this.makeValue(name, tensorType(tensor.dtype, tensor.dims), body.id, null);
    const value = this.mutableValue(id);
    value.constant = tensor;
    value.elements = elementsOf(tensor);
    this.#constantBytes += tensor.byteLength;
    this.enlist(owner.initializers, id);
    this.touched += 1;
    return id;
  }

  rename(id: ValueId, name: string): void {
    const value = this.mutableValue(id);
    this.guard?.beforeValue(id);
    const before = value.name;
    value.name = name;
    this.undo(() => (value.name = before));
    this.touched += 1;
  }

  /**
   * Declares a type: an input's, or one that inference cannot know. The integers that were known in the value are
   * forgotten where they are not given; an initializer keeps its own.
   */
  setType(id: ValueId, type: ValueType, elements?: readonly Dim[]): void {
    const value = this.mutableValue(id);
    this.guard?.beforeValue(id);
    const before = { type: value.type, elements: value.elements };
    value.type = type;
    if (this.graph.constant(id) === undefined || elements !== undefined) value.elements = elements;
    this.undo(() => Object.assign(value, before));
    for (const use of value.uses) if (use.kind === "node") this.dirty.add(use.node);
    this.touched += 1;
  }

  /** Puts another tensor in an initializer's place. */
  setConstant(id: ValueId, tensor: Tensor): void {
    const value = this.mutableValue(id);
    const before = value.constant;
    value.constant = tensor;
    this.undo(() => (value.constant = before));
    this.setType(id, tensorType(tensor.dtype, tensor.dims), elementsOf(tensor));
  }

  /** Adds an input to a body. */
  addInput(name: string, type: ValueType, body: Body = this.graph.main): ValueId {
    const owner = this.mutableBody(body.id);
    this.guard?.beforeCount(body.id);
    const id = this.makeValue(name, type, body.id, null);
    this.mutableValue(id).isInput = true;
    owner.inputs.push(id);
    this.undo(() => owner.inputs.pop());
    this.touched += 1;
    return id;
  }

  /** Gives an input a default: an initializer of the same name. */
  setDefault(id: ValueId, tensor: Tensor): void {
    const value = this.mutableValue(id);
    const owner = this.mutableBody(value.body);
    const before = value.constant;
    value.constant = tensor;
    this.undo(() => (value.constant = before));
    this.enlist(owner.initializers, id);
    this.touched += 1;
  }

  /** Takes inputs of the main body away: one with a default becomes an initializer; one without must not be read. */
  removeInputs(ids: Iterable<ValueId>): void {
    const owner = this.mutableBody(this.graph.main.id);
    const going = new Set(ids);
    this.guard?.beforeCount(owner.id);
    const before = owner.inputs;
    owner.inputs = before.filter((id) => !going.has(id));
    this.undo(() => (owner.inputs = before));
    for (const id of going) this.#demote(this.mutableValue(id));
    this.touched += 1;
  }

  #demote(value: MutableValue): void {
    if (value.constant === undefined) {
      if (value.uses.length > 0)
        throw new PareError(
          "INTERNAL",
          `${this.rule} removes the input ${value.name}, which is still read.`,
        );
      this.deleteValue(value.id);
      return;
    }
    const before = value.elements;
    value.elements = elementsOf(value.constant);
    value.isInput = false;
    this.undo(() => Object.assign(value, { elements: before, isInput: true }));
    for (const use of value.uses) if (use.kind === "node") this.dirty.add(use.node);
  }

  addOutput(value: ValueId, body: Body = this.graph.main): void {
    const owner = this.mutableBody(body.id);
    this.guard?.beforeCount(body.id);
    owner.outputs.push(value);
    this.undo(() => owner.outputs.pop());
    this.use(value, { kind: "output", body: body.id, index: owner.outputs.length - 1 });
    this.touched += 1;
  }

  /** Of the main body. */
  removeOutput(index: number): void {
    const owner = this.mutableBody(this.graph.main.id);
    this.guard?.beforeCount(owner.id);
    const before = owner.outputs;
    const place = (at: number) => ({ kind: "output", body: owner.id, index: at }) as const;
    // Those before it stay where they are: taken from the last on, none is moved.
    before.slice(index).forEach((value, at) => this.unuse(value, place(index + at)));
    owner.outputs = before.toSpliced(index, 1);
    this.undo(() => (owner.outputs = before));
    owner.outputs.slice(index).forEach((value, at) => this.use(value, place(index + at)));
    this.touched += 1;
  }

  /** Lets an output of a body be another value; used by interface changes, `replace` does the rest. */
  setOutput(index: number, value: ValueId, body: Body = this.graph.main): void {
    this.putOutput(body.id, index, value);
  }

  protected putOutput(bodyId: BodyId, index: number, value: ValueId): void {
    const body = this.mutableBody(bodyId);
    const before = body.outputs[index];
    if (before === undefined || before === value) return;
    this.guard?.beforeOutput(bodyId, index);
    body.outputs[index] = value;
    this.undo(() => (body.outputs[index] = before));
    this.unuse(before, { kind: "output", body: bodyId, index });
    this.use(value, { kind: "output", body: bodyId, index });
    if (body.owner !== null) this.dirty.add(body.owner);
    this.touched += 1;
  }

  /** An empty body for a node that is about to be added. */
  addBody(name: string): Body {
    const id = this.newId() as BodyId;
    const body: MutableBody = {
      id,
      name,
      inputs: [],
      outputs: [],
      initializers: new OrderedSet(),
      nodes: new OrderedSet(),
      owner: null,
      origin: undefined,
    };
    this.tables.bodies.set(id, body);
    this.undo(() => this.tables.bodies.delete(id));
    return body;
  }

  /** Names a body and notes what the file said of it besides. */
  describeBody(body: Body, name: string, origin: unknown): void {
    const mutable = this.mutableBody(body.id);
    const before = { name: mutable.name, origin: mutable.origin };
    Object.assign(mutable, { name, origin });
    this.undo(() => Object.assign(mutable, before));
    this.touched += 1;
  }

  /** Moves a body's nodes and initializers into another body (an If whose branch is known); gives the inner outputs. */
  inline(inner: Body, into: Body): readonly ValueId[] {
    const from = this.mutableBody(inner.id);
    const to = this.mutableBody(into.id);
    const outputs = [...from.outputs];
    outputs.forEach((value, index) => this.unuse(value, { kind: "output", body: inner.id, index }));
    const before = { nodes: from.nodes, initializers: from.initializers, outputs: from.outputs };
    const moveValue = (id: ValueId): void => {
      const value = this.mutableValue(id);
      value.body = to.id;
      this.undo(() => (value.body = from.id));
    };
    for (const id of from.nodes) {
      const node = this.mutableNode(id);
      node.body = to.id;
      this.undo(() => (node.body = from.id));
      this.enlist(to.nodes, id);
      for (const output of node.outputs) if (output !== null) moveValue(output);
      this.dirty.add(id);
    }
    for (const id of from.initializers) {
      this.enlist(to.initializers, id);
      moveValue(id);
    }
    Object.assign(from, {
      nodes: new OrderedSet(),
      initializers: new OrderedSet(),
      outputs: [],
    });
    this.undo(() => Object.assign(from, before));
    this.touched += 1;
    return outputs;
  }
}

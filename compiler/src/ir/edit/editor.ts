import { PareError } from "@pare/runtime/format";
import type { NodeId, ValueId } from "../ids.js";
import {
  type Attribute,
  type Attributes,
  bodiesOf,
  type Body,
  type MutableBody,
  type MutableNode,
  type Node,
} from "../model.js";
import { BodyEditor } from "./body-editor.js";
import type { Use } from "../uses.js";
import {
  contradicts,
  sameShape,
  sameType,
  tensorType,
  typeText,
  unknownType,
  type ValueType,
} from "../type.js";

export interface AddOptions {
  /** "" (ai.onnx) where not given. */
  readonly domain?: string;
  readonly overload?: string;
  readonly name?: string;
  /** How many outputs, or their names ("" or null leaves an output out). 1 where not given. */
  readonly outputs?: number | readonly (string | null)[];
  /** The main body where not given. */
  readonly body?: Body;
  readonly origin?: unknown;
}

/** One transaction on a graph; see `edit`. */
export class Editor extends BodyEditor {
  readonly #added = new Set<NodeId>();
  /** What took a value's place, and of what type that was. */
  readonly #replaced: { readonly name: string; readonly type: ValueType; readonly by: ValueId }[] =
    [];
  readonly #entries: { what: "changed"; node: string; op: string; reason: string }[] = [];

  /** Adds a node; gives the ids of its outputs, in order, those left out excluded. */
  add(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Attributes = {},
    options: AddOptions = {},
  ): readonly ValueId[] {
    const node = this.addNode(op, inputs, attributes, options);
    return node.outputs.filter((id) => id !== null);
  }

  /** As `add`, for a node with one output. */
  add1(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Attributes = {},
    options: AddOptions = {},
  ): ValueId {
    const [output] = this.add(op, inputs, attributes, options);
    if (output === undefined) throw new PareError("INTERNAL", `${op} was added without an output.`);
    return output;
  }

  addNode(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Attributes = {},
    options: AddOptions = {},
  ): Node {
    const body = this.mutableBody((options.body ?? this.graph.main).id);
    const id = this.newId() as NodeId;
    const names =
      typeof options.outputs === "object"
        ? options.outputs
        : Array.from(
            { length: options.outputs ?? 1 },
            (_, index) => `${op}_${id}${index === 0 ? "" : `_${index}`}`,
          );
    const node: MutableNode = {
      id,
      op,
      domain: options.domain ?? "",
      overload: options.overload ?? "",
      name: options.name ?? "",
      inputs: [],
      outputs: [],
      attributes: new Map(Object.entries(attributes)),
      body: body.id,
      origin: options.origin,
    };
    this.tables.nodes.set(id, node);
    this.#added.add(id);
    this.undo(() => this.tables.nodes.delete(id));
    this.enlist(body.nodes, id);
    for (const inner of bodiesOf(node)) this.own(inner.id, id);
    inputs.forEach((value, index) => {
      node.inputs.push(value);
      if (value !== null) this.use(value, { kind: "node", node: id, index });
    });
    for (const name of names)
      node.outputs.push(
        name === null || name === "" ? null : this.makeValue(name, unknownType, body.id, id),
      );
    this.dirty.add(id);
    this.touched += 1;
    return node;
  }

  /**
   * Lets every reader of `old` read `by` instead. Nodes that this transaction added and that `by` is made of keep
   * reading `old`: what is put behind a value may begin with it. A body's output keeps its name.
   */
  replace(old: ValueId, by: ValueId, because: string): void {
    if (old === by) return;
    const producer = this.graph.producer(old);
    if (producer !== undefined) this.note(producer, because);
    const makers = this.#addedBetween(old, by);
    const { name, type, uses } = this.mutableValue(old);
    if (this.keepsTypes) this.#replaced.push({ name, type, by });
    const output = uses.isOutput ? this.#asOutput(old, by) : by;
    // Of what reads thousands of values each is replaced by itself: it is not inferred thousands of times.
    const isAlike = this.#isAlike(old, by);
    for (const use of Array.from(uses)) {
      if (use.kind === "output") this.putOutput(use.body, use.index, output);
      else if (!makers.has(use.node)) this.#putInput(use.node, use.index, by, isAlike);
    }
    this.released.add(old);
  }

  /** Does inference see the same in both? */
  #isAlike(one: ValueId, other: ValueId): boolean {
    const [a, b] = [this.mutableValue(one), this.mutableValue(other)];
    return (
      a.constant === undefined &&
      b.constant === undefined &&
      a.type.kind !== "unknown" &&
      sameType(a.type, b.type) &&
      sameShape(a.elements, b.elements)
    );
  }

  /** `by`, or a copy of it where it cannot take the place and the name of the output `old`. */
  #asOutput(old: ValueId, by: ValueId): ValueId {
    const from = this.mutableValue(old);
    const to = this.mutableValue(by);
    if (to.producer !== null && to.body === from.body && !to.uses.isOutput) {
      this.rename(by, from.name);
      return by;
    }
    const producer = this.graph.producer(old);
    if (producer?.op === "Identity" && producer.inputs[0] === by) return old;
    const body = this.graph.body(from.body);
    return this.add1("Identity", [by], {}, { body, outputs: [from.name] });
  }

  /** The nodes added in this transaction that lead from one value to another; none where none of them reads the first. */
  #addedBetween(from: ValueId, to: ValueId): ReadonlySet<NodeId> {
    const found = new Set<NodeId>();
    const reads = (use: Use): boolean => use.kind === "node" && this.#added.has(use.node);
    const open: (ValueId | null)[] = this.mutableValue(from).uses.some(reads) ? [to] : [];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const producer = id === from ? undefined : this.graph.producer(id);
      if (producer === undefined || found.has(producer.id) || !this.#added.has(producer.id))
        continue;
      found.add(producer.id);
      for (const input of producer.inputs) open.push(input);
    }
    return found;
  }

  setInput(nodeId: NodeId, index: number, value: ValueId | null): void {
    this.#putInput(nodeId, index, value, false);
  }

  /** @param isAlike inference sees the same in it as in what is read now */
  #putInput(nodeId: NodeId, index: number, value: ValueId | null, isAlike: boolean): void {
    const node = this.mutableNode(nodeId);
    const before = node.inputs[index] ?? null;
    if (before === value && index < node.inputs.length) return;
    const lengthBefore = node.inputs.length;
    while (node.inputs.length < index) node.inputs.push(null);
    node.inputs[index] = value;
    this.undo(() => {
      node.inputs[index] = before;
      node.inputs.length = lengthBefore;
    });
    if (before !== null) this.unuse(before, { kind: "node", node: nodeId, index });
    if (value !== null) this.use(value, { kind: "node", node: nodeId, index });
    if (!isAlike) this.dirty.add(nodeId);
    this.touched += 1;
  }

  /** Drops trailing inputs beyond `length`. */
  trimInputs(nodeId: NodeId, length: number): void {
    const node = this.mutableNode(nodeId);
    for (let index = node.inputs.length - 1; index >= length; index -= 1) {
      this.setInput(nodeId, index, null);
      node.inputs.pop();
      this.undo(() => node.inputs.push(null));
    }
  }

  /** An output of a node by position; made where the node leaves it out. */
  output(nodeId: NodeId, index: number): ValueId {
    const node = this.mutableNode(nodeId);
    const known = node.outputs[index];
    if (known !== undefined && known !== null) return known;
    const before = node.outputs.length;
    const id = this.makeValue(`${node.op}_${nodeId}_${index}`, unknownType, node.body, nodeId);
    while (node.outputs.length < index) node.outputs.push(null);
    node.outputs[index] = id;
    this.undo(() => {
      node.outputs[index] = null;
      node.outputs.length = before;
    });
    this.dirty.add(nodeId);
    this.touched += 1;
    return id;
  }

  /** Leaves out an output that nobody reads. */
  dropOutput(nodeId: NodeId, index: number): void {
    const node = this.mutableNode(nodeId);
    const output = node.outputs[index];
    if (output === undefined || output === null) return;
    if (this.mutableValue(output).uses.length > 0)
      throw new PareError(
        "INTERNAL",
        `${this.rule} drops an output of ${node.op} that is still read.`,
      );
    const { length } = node.outputs;
    node.outputs[index] = null;
    // Operators of one output have no second one, not even an empty one.
    while (node.outputs.length > 1 && node.outputs.at(-1) === null) node.outputs.pop();
    this.undo(() => {
      while (node.outputs.length < length) node.outputs.push(null);
      node.outputs[index] = output;
    });
    this.deleteValue(output);
    this.touched += 1;
  }

  setAttribute(nodeId: NodeId, name: string, value: Attribute | undefined): void {
    const node = this.mutableNode(nodeId);
    const before = node.attributes;
    const after = new Map(before);
    if (value === undefined) after.delete(name);
    else after.set(name, value);
    const bodiesBefore = bodiesOf(node);
    node.attributes = after;
    this.undo(() => (node.attributes = before));
    const bodiesAfter = bodiesOf(node).map((body) => body.id);
    for (const id of bodiesAfter) this.own(id, nodeId);
    for (const { id } of bodiesBefore) {
      if (!bodiesAfter.includes(id)) this.#removeBody(this.mutableBody(id));
    }
    this.dirty.add(nodeId);
    this.touched += 1;
  }

  /** Gives the same inputs and outputs another operator of ONNX's own: Slice for DynamicSlice, Upsample's successor. */
  setOp(nodeId: NodeId, op: string): void {
    const node = this.mutableNode(nodeId);
    const before = { op: node.op, domain: node.domain };
    Object.assign(node, { op, domain: "" });
    this.undo(() => Object.assign(node, before));
    this.dirty.add(nodeId);
    this.touched += 1;
  }

  /** Removes a node whose outputs nobody reads. */
  remove(nodeId: NodeId): void {
    const node = this.mutableNode(nodeId);
    for (const output of node.outputs) {
      if (output !== null && this.mutableValue(output).uses.length > 0) {
        throw new PareError(
          "INTERNAL",
          `${this.rule} removes ${this.graph.nodeLabel(node)}, whose output ${this.mutableValue(output).name} is still read.`,
        );
      }
    }
    node.inputs.forEach((value, index) => {
      if (value !== null) this.unuse(value, { kind: "node", node: nodeId, index });
    });
    for (const output of node.outputs) if (output !== null) this.deleteValue(output);
    for (const body of bodiesOf(node)) this.#removeBody(this.mutableBody(body.id));
    this.strike(this.mutableBody(node.body).nodes, nodeId);
    this.tables.nodes.delete(nodeId);
    this.dirty.delete(nodeId);
    this.undo(() => this.tables.nodes.set(nodeId, node));
    this.touched += 1;
  }

  /** Says in the journal what was done to a node and why. */
  note(node: Node, reason: string): void {
    this.#entries.push({ what: "changed", node: this.graph.nodeLabel(node), op: node.op, reason });
  }

  /** Infers types of what was written so far: for a rewrite that is not sure before it knows them. */
  inferTypes(): void {
    this.#inferDirty();
  }

  /** @throws PareError PASS_FAILED always: the transaction is undone */
  refuse(change: string): never {
    throw new PareError("PASS_FAILED", `${this.rule} would change ${change}.`, {
      where: this.rule,
    });
  }

  /** Called by `edit`: infers types again, drops what lost its last use, checks the model's interface. */
  commit(): void {
    this.#sweep();
    this.#inferDirty();
    const change = this.guard?.change() ?? this.#contradiction();
    if (change !== undefined) this.refuse(change);
    if (this.touched > 0) this.tables.changes += 1;
    for (const entry of this.#entries) this.graph.journal.push({ rule: this.rule, ...entry });
  }

  /** Which value's type is another than what took its place has. */
  #contradiction(): string | undefined {
    for (const { name, type, by } of this.#replaced) {
      const now = this.tables.values.get(by)?.type;
      if (now !== undefined && contradicts(type, now))
        return `${JSON.stringify(name)} from ${typeText(type)} to ${typeText(now)}`;
    }
    return undefined;
  }

  #sweep(): void {
    for (const id of this.released) {
      const value = this.tables.values.get(id);
      if (value === undefined || value.uses.length > 0) continue;
      if (value.producer !== null) {
        const node = this.tables.nodes.get(value.producer);
        if (
          node !== undefined &&
          node.outputs.every(
            (output) => output === null || this.mutableValue(output).uses.length === 0,
          )
        )
          this.remove(node.id);
      } else if (value.constant !== undefined && !value.isInput) {
        this.strike(this.mutableBody(value.body).initializers, id);
        this.deleteValue(id);
      }
    }
  }

  #inferDirty(): void {
    const limit = 64 * (this.tables.nodes.size + 1);
    let steps = 0;
    for (const id of this.dirty) {
      this.dirty.delete(id);
      const node = this.tables.nodes.get(id);
      if (node === undefined) continue;
      steps += 1;
      if (steps > limit)
        throw new PareError(
          "INTERNAL",
          `Type inference does not come to an end after ${this.rule}.`,
        );
      this.graph.infer(this.graph, node).forEach((inferred, index) => {
        const output = node.outputs[index];
        if (inferred === undefined || output === undefined || output === null) return;
        const value = this.mutableValue(output);
        const type = refined(value.type, inferred.type);
        if (sameType(type, value.type) && sameShape(inferred.elements, value.elements)) return;
        this.setType(output, type, inferred.elements);
        // A body's output types its owner's output.
        for (const use of value.uses) {
          const owner = use.kind === "output" ? this.mutableBody(use.body).owner : null;
          if (owner !== null) this.dirty.add(owner);
        }
      });
    }
  }

  #removeBody(body: MutableBody): void {
    body.outputs.forEach((value, index) =>
      this.unuse(value, { kind: "output", body: body.id, index }),
    );
    const outputs = body.outputs;
    body.outputs = [];
    this.undo(() => (body.outputs = outputs));
    for (const node of [...this.graph.order(body)].reverse()) this.remove(node.id);
    for (const id of [...body.inputs, ...body.initializers])
      if (this.tables.values.has(id)) this.deleteValue(id);
    this.tables.bodies.delete(body.id);
    this.undo(() => this.tables.bodies.set(body.id, body));
  }
}

/** What inference found, completed by what was known where inference found nothing. */
function refined(known: ValueType, found: ValueType): ValueType {
  if (found.kind === "unknown") return known;
  if (found.kind !== "tensor" || known.kind !== "tensor") return found;
  if (found.shape !== undefined)
    return found.dtype === undefined ? tensorType(known.dtype, found.shape) : found;
  return tensorType(found.dtype ?? known.dtype, known.shape);
}

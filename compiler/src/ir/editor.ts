import { PareError } from "@pare/runtime/format";
import type { Attribute, Attributes } from "./attribute.js";
import type { Dim } from "./dim.js";
import {
  bodiesOf,
  type Body,
  type BodyId,
  type Graph,
  type GraphTables,
  type MutableBody,
  type MutableNode,
  type MutableValue,
  type Node,
  type NodeId,
  type Use,
  type ValueId,
} from "./graph.js";
import { canonicalOrder } from "./order.js";
import type { Tensor } from "./tensor.js";
import { sameShape, sameType, tensorType, typeText, unknownType, type ValueType } from "./type.js";

export interface EditOptions {
  /** The pass declares that it changes the model's own inputs or outputs. */
  readonly interface?: boolean;
}

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

/** One transaction on a graph; see Graph.edit. Every primitive records how to undo itself. */
export class Editor {
  readonly #graph: Graph;
  readonly #tables: GraphTables;
  readonly #rule: string;
  readonly #undo: (() => void)[] = [];
  readonly #dirty = new Set<NodeId>();
  readonly #added = new Set<NodeId>();
  readonly #released = new Set<ValueId>();
  /** Bodies whose order of nodes or initializers an undo already holds. */
  readonly #kept = new Set<BodyId>();
  readonly #before: Interface | undefined;
  readonly #entries: { what: "changed"; node: string; op: string; reason: string }[] = [];
  #touched = 0;

  constructor(graph: Graph, tables: GraphTables, rule: string, options: EditOptions) {
    this.#graph = graph;
    this.#tables = tables;
    this.#rule = rule;
    this.#before = options.interface === true ? undefined : interfaceOf(graph);
  }

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
    const body = this.#body((options.body ?? this.#graph.main).id);
    const id = this.#id() as NodeId;
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
    this.#tables.nodes.set(id, node);
    this.#added.add(id);
    body.nodes.add(id);
    this.#undo.push(() => {
      this.#tables.nodes.delete(id);
      body.nodes.delete(id);
    });
    for (const inner of bodiesOf(node)) this.#own(inner.id, id);
    inputs.forEach((value, index) => {
      node.inputs.push(value);
      if (value !== null) this.#use(value, { kind: "node", node: id, index });
    });
    for (const name of names)
      node.outputs.push(
        name === null || name === "" ? null : this.#makeValue(name, unknownType, body.id, id),
      );
    this.#dirty.add(id);
    this.#touched += 1;
    return node;
  }

  /** Adds an initializer. */
  constant(name: string, tensor: Tensor, body: Body = this.#graph.main): ValueId {
    const owner = this.#body(body.id);
    const id = this.#makeValue(name, tensorType(tensor.dtype, tensor.dims), body.id, null);
    const value = this.#value(id);
    value.constant = tensor;
    value.elements = elementsOf(tensor);
    owner.initializers.add(id);
    this.#undo.push(() => owner.initializers.delete(id));
    this.#touched += 1;
    return id;
  }

  /**
   * Lets every reader of `old` read `by` instead. Nodes that this transaction added and that `by` is made of keep
   * reading `old`: what is put behind a value may begin with it. A body's output keeps its name.
   */
  replace(old: ValueId, by: ValueId, because: string): void {
    if (old === by) return;
    const producer = this.#graph.producer(old);
    if (producer !== undefined) this.note(producer, because);
    const makers = this.#addedBehind(by);
    const { uses } = this.#value(old);
    const output = uses.some((use) => use.kind === "output") ? this.#asOutput(old, by) : by;
    for (const use of uses) {
      if (use.kind === "output") this.#setOutput(use.body, use.index, output);
      else if (!makers.has(use.node)) this.setInput(use.node, use.index, by);
    }
    this.#released.add(old);
  }

  /** `by`, or a copy of it where it cannot take the place and the name of the output `old`. */
  #asOutput(old: ValueId, by: ValueId): ValueId {
    const from = this.#value(old);
    const to = this.#value(by);
    const isOutput = to.uses.some((use) => use.kind === "output");
    if (to.producer !== null && to.body === from.body && !isOutput) {
      this.rename(by, from.name);
      return by;
    }
    const producer = this.#graph.producer(old);
    if (producer?.op === "Identity" && producer.inputs[0] === by) return old;
    const body = this.#graph.body(from.body);
    return this.add1("Identity", [by], {}, { body, outputs: [from.name] });
  }

  /** The nodes added in this transaction that a value depends on. */
  #addedBehind(value: ValueId): ReadonlySet<NodeId> {
    const found = new Set<NodeId>();
    const visit = (id: ValueId | null): void => {
      const producer = id === null ? undefined : this.#graph.producer(id);
      if (producer === undefined || found.has(producer.id) || !this.#added.has(producer.id)) return;
      found.add(producer.id);
      producer.inputs.forEach(visit);
    };
    visit(value);
    return found;
  }

  setInput(nodeId: NodeId, index: number, value: ValueId | null): void {
    const node = this.#node(nodeId);
    const before = node.inputs[index] ?? null;
    if (before === value && index < node.inputs.length) return;
    const lengthBefore = node.inputs.length;
    while (node.inputs.length < index) node.inputs.push(null);
    node.inputs[index] = value;
    this.#undo.push(() => {
      node.inputs[index] = before;
      node.inputs.length = lengthBefore;
    });
    if (before !== null)
      this.#unuse(
        before,
        (use) => use.kind === "node" && use.node === nodeId && use.index === index,
      );
    if (value !== null) this.#use(value, { kind: "node", node: nodeId, index });
    this.#dirty.add(nodeId);
    this.#touched += 1;
  }

  /** Drops trailing inputs beyond `length`. */
  trimInputs(nodeId: NodeId, length: number): void {
    const node = this.#node(nodeId);
    for (let index = node.inputs.length - 1; index >= length; index -= 1) {
      this.setInput(nodeId, index, null);
      node.inputs.pop();
      this.#undo.push(() => node.inputs.push(null));
    }
  }

  /** Leaves out an output that nobody reads. */
  dropOutput(nodeId: NodeId, index: number): void {
    const node = this.#node(nodeId);
    const output = node.outputs[index];
    if (output === undefined || output === null) return;
    if (this.#value(output).uses.length > 0)
      throw new PareError(
        "INTERNAL",
        `${this.#rule} drops an output of ${node.op} that is still read.`,
      );
    node.outputs[index] = null;
    this.#undo.push(() => (node.outputs[index] = output));
    this.#deleteValue(output);
    this.#touched += 1;
  }

  setAttribute(nodeId: NodeId, name: string, value: Attribute | undefined): void {
    const node = this.#node(nodeId);
    const before = node.attributes;
    const after = new Map(before);
    if (value === undefined) after.delete(name);
    else after.set(name, value);
    const bodiesBefore = bodiesOf(node);
    node.attributes = after;
    this.#undo.push(() => (node.attributes = before));
    const bodiesAfter = bodiesOf(node).map((body) => body.id);
    for (const id of bodiesAfter) this.#own(id, nodeId);
    for (const { id } of bodiesBefore) {
      if (!bodiesAfter.includes(id)) this.#removeBody(this.#body(id));
    }
    this.#dirty.add(nodeId);
    this.#touched += 1;
  }

  /** Gives the same inputs and outputs another operator: SpaceToDepth for a pattern, Upsample's successor. */
  setOp(nodeId: NodeId, op: string, domain = ""): void {
    const node = this.#node(nodeId);
    const before = { op: node.op, domain: node.domain };
    Object.assign(node, { op, domain });
    this.#undo.push(() => Object.assign(node, before));
    this.#dirty.add(nodeId);
    this.#touched += 1;
  }

  rename(id: ValueId, name: string): void {
    const value = this.#value(id);
    const before = value.name;
    value.name = name;
    this.#undo.push(() => (value.name = before));
    this.#touched += 1;
  }

  /**
   * Declares a type: an input's, or one that inference cannot know. The integers that were known in the value are
   * forgotten where they are not given; an initializer keeps its own.
   */
  setType(id: ValueId, type: ValueType, elements?: readonly Dim[]): void {
    const value = this.#value(id);
    const before = { type: value.type, elements: value.elements };
    value.type = type;
    if (this.#graph.constant(id) === undefined || elements !== undefined) value.elements = elements;
    this.#undo.push(() => Object.assign(value, before));
    for (const use of value.uses) if (use.kind === "node") this.#dirty.add(use.node);
    this.#touched += 1;
  }

  /** Puts another tensor in an initializer's place. */
  setConstant(id: ValueId, tensor: Tensor): void {
    const value = this.#value(id);
    const before = value.constant;
    value.constant = tensor;
    this.#undo.push(() => (value.constant = before));
    this.setType(id, tensorType(tensor.dtype, tensor.dims), elementsOf(tensor));
  }

  /** Adds an input to a body. */
  addInput(
    name: string,
    type: ValueType,
    body: Body = this.#graph.main,
    origin?: unknown,
  ): ValueId {
    const owner = this.#body(body.id);
    const id = this.#makeValue(name, type, body.id, null, origin);
    owner.inputs.push(id);
    this.#undo.push(() => owner.inputs.pop());
    this.#touched += 1;
    return id;
  }

  /** Gives an input a default: an initializer of the same name. */
  setDefault(id: ValueId, tensor: Tensor): void {
    const value = this.#value(id);
    const owner = this.#body(value.body);
    const before = value.constant;
    value.constant = tensor;
    this.#undo.push(() => (value.constant = before));
    if (!owner.initializers.has(id)) {
      owner.initializers.add(id);
      this.#undo.push(() => owner.initializers.delete(id));
    }
    this.#touched += 1;
  }

  /** Takes an input away: one with a default becomes an initializer; one without must not be read. */
  removeInput(id: ValueId): void {
    const value = this.#value(id);
    const owner = this.#body(value.body);
    const before = owner.inputs;
    if (value.constant === undefined && value.uses.length > 0)
      throw new PareError(
        "INTERNAL",
        `${this.#rule} removes the input ${value.name}, which is still read.`,
      );
    owner.inputs = before.filter((input) => input !== id);
    this.#undo.push(() => (owner.inputs = before));
    if (value.constant === undefined) this.#deleteValue(id);
    else {
      value.elements = elementsOf(value.constant);
      for (const use of value.uses) if (use.kind === "node") this.#dirty.add(use.node);
    }
    this.#touched += 1;
  }

  addOutput(value: ValueId, body: Body = this.#graph.main): void {
    const owner = this.#body(body.id);
    owner.outputs.push(value);
    this.#undo.push(() => owner.outputs.pop());
    this.#use(value, { kind: "output", body: body.id, index: owner.outputs.length - 1 });
    this.#touched += 1;
  }

  removeOutput(index: number, body: Body = this.#graph.main): void {
    const owner = this.#body(body.id);
    const before = owner.outputs;
    before.forEach((value, at) =>
      this.#unuse(
        value,
        (use) => use.kind === "output" && use.body === body.id && use.index === at,
      ),
    );
    owner.outputs = before.filter((_, at) => at !== index);
    this.#undo.push(() => (owner.outputs = before));
    owner.outputs.forEach((value, at) =>
      this.#use(value, { kind: "output", body: body.id, index: at }),
    );
    this.#touched += 1;
  }

  /** Lets an output of a body be another value; used by interface changes, `replace` does the rest. */
  setOutput(index: number, value: ValueId, body: Body = this.#graph.main): void {
    this.#setOutput(body.id, index, value);
  }

  /** An empty body for a node that is about to be added. */
  addBody(name: string, origin?: unknown): Body {
    const id = this.#id() as BodyId;
    const body: MutableBody = {
      id,
      name,
      inputs: [],
      outputs: [],
      initializers: new Set(),
      nodes: new Set(),
      owner: null,
      origin,
    };
    this.#tables.bodies.set(id, body);
    this.#undo.push(() => this.#tables.bodies.delete(id));
    return body;
  }

  /** Names a body and notes what the file said of it besides. */
  describeBody(body: Body, name: string, origin: unknown): void {
    const mutable = this.#body(body.id);
    const before = { name: mutable.name, origin: mutable.origin };
    Object.assign(mutable, { name, origin });
    this.#undo.push(() => Object.assign(mutable, before));
    this.#touched += 1;
  }

  /** Moves a body's nodes and initializers into another body (an If whose branch is known); gives the inner outputs. */
  inline(inner: Body, into: Body): readonly ValueId[] {
    const from = this.#body(inner.id);
    const to = this.#body(into.id);
    const outputs = [...from.outputs];
    outputs.forEach((value, index) =>
      this.#unuse(
        value,
        (use) => use.kind === "output" && use.body === inner.id && use.index === index,
      ),
    );
    const before = { nodes: from.nodes, initializers: from.initializers, outputs: from.outputs };
    const moveValue = (id: ValueId): void => {
      const value = this.#value(id);
      value.body = to.id;
      this.#undo.push(() => (value.body = from.id));
    };
    for (const id of from.nodes) {
      const node = this.#node(id);
      node.body = to.id;
      to.nodes.add(id);
      this.#undo.push(() => {
        node.body = from.id;
        to.nodes.delete(id);
      });
      for (const output of node.outputs) if (output !== null) moveValue(output);
      this.#dirty.add(id);
    }
    for (const id of from.initializers) {
      to.initializers.add(id);
      this.#undo.push(() => to.initializers.delete(id));
      moveValue(id);
    }
    Object.assign(from, { nodes: new Set(), initializers: new Set(), outputs: [] });
    this.#undo.push(() => Object.assign(from, before));
    this.#touched += 1;
    return outputs;
  }

  /** Removes a node whose outputs nobody reads. */
  remove(nodeId: NodeId): void {
    const node = this.#node(nodeId);
    for (const output of node.outputs) {
      if (output !== null && this.#value(output).uses.length > 0) {
        throw new PareError(
          "INTERNAL",
          `${this.#rule} removes ${this.#graph.nodeLabel(node)}, whose output ${this.#value(output).name} is still read.`,
        );
      }
    }
    node.inputs.forEach((value, index) => {
      if (value !== null)
        this.#unuse(
          value,
          (use) => use.kind === "node" && use.node === nodeId && use.index === index,
        );
    });
    for (const output of node.outputs) if (output !== null) this.#deleteValue(output);
    for (const body of bodiesOf(node)) this.#removeBody(this.#body(body.id));
    const owner = this.#body(node.body);
    this.#keepOrder(owner);
    owner.nodes.delete(nodeId);
    this.#tables.nodes.delete(nodeId);
    this.#dirty.delete(nodeId);
    this.#undo.push(() => this.#tables.nodes.set(nodeId, node));
    this.#touched += 1;
  }

  /** Says in the journal what was done to a node and why. */
  note(node: Node, reason: string): void {
    this.#entries.push({ what: "changed", node: this.#graph.nodeLabel(node), op: node.op, reason });
  }

  /** Called by Graph.edit: infers types again, drops what lost its last use, checks the model's interface. */
  commit(): void {
    this.#sweep();
    this.#inferDirty();
    const change = this.#before && interfaceChange(this.#before, interfaceOf(this.#graph));
    if (change !== undefined) {
      throw new PareError("PASS_FAILED", `${this.#rule} would change ${change}.`, {
        where: this.#rule,
      });
    }
    if (this.#touched > 0) this.#graph.changes += 1;
    for (const entry of this.#entries) this.#graph.journal.push({ rule: this.#rule, ...entry });
  }

  rollback(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo.length = 0;
  }

  #sweep(): void {
    for (const id of this.#released) {
      const value = this.#tables.values.get(id);
      if (value === undefined || value.uses.length > 0) continue;
      const owner = this.#body(value.body);
      if (value.producer !== null) {
        const node = this.#tables.nodes.get(value.producer);
        if (
          node !== undefined &&
          node.outputs.every((output) => output === null || this.#value(output).uses.length === 0)
        )
          this.remove(node.id);
      } else if (value.constant !== undefined && !owner.inputs.includes(id)) {
        this.#keepOrder(owner);
        owner.initializers.delete(id);
        this.#deleteValue(id);
      }
    }
  }

  #inferDirty(): void {
    const limit = 64 * (this.#tables.nodes.size + 1);
    let steps = 0;
    for (const id of this.#dirty) {
      this.#dirty.delete(id);
      const node = this.#tables.nodes.get(id);
      if (node === undefined) continue;
      steps += 1;
      if (steps > limit)
        throw new PareError(
          "INTERNAL",
          `Type inference does not come to an end after ${this.#rule}.`,
        );
      this.#graph.infer(this.#graph, node).forEach((inferred, index) => {
        const output = node.outputs[index];
        if (inferred === undefined || output === undefined || output === null) return;
        const value = this.#value(output);
        const type = refined(value.type, inferred.type);
        if (sameType(type, value.type) && sameShape(inferred.elements, value.elements)) return;
        this.setType(output, type, inferred.elements);
        // A body's output types its owner's output.
        for (const use of value.uses) {
          const owner = use.kind === "output" ? this.#body(use.body).owner : null;
          if (owner !== null) this.#dirty.add(owner);
        }
      });
    }
  }

  #setOutput(bodyId: BodyId, index: number, value: ValueId): void {
    const body = this.#body(bodyId);
    const before = body.outputs[index];
    if (before === undefined || before === value) return;
    body.outputs[index] = value;
    this.#undo.push(() => (body.outputs[index] = before));
    this.#unuse(
      before,
      (use) => use.kind === "output" && use.body === bodyId && use.index === index,
    );
    this.#use(value, { kind: "output", body: bodyId, index });
    if (body.owner !== null) this.#dirty.add(body.owner);
    this.#touched += 1;
  }

  /** Before the first removal from a body: undone last, it puts everything back in its place. */
  #keepOrder(body: MutableBody): void {
    if (this.#kept.has(body.id)) return;
    this.#kept.add(body.id);
    const before = { nodes: [...body.nodes], initializers: [...body.initializers] };
    this.#undo.push(() => {
      body.nodes = new Set(before.nodes);
      body.initializers = new Set(before.initializers);
    });
  }

  #own(bodyId: BodyId, owner: NodeId): void {
    const body = this.#body(bodyId);
    const before = body.owner;
    body.owner = owner;
    this.#undo.push(() => (body.owner = before));
  }

  #removeBody(body: MutableBody): void {
    body.outputs.forEach((value, index) =>
      this.#unuse(
        value,
        (use) => use.kind === "output" && use.body === body.id && use.index === index,
      ),
    );
    const outputs = body.outputs;
    body.outputs = [];
    this.#undo.push(() => (body.outputs = outputs));
    // Not the graph's order: that may be from before this transaction moved nodes out of the body.
    for (const node of [...canonicalOrder(this.#graph, body)].reverse()) this.remove(node.id);
    for (const id of [...body.inputs, ...body.initializers])
      if (this.#tables.values.has(id)) this.#deleteValue(id);
    this.#tables.bodies.delete(body.id);
    this.#undo.push(() => this.#tables.bodies.set(body.id, body));
  }

  #makeValue(
    name: string,
    type: ValueType,
    body: BodyId,
    producer: NodeId | null,
    origin?: unknown,
  ): ValueId {
    const id = this.#id() as ValueId;
    this.#tables.values.set(id, {
      id,
      name,
      type,
      elements: undefined,
      constant: undefined,
      producer,
      body,
      uses: [],
      origin,
    });
    this.#undo.push(() => this.#tables.values.delete(id));
    return id;
  }

  #deleteValue(id: ValueId): void {
    const value = this.#value(id);
    this.#tables.values.delete(id);
    this.#undo.push(() => this.#tables.values.set(id, value));
  }

  #use(id: ValueId, use: Use): void {
    const value = this.#value(id);
    value.uses = [...value.uses, use];
    this.#undo.push(() => (value.uses = value.uses.filter((other) => other !== use)));
  }

  #unuse(id: ValueId, matches: (use: Use) => boolean): void {
    const value = this.#tables.values.get(id);
    if (value === undefined) return;
    const before = value.uses;
    value.uses = before.filter((use) => !matches(use));
    this.#undo.push(() => (value.uses = before));
    if (value.uses.length === 0) this.#released.add(id);
  }

  #id(): number {
    this.#tables.next += 1;
    return this.#tables.next;
  }

  #value(id: ValueId): MutableValue {
    const value = this.#tables.values.get(id);
    if (value === undefined)
      throw new PareError("INTERNAL", `${this.#rule} uses a value that is not in the graph.`);
    return value;
  }

  #node(id: NodeId): MutableNode {
    const node = this.#tables.nodes.get(id);
    if (node === undefined)
      throw new PareError("INTERNAL", `${this.#rule} uses a node that is not in the graph.`);
    return node;
  }

  #body(id: BodyId): MutableBody {
    const body = this.#tables.bodies.get(id);
    if (body === undefined)
      throw new PareError("INTERNAL", `${this.#rule} uses a body that is not in the graph.`);
    return body;
  }
}

/** Integers that a tensor holds, for shape arithmetic: small int32 and int64 only. */
export function elementsOf(tensor: Tensor): readonly number[] | undefined {
  if (
    (tensor.dtype !== "int64" && tensor.dtype !== "int32") ||
    tensor.dims.length > 1 ||
    tensor.count > 1024
  )
    return undefined;
  return tensor.numbers();
}

/** What inference found, completed by what was known where inference found nothing. */
function refined(known: ValueType, found: ValueType): ValueType {
  if (found.kind === "unknown") return known;
  if (found.kind !== "tensor" || known.kind !== "tensor") return found;
  if (found.shape !== undefined)
    return found.dtype === undefined ? tensorType(known.dtype, found.shape) : found;
  return tensorType(found.dtype ?? known.dtype, known.shape);
}

/** What of the model others rely on. */
interface Interface {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

interface Port {
  /** An input's identity; an output may come from elsewhere. */
  readonly id: ValueId | undefined;
  readonly name: string;
  readonly type: ValueType;
}

function interfaceOf(graph: Graph): Interface {
  const port = (id: ValueId): Port => ({ id, ...named(graph, id) });
  const output = (id: ValueId): Port => ({ id: undefined, ...named(graph, id) });
  return { inputs: graph.main.inputs.map(port), outputs: graph.main.outputs.map(output) };
}

function named(graph: Graph, id: ValueId): { name: string; type: ValueType } {
  const { name, type } = graph.value(id);
  return { name, type };
}

/** How an interface changed, or undefined. */
function interfaceChange(before: Interface, after: Interface): string | undefined {
  return (
    portChange("input", before.inputs, after.inputs) ??
    portChange("output", before.outputs, after.outputs)
  );
}

function portChange(
  kind: string,
  before: readonly Port[],
  after: readonly Port[],
): string | undefined {
  if (before.length !== after.length)
    return `the number of ${kind}s from ${before.length} to ${after.length}`;
  for (const [index, old] of before.entries()) {
    const now = after[index];
    if (now === undefined || old.id !== now.id || old.name !== now.name)
      return `${kind} ${index} from ${JSON.stringify(old.name)} to ${JSON.stringify(now?.name)}`;
    if (contradicts(old.type, now.type))
      return `${kind} ${index} from ${typeText(old.type)} to ${typeText(now.type)}`;
  }
  return undefined;
}

/** Do two types exclude each other: another kind, dtype, rank or number? */
function contradicts(before: ValueType, after: ValueType): boolean {
  if (before.kind === "unknown" || after.kind === "unknown") return false;
  if (before.kind !== after.kind) return true;
  if (before.kind !== "tensor" || after.kind !== "tensor") return false;
  if (before.dtype !== undefined && after.dtype !== undefined && before.dtype !== after.dtype)
    return true;
  if (before.shape === undefined || after.shape === undefined) return false;
  const { shape } = after;
  return (
    before.shape.length !== shape.length ||
    before.shape.some(
      (dim, axis) =>
        typeof dim === "number" && typeof shape[axis] === "number" && dim !== shape[axis],
    )
  );
}

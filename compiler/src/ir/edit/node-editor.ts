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
import { unknownType } from "../type.js";
import { BodyEditor } from "./body-editor.js";

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

/** Edits of nodes: added and removed, their inputs, outputs and attributes. */
export class NodeEditor extends BodyEditor {
  protected readonly added = new Set<NodeId>();

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
    this.added.add(id);
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

  setInput(nodeId: NodeId, index: number, value: ValueId | null): void {
    this.putInput(nodeId, index, value, false);
  }

  /** @param isAlike inference sees the same in it as in what is read now */
  protected putInput(nodeId: NodeId, index: number, value: ValueId | null, isAlike: boolean): void {
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

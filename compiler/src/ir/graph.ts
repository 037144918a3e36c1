import { PareError } from "@pare/runtime/format";
import type { Dim } from "./dim.js";
import type { BodyId, NodeId, ValueId } from "./ids.js";
import type {
  Attribute,
  Body,
  GraphTables,
  JournalEntry,
  ModelHeader,
  Node,
  Structure,
  Value,
} from "./model.js";
import { canonicalOrder } from "./order.js";
import { OrderedSet } from "./ordered-map.js";
import type { Tensor } from "./tensor.js";
import type { ValueType } from "./type.js";

/** What type inference says of one output; undefined where it says nothing. */
export interface Inferred {
  readonly type: ValueType;
  readonly elements?: readonly Dim[] | undefined;
}

/** Types of a node's outputs from its inputs, by position. Never throws: what is unknown stays unknown. */
export type Infer = (graph: Graph, node: Node) => readonly (Inferred | undefined)[];

/** For the Editor alone: what a graph is made of. */
export let tablesOf: (graph: Graph) => GraphTables;

/**
 * A model's graph: the main body and, nested in it, the bodies of control flow. Values and nodes of all bodies live
 * in one table, so a captured value's uses include those inside subgraphs. Here are queries; what changes it is `edit`.
 */
export class Graph implements Structure {
  readonly infer: Infer;
  readonly journal: JournalEntry[] = [];
  readonly #tables: GraphTables;
  readonly #orders = new Map<
    BodyId,
    { readonly version: number; readonly order: readonly Node[] }
  >();

  static {
    tablesOf = (graph) => graph.#tables;
  }

  constructor(header: ModelHeader, infer: Infer, tables: GraphTables = emptyTables(header)) {
    this.infer = infer;
    this.#tables = tables;
  }

  get header(): ModelHeader {
    return this.#tables.header;
  }

  /** Edits committed so far: a pass that changed nothing leaves it as it was. */
  get changes(): number {
    return this.#tables.changes;
  }

  get main(): Body {
    return this.body(mainId);
  }

  value(id: ValueId): Value {
    return found(this.#tables.values.get(id), "value", id);
  }

  node(id: NodeId): Node {
    return found(this.#tables.nodes.get(id), "node", id);
  }

  body(id: BodyId): Body {
    return found(this.#tables.bodies.get(id), "body", id);
  }

  hasNode(id: NodeId): boolean {
    return this.#tables.nodes.has(id);
  }

  hasValue(id: ValueId): boolean {
    return this.#tables.values.has(id);
  }

  /** Every node of every body. */
  allNodes(): IterableIterator<Node> {
    return this.#tables.nodes.values();
  }

  allValues(): IterableIterator<Value> {
    return this.#tables.values.values();
  }

  allBodies(): IterableIterator<Body> {
    return this.#tables.bodies.values();
  }

  /**
   * A body's nodes in an order of execution that depends on the structure alone: neither on names nor on the file's
   * order. Nodes that no output needs come last. A snapshot: nodes may be gone (`hasNode`) once edits began.
   */
  order(body: Body = this.main): readonly Node[] {
    const { version } = this.#tables;
    const known = this.#orders.get(body.id);
    if (known?.version === version) return known.order;
    const order = canonicalOrder(this, body);
    this.#orders.set(body.id, { version, order });
    return order;
  }

  /** The node that makes a value, or undefined. */
  producer(value: ValueId | null | undefined): Node | undefined {
    if (value === null || value === undefined) return undefined;
    const { producer } = this.value(value);
    return producer === null ? undefined : this.node(producer);
  }

  /** A value's tensor when it can never be anything else: an initializer that is no input. */
  constant(value: ValueId | null | undefined): Tensor | undefined {
    if (value === null || value === undefined) return undefined;
    const { constant, isInput } = this.value(value);
    return isInput ? undefined : constant;
  }

  /** The nodes that read a value. */
  consumers(value: ValueId): readonly Node[] {
    const nodes: Node[] = [];
    for (const use of this.value(value).uses)
      if (use.kind === "node") nodes.push(this.node(use.node));
    return nodes;
  }

  /** Is the value an output of a body? */
  isOutput(value: ValueId): boolean {
    return this.value(value).uses.isOutput;
  }

  opset(domain = ""): number | undefined {
    return this.header.opsets.get(domain);
  }

  /** Records why a rule did not apply to a node. */
  leave(rule: string, node: Node, reason: string): void {
    this.journal.push({ rule, what: "left", node: this.nodeLabel(node), op: node.op, reason });
  }

  /** A name for messages: the node's own, or that of its first output. */
  nodeLabel(node: Node): string {
    if (node.name !== "") return node.name;
    const output = node.outputs.find((id) => id !== null);
    return output === undefined || output === null
      ? `${node.op} #${node.id}`
      : this.value(output).name;
  }

  /** An independent copy that shares tensors and keeps every id. */
  fork(): Graph {
    const values = new Map(
      [...this.#tables.values].map(([id, value]) => [id, { ...value, uses: value.uses.copy() }]),
    );
    const bodies = new Map(
      [...this.#tables.bodies].map(([id, body]) => [
        id,
        {
          ...body,
          inputs: [...body.inputs],
          outputs: [...body.outputs],
          initializers: new OrderedSet(body.initializers),
          nodes: new OrderedSet(body.nodes),
        },
      ]),
    );
    const ownBody = (body: Body): Body => found(bodies.get(body.id), "body", body.id);
    const rebind = (attribute: Attribute): Attribute =>
      attribute.type === "graph"
        ? { type: "graph", value: ownBody(attribute.value) }
        : attribute.type === "graphs"
          ? { type: "graphs", value: attribute.value.map(ownBody) }
          : attribute;
    const nodes = new Map(
      [...this.#tables.nodes].map(([id, node]) => [
        id,
        {
          ...node,
          inputs: [...node.inputs],
          outputs: [...node.outputs],
          attributes: new Map([...node.attributes].map(([name, value]) => [name, rebind(value)])),
        },
      ]),
    );
    const { header, next, version, changes } = this.#tables;
    const tables = { header, values, nodes, bodies, next, version, changes, editing: false };
    const copy = new Graph(header, this.infer, tables);
    for (const entry of this.journal) copy.journal.push(entry);
    return copy;
  }
}

function found<T>(item: T | undefined, kind: string, id: number): T {
  if (item === undefined)
    throw new PareError("INTERNAL", `There is no ${kind} ${id} in this graph.`);
  return item;
}

const mainId = 0 as BodyId;

function emptyTables(header: ModelHeader): GraphTables {
  const main = {
    id: mainId,
    name: "main",
    inputs: [],
    outputs: [],
    initializers: new OrderedSet<ValueId>(),
    nodes: new OrderedSet<NodeId>(),
    owner: null,
    origin: undefined,
  };
  return {
    header,
    values: new Map(),
    nodes: new Map(),
    bodies: new Map([[mainId, main]]),
    next: 1,
    version: 0,
    changes: 0,
    editing: false,
  };
}

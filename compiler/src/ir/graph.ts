import { PareError } from "@pare/runtime/format";
import type { Attribute } from "./attribute.js";
import type { Dim } from "./dim.js";
import { Editor, type EditOptions } from "./editor.js";
import { canonicalOrder } from "./order.js";
import type { Tensor } from "./tensor.js";
import type { ValueType } from "./type.js";

export type ValueId = number & { readonly __value: unique symbol };
export type NodeId = number & { readonly __node: unique symbol };
export type BodyId = number & { readonly __body: unique symbol };

/** Who reads a value: a node's input, or a body's output. */
export type Use =
  | { readonly kind: "node"; readonly node: NodeId; readonly index: number }
  | { readonly kind: "output"; readonly body: BodyId; readonly index: number };

/** A named value. Ids are identity; names are text that may be empty or repeated. Change it only through the Editor. */
export interface Value {
  readonly id: ValueId;
  readonly name: string;
  readonly type: ValueType;
  /** The integers in it, where they follow from shapes: what Shape, Gather, Concat make of dims. Flat, row-major. */
  readonly elements: readonly Dim[] | undefined;
  /** Its tensor when it is an initializer (for an input of a body: its default). */
  readonly constant: Tensor | undefined;
  /** The node that makes it; null for inputs and initializers. */
  readonly producer: NodeId | null;
  readonly body: BodyId;
  readonly uses: readonly Use[];
  /** What the file said besides (value_info, documentation, unknown fields). Opaque here. */
  readonly origin: unknown;
}

export interface Node {
  readonly id: NodeId;
  readonly op: string;
  /** "" is ai.onnx. */
  readonly domain: string;
  readonly overload: string;
  readonly name: string;
  readonly inputs: readonly (ValueId | null)[];
  readonly outputs: readonly (ValueId | null)[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly body: BodyId;
  readonly origin: unknown;
}

/** A list of nodes with inputs and outputs: the main graph, or the body of an If, Loop or Scan. */
export interface Body {
  readonly id: BodyId;
  readonly name: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  /** In the file's order. */
  readonly initializers: ReadonlySet<ValueId>;
  /** In the file's order, which may be no order of execution: see `Graph.order`. */
  readonly nodes: ReadonlySet<NodeId>;
  /** The node that holds it; null for the main graph. */
  readonly owner: NodeId | null;
  readonly origin: unknown;
}

/** What type inference says of one output; undefined where it says nothing. */
export interface Inferred {
  readonly type: ValueType;
  readonly elements?: readonly Dim[] | undefined;
}

/** Types of a node's outputs from its inputs, by position. Never throws: what is unknown stays unknown. */
export type Infer = (graph: Graph, node: Node) => readonly (Inferred | undefined)[];

/** What was done to a node, or why it was left alone. */
export interface JournalEntry {
  readonly rule: string;
  readonly what: "changed" | "left";
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

/** Facts about the file that are not its graph. */
export interface ModelHeader {
  irVersion: bigint;
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: bigint;
  docString: string;
  metadata: [string, string][];
  /** Domain → version; "" is ai.onnx. */
  opsets: Map<string, number>;
  /** Local functions as the file holds them, opaque here, by `domain::name::overload`. */
  functions: Map<string, unknown>;
  origin: unknown;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export interface MutableValue extends Mutable<Omit<Value, "uses">> {
  uses: Use[];
}
export interface MutableNode extends Mutable<Omit<Node, "inputs" | "outputs" | "attributes">> {
  inputs: (ValueId | null)[];
  outputs: (ValueId | null)[];
  attributes: Map<string, Attribute>;
}
export interface MutableBody extends Mutable<
  Omit<Body, "inputs" | "outputs" | "nodes" | "initializers">
> {
  inputs: ValueId[];
  outputs: ValueId[];
  initializers: Set<ValueId>;
  nodes: Set<NodeId>;
}

/** The tables that only the Editor and the fork write to. */
export interface GraphTables {
  readonly values: Map<ValueId, MutableValue>;
  readonly nodes: Map<NodeId, MutableNode>;
  readonly bodies: Map<BodyId, MutableBody>;
  next: number;
}

/**
 * A model's graph: the main body and, nested in it, the bodies of control flow. Values and nodes of all bodies live
 * in one table, so a captured value's uses include those inside subgraphs. Mutation goes through `edit`.
 */
export class Graph {
  readonly header: ModelHeader;
  readonly infer: Infer;
  readonly journal: JournalEntry[] = [];
  /** Edits committed so far: a pass that changed nothing leaves it as it was. */
  changes = 0;
  readonly #tables: GraphTables;
  readonly #main: BodyId;
  readonly #orders = new Map<BodyId, readonly Node[]>();
  #editing = 0;

  constructor(header: ModelHeader, infer: Infer, tables?: GraphTables, main?: BodyId) {
    this.header = header;
    this.infer = infer;
    if (tables !== undefined && main !== undefined) {
      this.#tables = tables;
      this.#main = main;
    } else {
      const id = 0 as BodyId;
      this.#tables = { values: new Map(), nodes: new Map(), bodies: new Map(), next: 1 };
      this.#tables.bodies.set(id, {
        id,
        name: "main",
        inputs: [],
        outputs: [],
        initializers: new Set(),
        nodes: new Set(),
        owner: null,
        origin: undefined,
      });
      this.#main = id;
    }
  }

  get main(): Body {
    return this.body(this.#main);
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
    const known = this.#orders.get(body.id);
    if (known !== undefined) return known;
    const order = canonicalOrder(this, body);
    if (this.#editing === 0) this.#orders.set(body.id, order);
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
    const { constant, body } = this.value(value);
    if (constant === undefined || this.body(body).inputs.includes(value)) return undefined;
    return constant;
  }

  /** The nodes that read a value. */
  consumers(value: ValueId): readonly Node[] {
    return this.value(value).uses.flatMap((use) =>
      use.kind === "node" ? [this.node(use.node)] : [],
    );
  }

  /** Is the value an output of a body? */
  isOutput(value: ValueId): boolean {
    return this.value(value).uses.some((use) => use.kind === "output");
  }

  opset(domain = ""): number | undefined {
    return this.header.opsets.get(domain);
  }

  /**
   * One transaction: all of `change`, or nothing when it throws. Afterwards types of all that depends on it are
   * inferred again, and what lost its last use is gone.
   */
  edit<Result>(
    rule: string,
    change: (editor: Editor) => Result,
    options: EditOptions = {},
  ): Result {
    const editor = new Editor(this, this.#tables, rule, options);
    // In the middle of a transaction an order holds for no longer than the next edit.
    this.#editing += 1;
    this.#orders.clear();
    try {
      const result = change(editor);
      editor.commit();
      return result;
    } catch (error) {
      editor.rollback();
      throw error;
    } finally {
      this.#editing -= 1;
    }
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
      [...this.#tables.values].map(([id, value]) => [id, { ...value, uses: [...value.uses] }]),
    );
    const bodies = new Map(
      [...this.#tables.bodies].map(([id, body]) => [
        id,
        {
          ...body,
          inputs: [...body.inputs],
          outputs: [...body.outputs],
          initializers: new Set(body.initializers),
          nodes: new Set(body.nodes),
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
    const header: ModelHeader = {
      ...this.header,
      metadata: this.header.metadata.map(([key, value]) => [key, value]),
      opsets: new Map(this.header.opsets),
      functions: new Map(this.header.functions),
    };
    const copy = new Graph(
      header,
      this.infer,
      { values, nodes, bodies, next: this.#tables.next },
      this.#main,
    );
    copy.journal.push(...this.journal);
    copy.changes = this.changes;
    return copy;
  }
}

function found<T>(item: T | undefined, kind: string, id: number): T {
  if (item === undefined)
    throw new PareError("INTERNAL", `There is no ${kind} ${id} in this graph.`);
  return item;
}

/** The bodies that a node holds, If's branches or a Loop's body, by their attributes' names. */
export function bodiesOf(node: Node): readonly Body[] {
  const held: [string, readonly Body[]][] = [];
  for (const [name, attribute] of node.attributes) {
    if (attribute.type === "graph") held.push([name, [attribute.value]]);
    else if (attribute.type === "graphs") held.push([name, attribute.value]);
  }
  return held.sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, bodies]) => bodies);
}

export function newHeader(opset = 21): ModelHeader {
  return {
    irVersion: 10n,
    producerName: "pare",
    producerVersion: "",
    domain: "",
    modelVersion: 0n,
    docString: "",
    metadata: [],
    opsets: new Map([["", opset]]),
    functions: new Map(),
    origin: undefined,
  };
}

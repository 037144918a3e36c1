import type { Dim } from "./dim.js";
import type { BodyId, NodeId, ValueId } from "./ids.js";
import type { Tensor } from "./tensor.js";
import type { ValueType } from "./type.js";
import type { Members, OrderedSet } from "./ordered-map.js";
import type { UseList, Uses } from "./uses.js";

/** An attribute's value. Integers are bigint because ONNX means 64 bits; text is bytes where it is not UTF-8. */
export type Attribute =
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string | Uint8Array }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Body }
  | { readonly type: "ints"; readonly value: readonly bigint[] }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly (string | Uint8Array)[] }
  | { readonly type: "tensors"; readonly value: readonly Tensor[] }
  | { readonly type: "graphs"; readonly value: readonly Body[] }
  | { readonly type: "type"; readonly value: ValueType }
  /** Sparse tensors and what this version does not know: carried through, never looked at. */
  | { readonly type: "opaque"; readonly value: unknown };

export type Attributes = Readonly<Record<string, Attribute>>;

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
  /** It is an input of its body, whether or not it has a default. */
  readonly isInput: boolean;
  readonly uses: Uses;
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
  /** What the file said besides (documentation, unknown fields). Opaque here. */
  readonly origin: unknown;
}

/** A list of nodes with inputs and outputs: the main graph, or the body of an If, Loop or Scan. */
export interface Body {
  readonly id: BodyId;
  readonly name: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  /** In the file's order. */
  readonly initializers: Members<ValueId>;
  /** In the file's order, which may be no order of execution: see `Graph.order`. */
  readonly nodes: Members<NodeId>;
  /** The node that holds it; null for the main graph. */
  readonly owner: NodeId | null;
  /** What the file said besides, of its values too (value_info). Opaque here. */
  readonly origin: unknown;
}

/** What was done to a node, or why it was left alone. */
export interface JournalEntry {
  readonly rule: string;
  readonly what: "changed" | "left";
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

/** Facts about the file that are not its graph. Changed through the Editor, like the rest. */
export interface ModelHeader {
  readonly irVersion: bigint;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: bigint;
  readonly docString: string;
  readonly metadata: readonly (readonly [key: string, value: string])[];
  /**
   * The file describes single nodes, values or tensors (doc_string, metadata_props), and that is written back; once
   * false, it is not.
   */
  readonly described: boolean;
  /** Domain → version; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Local functions as the file holds them, opaque here, by `domain::name::overload`. */
  readonly functions: ReadonlyMap<string, unknown>;
  readonly origin: unknown;
}

/** What can be asked of a graph's structure. */
export interface Structure {
  value(id: ValueId): Value;
  hasValue(id: ValueId): boolean;
  node(id: NodeId): Node;
  /** A body's nodes in an order of execution. */
  order(body: Body): readonly Node[];
  nodeLabel(node: Node): string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export interface MutableValue extends Mutable<Omit<Value, "uses">> {
  uses: UseList;
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
  initializers: OrderedSet<ValueId>;
  nodes: OrderedSet<NodeId>;
}

/** What a graph is made of. Only the Editor and the fork write to it. */
export interface GraphTables {
  header: ModelHeader;
  readonly values: Map<ValueId, MutableValue>;
  readonly nodes: Map<NodeId, MutableNode>;
  readonly bodies: Map<BodyId, MutableBody>;
  next: number;
  /** Counts every mutation: what was derived from an earlier one is stale. */
  version: number;
  /** Edits committed so far. */
  changes: number;
  /** An edit is open. */
  editing: boolean;
}

/** Nearly every node's bodies. */
const none: readonly Body[] = [];

/** The bodies that a node holds, If's branches or a Loop's body, by their attributes' names. */
export function bodiesOf(node: Node): readonly Body[] {
  let held: [string, readonly Body[]][] | undefined;
  for (const [name, attribute] of node.attributes) {
    if (attribute.type === "graph") (held ??= []).push([name, [attribute.value]]);
    else if (attribute.type === "graphs") (held ??= []).push([name, attribute.value]);
  }
  if (held === undefined) return none;
  return held.sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, bodies]) => bodies);
}

/** The opset of ai.onnx that the normal form is in, and that passes and gradients are written for. */
export const normalOpset = 21;

export function newHeader(opset = normalOpset): ModelHeader {
  return {
    irVersion: 10n,
    producerName: "pare",
    producerVersion: "",
    domain: "",
    modelVersion: 0n,
    docString: "",
    metadata: [],
    described: false,
    opsets: new Map([["", opset]]),
    functions: new Map(),
    origin: undefined,
  };
}

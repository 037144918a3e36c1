import { type Graph, type Node, type ValueId, type ValueType } from "../ir/index.js";
import type { Message } from "./schema.js";

// What a file said besides its graph. The graph carries it along without looking; encoding looks here first, so that
// what nobody touched is written as it was read.

/** What a file declares of a value, and the type the value had once everything was read and inferred. */
export class Declaration {
  readonly proto: Message<"ValueInfoProto">;
  type: ValueType;

  constructor(proto: Message<"ValueInfoProto">, type: ValueType) {
    this.proto = proto;
    this.type = type;
  }
}

export class ModelOrigin {
  /** Without its graph and functions. */
  readonly proto: Message<"ModelProto">;

  constructor(proto: Message<"ModelProto">) {
    this.proto = proto;
  }
}

/** Whether a graph is what an ONNX file says, and is written back as it was. */
export function isAsRead(graph: Graph): boolean {
  return graph.changes === 0 && graph.header.origin instanceof ModelOrigin;
}

export class BodyOrigin {
  /** Without nodes, initializers, inputs, outputs and value_info. */
  readonly proto: Message<"GraphProto">;
  readonly inputs = new Map<ValueId, Declaration>();
  readonly outputs = new Map<ValueId, Declaration>();
  /** In the file's order; null where nothing has the name. */
  readonly valueInfo: { readonly value: ValueId | null; readonly declaration: Declaration }[] = [];
  /** Values that the file itself held, so that new ones are told from those it chose not to declare. */
  readonly read = new Set<ValueId>();

  constructor(proto: Message<"GraphProto">) {
    this.proto = proto;
  }
}

export class NodeOrigin {
  /** Without inputs, outputs and attributes. */
  readonly proto: Message<"NodeProto">;
  /** Without tensors and graphs. */
  readonly attributes: ReadonlyMap<string, Message<"AttributeProto">>;

  constructor(
    proto: Message<"NodeProto">,
    attributes: ReadonlyMap<string, Message<"AttributeProto">>,
  ) {
    this.proto = proto;
    this.attributes = attributes;
  }
}

export function nodeOrigin(node: Node): NodeOrigin | undefined {
  return node.origin instanceof NodeOrigin ? node.origin : undefined;
}

/** "ai.onnx" and "" are the same domain. */
export function plainDomain(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

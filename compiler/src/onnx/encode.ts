import { PareError } from "@pare/runtime/format";
import {
  bodiesOf,
  type Body,
  dependencies,
  type Graph,
  type ModelHeader,
  type Node,
  sameType,
  type ValueId,
  type ValueType,
} from "../ir/index.js";
import { encodeAttribute } from "./attribute-message.js";
import { withoutDescriptions } from "./descriptions.js";
import { assignNames, TakenNames } from "./names.js";
import { BodyOrigin, type Declaration, ModelOrigin, nodeOrigin, plainDomain } from "./origin.js";
import {
  type ExternalFile,
  type ExternalWriting,
  keepExternal,
  moveOut,
} from "./external-write.js";
import type { Message } from "./schema.js";
import { encodeTensor, TensorOrigin } from "./tensor-message.js";
import { encodeType } from "./type-message.js";
import { withWholeSizes } from "./whole-sizes.js";
import { withRoundedCaptures } from "./captured-moves.js";
import { writeMessage } from "./write-message.js";

export interface EncodeOptions {
  /**
   * Where tensors above 64 KiB go: "inline" (the default) into the file itself, `{ location }` into one file beside it,
   * with `beyond` only where all tensors take more bytes than that; "keep" leaves them where they were read from.
   */
  readonly external?: ExternalWriting;
  /** Nodes of the main graph that no other node reads: they are written after all others, in this order. */
  readonly last?: readonly Node[];
  readonly signal?: AbortSignal;
}

export interface EncodedModel {
  readonly proto: Uint8Array;
  /** Files to be written beside it, by location. */
  readonly external: ReadonlyMap<string, ExternalFile>;
}

/**
 * Writes a graph as an ONNX file: what was read and not touched as it was, names made unique where values share one, or nodes
 * of one body, sizes of all axes where others than those of the file are named, and rounded again what bodies read behind a
 * DequantizeLinear where onnxruntime could not open it.
 * @throws PareError MODEL_LIMIT when it takes 2 GB or more without external data, ABORTED
 */
export async function encodeModel(
  graph: Graph,
  options: EncodeOptions = {},
): Promise<EncodedModel> {
  const { external = "inline", last = [], signal } = options;
  const message = encodeMessage(graph, last);
  if (external === "keep") keepExternal(graph, message);
  const files: EncodedModel["external"] =
    typeof external === "object" ? moveOut(message, external, signal) : new Map();
  return { proto: await writeMessage("ModelProto", message, signal), external: files };
}

/** The message that `encodeModel` writes; data that is not in memory is read when it is written. */
export function encodeMessage(from: Graph, last: readonly Node[] = []): Message<"ModelProto"> {
  const graph = withRoundedCaptures(withWholeSizes(from));
  const { header } = graph;
  const message: Message<"ModelProto"> =
    header.origin instanceof ModelOrigin ? { ...header.origin.proto } : {};
  assign(message, "irVersion", header.irVersion, 0n);
  assign(message, "producerName", header.producerName, "");
  assign(message, "producerVersion", header.producerVersion, "");
  assign(message, "domain", header.domain, "");
  assign(message, "modelVersion", header.modelVersion, 0n);
  assign(message, "docString", header.docString, "");
  const opsetImport = importsOf(header.opsets, message.opsetImport ?? []);
  if (opsetImport.length > 0) message.opsetImport = opsetImport;
  const metadata = metadataOf(header.metadata, message.metadataProps ?? []);
  if (metadata.length > 0) message.metadataProps = metadata;
  else delete message.metadataProps;
  if (header.functions.size > 0)
    message.functions = [...header.functions.values()] as Message<"FunctionProto">[]; // Only decoding puts them there.
  message.graph = new BodyEncoding(graph, assignNames(graph)).encode(graph.main, last);
  return header.described ? message : withoutDescriptions(message).model;
}

function assign<Key extends string, Value>(
  message: { [K in Key]?: Value },
  key: Key,
  value: Value,
  absent: Value,
): void {
  if ((message[key] ?? absent) !== value) message[key] = value;
}

function importsOf(
  opsets: ReadonlyMap<string, number>,
  read: readonly Message<"OperatorSetIdProto">[],
): Message<"OperatorSetIdProto">[] {
  const kept = read.filter(({ domain }) => opsets.has(plainDomain(domain)));
  const known = new Set(kept.map(({ domain }) => plainDomain(domain)));
  const updated = kept.map((entry) => {
    const version = BigInt(opsets.get(plainDomain(entry.domain)) ?? 0);
    return (entry.version ?? 0n) === version ? entry : { ...entry, version };
  });
  // A file of before IR version 3 imports nothing and means version 1.
  if (read.length === 0 && opsets.size === 1 && opsets.get("") === 1) return [];
  const added = [...opsets]
    .filter(([domain]) => !known.has(domain))
    .map(([domain, version]) => ({ domain, version: BigInt(version) }));
  return [...updated, ...added];
}

function metadataOf(
  metadata: ModelHeader["metadata"],
  read: readonly Message<"StringStringEntryProto">[],
): Message<"StringStringEntryProto">[] {
  return metadata.map(([key, value], index) => {
    const entry = read[index];
    return entry !== undefined && (entry.key ?? "") === key && (entry.value ?? "") === value
      ? entry
      : { key, value };
  });
}

class BodyEncoding {
  readonly #graph: Graph;
  readonly #names: ReadonlyMap<ValueId, string>;

  constructor(graph: Graph, names: ReadonlyMap<ValueId, string>) {
    this.#graph = graph;
    this.#names = names;
  }

  encode(body: Body, last: readonly Node[] = []): Message<"GraphProto"> {
    const origin = body.origin instanceof BodyOrigin ? body.origin : undefined;
    const message: Message<"GraphProto"> = { ...origin?.proto };
    assign(message, "name", body.name, "");
    const later = new Set(last.map(({ id }) => id));
    const nodes = nodesInOrder(this.#graph, body).filter(({ id }) => !later.has(id));
    // Engines refuse a graph with two nodes of one name; from two branches they may come into one.
    const taken = new TakenNames(undefined);
    const written = last.map(({ id }) => this.#graph.node(id));
    message.node = [...nodes, ...written].map((node) =>
      this.#node(node, node.name === "" ? "" : taken.take(node.name)),
    );
    this.#initializers(body, message);
    message.input = body.inputs.map((id) => this.#info(id, origin?.inputs.get(id)));
    message.output = body.outputs.map((id) => this.#info(id, origin?.outputs.get(id)));
    message.valueInfo = this.#valueInfo(body, origin);
    return message;
  }

  #initializers(body: Body, message: Message<"GraphProto">): void {
    const dense: Message<"TensorProto">[] = [];
    const sparse: Message<"SparseTensorProto">[] = [];
    for (const id of body.initializers) {
      const { constant } = this.#graph.value(id);
      const name = this.#name(id);
      if (constant === undefined)
        throw new PareError("INTERNAL", `The initializer ${name} has no tensor.`);
      if (constant.origin instanceof TensorOrigin && constant.origin.sparse !== undefined) {
        sparse.push({ ...constant.origin.sparse, values: { ...constant.origin.proto, name } });
      } else dense.push(encodeTensor(constant, name));
    }
    message.initializer = dense;
    message.sparseInitializer = sparse;
  }

  #node(node: Node, name: string): Message<"NodeProto"> {
    const origin = nodeOrigin(node);
    const message: Message<"NodeProto"> = { ...origin?.proto };
    message.input = node.inputs.map((id) => this.#name(id));
    message.output = node.outputs.map((id) => this.#name(id));
    assign(message, "name", name, "");
    assign(message, "opType", node.op, "");
    if (plainDomain(message.domain) !== node.domain) message.domain = node.domain;
    assign(message, "overload", node.overload, "");
    message.attribute = [...node.attributes].map(([key, value]) =>
      encodeAttribute(key, value, origin?.attributes.get(key), (body) =>
        this.encode(this.#graph.body(body.id)),
      ),
    );
    return message;
  }

  /** What was read where the type is still the same, else the type as it is now. */
  #info(id: ValueId, read: Declaration | undefined): Message<"ValueInfoProto"> {
    const { type } = this.#graph.value(id);
    const message = this.#named(read?.proto, id);
    return read !== undefined && sameType(read.type, type) ? message : withType(message, type);
  }

  #named(read: Message<"ValueInfoProto"> | undefined, id: ValueId): Message<"ValueInfoProto"> {
    const message = { ...read };
    assign(message, "name", this.#name(id), "");
    return message;
  }

  /** Declarations as read, those of values that are gone left out; and, where the file declares at all, of new values. */
  #valueInfo(body: Body, origin: BodyOrigin | undefined): Message<"ValueInfoProto">[] {
    if (origin === undefined || origin.valueInfo.length === 0) return [];
    const infos: Message<"ValueInfoProto">[] = [];
    for (const { value, declaration } of origin.valueInfo) {
      if (value === null) infos.push(declaration.proto);
      else if (this.#graph.hasValue(value) && this.#graph.value(value).body === body.id)
        infos.push(this.#info(value, declaration));
    }
    const outputs = new Set(body.outputs);
    for (const nodeId of body.nodes) {
      for (const id of this.#graph.node(nodeId).outputs) {
        if (id === null || origin.read.has(id) || outputs.has(id)) continue;
        const { type } = this.#graph.value(id);
        if (encodeType(type) !== undefined) infos.push(withType(this.#named(undefined, id), type));
      }
    }
    return infos;
  }

  #name(id: ValueId | null): string {
    return id === null ? "" : (this.#names.get(id) ?? this.#graph.value(id).name);
  }
}

function withType(message: Message<"ValueInfoProto">, type: ValueType): Message<"ValueInfoProto"> {
  const encoded = encodeType(type);
  if (encoded !== undefined) message.type = encoded;
  else delete message.type;
  return message;
}

/** The file's order where each node comes after those it reads from, else the canonical one. */
function nodesInOrder(graph: Graph, body: Body): readonly Node[] {
  const done = new Set<Node["id"]>();
  for (const id of body.nodes) {
    const node = graph.node(id);
    const needs = bodiesOf(node).length > 0 ? dependencies(graph, node) : node.inputs;
    for (const need of needs) {
      const producer = need === null ? null : graph.value(need).producer;
      if (producer !== null && body.nodes.has(producer) && !done.has(producer))
        return graph.order(body);
    }
    done.add(id);
  }
  return [...body.nodes].map((id) => graph.node(id));
}

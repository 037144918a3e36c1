import { type ByteSource, PareError, throwIfAborted } from "@pare/runtime/format";
import {
  build,
  type Attribute,
  type Body,
  type Editor,
  type Graph,
  type Infer,
  type ModelHeader,
  type Tensor,
  type ValueId,
  type ValueType,
} from "../ir/index.js";
import { type AttributeDecoding, decodeAttribute, withoutContents } from "./attribute-message.js";
import { withoutDescriptions } from "./descriptions.js";
import { inlineFunctions } from "./inline-functions.js";
import { BodyOrigin, Declaration, ModelOrigin, NodeOrigin, plainDomain } from "./origin.js";
import { otherFile } from "./other-file.js";
import { readMessage } from "./read-message.js";
import type { Message } from "./schema.js";
import { Scope } from "./scope.js";
import { labelOf, sortNodes } from "./sort-nodes.js";
import { decodeSparse, sparseName } from "./sparse.js";
import { decodeTensor } from "./tensor-message.js";
import { type Ambiguous, ambiguousNames, decodeType } from "./type-message.js";

type GraphProto = Message<"GraphProto">;
type TensorProto = Message<"TensorProto">;

/** A model as bytes, with its external data by location. */
export interface ModelBytes {
  readonly proto: ByteSource;
  readonly external?: ReadonlyMap<string, ByteSource>;
}

export interface DecodeOptions {
  /** Finds the types of what nodes make; without it only declared types are known. */
  readonly infer?: Infer;
  /** Puts the model's own functions where they are called. */
  readonly inline?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Reads a model into a graph, losslessly: `encodeModel` writes equal what nobody touched. Tensors above 64 KiB stay
 * where they are until they are read.
 * @throws PareError MODEL_* and EXTERNAL_DATA, saying what is wrong and where
 */
export async function decodeModel(model: ModelBytes, options: DecodeOptions = {}): Promise<Graph> {
  if (model.proto.size === 0) throw notAModel("The file is empty.");
  await refusePointer(model.proto);
  const message = await readModel(model.proto);
  throwIfAborted(options.signal);
  const whole = options.inline === true ? inlineFunctions(message) : message;
  return decodeMessage(whole, model.external ?? new Map(), options);
}

/** As `decodeModel`, from a message that was read before. */
export async function decodeMessage(
  message: Message<"ModelProto">,
  external: ReadonlyMap<string, ByteSource>,
  options: DecodeOptions = {},
): Promise<Graph> {
  const { graph: main } = message;
  const parts = [main?.node, main?.input, main?.output, main?.initializer];
  if (main === undefined || parts.every((part) => part === undefined)) {
    throw notAModel("The file holds no graph.");
  }
  const tensors = new Map<TensorProto, Tensor>();
  await readTensors(main, external, tensors);
  const ambiguous = ambiguousNames(main.input ?? []);
  const graph = build(headerOf(message), options.infer ?? (() => []), (editor, empty) =>
    new Builder(empty, editor, tensors, ambiguous).build(main, empty.main, undefined),
  );
  for (const body of graph.allBodies())
    if (body.origin instanceof BodyOrigin) settle(graph, body.origin);
  return graph;
}

/** Versions count up from 1, one a release. */
const highestOpset = 10_000n;

function headerOf(message: Message<"ModelProto">): ModelHeader {
  const { graph: _, functions = [], ...proto } = message;
  const opsets = new Map<string, number>();
  for (const { domain, version = 0n } of proto.opsetImport ?? []) {
    if (version < 0n || version > highestOpset)
      throw new PareError("MODEL_VERSION", `There is no version ${version} of an operator set.`, {
        where: `opset_import of ${JSON.stringify(plainDomain(domain))}`,
        hint: "Export the model again; if it was copied, copy it again.",
      });
    const named = opsets.get(plainDomain(domain));
    if (named !== undefined && named !== Number(version))
      throw new PareError(
        "MODEL_VERSION",
        `The model says twice which version of an operator set it means: ${named} and ${version}.`,
        {
          where: `opset_import of ${JSON.stringify(plainDomain(domain))}`,
          hint: "Export the model again; engines do not agree on which one holds.",
        },
      );
    opsets.set(plainDomain(domain), Number(version));
  }
  // Before IR version 3 there was one operator set.
  if (opsets.size === 0) opsets.set("", 1);
  const byKey = new Map<string, unknown>();
  for (const fn of functions) {
    const key = `${plainDomain(fn.domain)}::${fn.name ?? ""}::${fn.overload ?? ""}`;
    if (byKey.has(key))
      throw new PareError("MODEL_NAME", `The function ${key} is defined twice.`, { where: key });
    byKey.set(key, fn);
  }
  return {
    irVersion: proto.irVersion ?? 0n,
    producerName: proto.producerName ?? "",
    producerVersion: proto.producerVersion ?? "",
    domain: proto.domain ?? "",
    modelVersion: proto.modelVersion ?? 0n,
    docString: proto.docString ?? "",
    metadata: (proto.metadataProps ?? []).map(({ key = "", value = "" }) => [key, value]),
    described: withoutDescriptions(message).dropped > 0,
    opsets,
    functions: byKey,
    origin: new ModelOrigin(proto),
  };
}

/** Makes the tensors of a graph and of those nested in it, before the graph itself is built without waiting. */
async function readTensors(
  graph: GraphProto,
  external: ReadonlyMap<string, ByteSource>,
  into: Map<TensorProto, Tensor>,
): Promise<void> {
  const read = async (proto: TensorProto, where: string): Promise<void> => {
    into.set(proto, await decodeTensor(proto, external, where));
  };
  for (const proto of graph.initializer ?? [])
    await read(proto, `Initializer ${JSON.stringify(proto.name ?? "")}`);
  for (const sparse of graph.sparseInitializer ?? []) {
    const tensor = await decodeSparse(sparse, external);
    if (sparse.values !== undefined) into.set(sparse.values, tensor);
  }
  for (const node of graph.node ?? []) {
    for (const { name = "", t, tensors, g, graphs } of node.attribute ?? []) {
      const where = `Attribute ${JSON.stringify(name)} of ${labelOf(node)}`;
      if (t !== undefined) await read(t, where);
      for (const tensor of tensors ?? []) await read(tensor, where);
      if (g !== undefined) await readTensors(g, external, into);
      for (const inner of graphs ?? []) await readTensors(inner, external, into);
    }
  }
}

/**
 * Remembers the types that reading arrived at: a later difference is a change. What the file declares and nothing can be
 * is written anew: an engine that knew too little to see it may know enough once shapes are bound or folded, and refuse.
 */
function settle(graph: Graph, origin: BodyOrigin): void {
  const settleOne = (value: ValueId, declaration: Declaration): void => {
    const { type } = graph.value(value);
    if (!contradicts(declaration.type, type)) declaration.type = type;
  };
  for (const declarations of [origin.inputs, origin.outputs])
    for (const [value, declaration] of declarations) settleOne(value, declaration);
  for (const { value, declaration } of origin.valueInfo)
    if (value !== null) settleOne(value, declaration);
}

/** Is there no shape that is both? */
function contradicts(declared: ValueType, found: ValueType): boolean {
  if (declared.kind !== "tensor" || found.kind !== "tensor") return false;
  const [one, other] = [declared.shape, found.shape];
  if (one === undefined || other === undefined) return false;
  if (one.length !== other.length) return true;
  return one.some((size, axis) => {
    const own = other[axis];
    return typeof size === "number" && typeof own === "number" && size !== own;
  });
}

/** Builds bodies from messages, inner ones before the nodes that hold them. */
class Builder {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #tensors: ReadonlyMap<TensorProto, Tensor>;
  readonly #ambiguous: Ambiguous;

  constructor(
    graph: Graph,
    editor: Editor,
    tensors: ReadonlyMap<TensorProto, Tensor>,
    ambiguous: Ambiguous,
  ) {
    this.#graph = graph;
    this.#editor = editor;
    this.#tensors = tensors;
    this.#ambiguous = ambiguous;
  }

  build(proto: GraphProto, body: Body, outer: Scope | undefined): void {
    const {
      node: nodes = [],
      initializer = [],
      sparseInitializer = [],
      input = [],
      output = [],
      valueInfo = [],
      ...rest
    } = proto;
    const origin = new BodyOrigin(rest);
    const scope = new Scope(outer);
    const editor = this.#editor;
    editor.describeBody(body, proto.name ?? "", origin);
    for (const info of input) {
      const type = decodeType(info.type, this.#ambiguous);
      const id = editor.addInput(info.name ?? "", type, body);
      scope.define(info.name ?? "", id, "input");
      origin.inputs.set(id, new Declaration(info, type));
    }
    const inputs = new Set(body.inputs);
    const named = [
      ...initializer.map((tensor) => [tensor.name ?? "", tensor] as const),
      ...sparseInitializer.map((sparse) => [sparseName(sparse), sparse.values ?? {}] as const),
    ];
    for (const [name, tensorProto] of named) {
      const tensor = this.#tensor(tensorProto);
      const known = scope.own(name);
      if (known !== undefined && inputs.delete(known)) editor.setDefault(known, tensor);
      else scope.define(name, editor.constant(name, tensor, body), "initializer");
    }
    for (const node of sortNodes(nodes, (name) => scope.own(name) !== undefined))
      this.#node(node, body, scope);
    for (const info of output) {
      const id = scope.find(info.name ?? "", "output of the graph");
      const type = decodeType(info.type, this.#ambiguous);
      const before = origin.outputs.get(id)?.type;
      if (before?.kind === "tensor" && type.kind === "tensor" && before.dtype !== type.dtype)
        throw new PareError("MODEL_SHAPE", `The output "${info.name ?? ""}" has two types.`, {
          where: info.name ?? "",
        });
      editor.addOutput(id, body);
      origin.outputs.set(id, new Declaration(info, type));
      this.#declare(id, type);
    }
    for (const info of valueInfo) {
      const value = scope.own(info.name ?? "") ?? null;
      const type = decodeType(info.type, this.#ambiguous);
      origin.valueInfo.push({ value, declaration: new Declaration(info, type) });
      if (value !== null) this.#declare(value, type);
    }
    for (const id of scope.values()) origin.read.add(id);
  }

  #node(proto: Message<"NodeProto">, body: Body, scope: Scope): void {
    const { input = [], output = [], attribute = [], ...rest } = proto;
    const label = labelOf(proto);
    if (proto.opType === undefined || proto.opType === "")
      throw new PareError("MODEL_INVALID", `The node ${label} does not say its operator.`, {
        where: label,
      });
    const from: AttributeDecoding = {
      ambiguous: this.#ambiguous,
      tensor: (tensor) => this.#tensor(tensor),
      body: (graph) => {
        const inner = this.#editor.addBody(graph.name ?? "");
        this.build(graph, inner, scope);
        return inner;
      },
    };
    const attributes = new Map<string, Attribute>();
    const read = new Map<string, Message<"AttributeProto">>();
    for (const item of attribute) {
      const name = item.name ?? "";
      if (attributes.has(name))
        throw new PareError(
          "MODEL_NAME",
          `${label} (${proto.opType}) has the attribute ${JSON.stringify(name)} twice.`,
          { where: label },
        );
      attributes.set(name, decodeAttribute(item, from));
      read.set(name, withoutContents(item));
    }
    const inputs = input.map((name) => (name === "" ? null : scope.find(name, label)));
    const node = this.#editor.addNode(proto.opType, inputs, Object.fromEntries(attributes), {
      domain: plainDomain(proto.domain),
      overload: proto.overload ?? "",
      name: proto.name ?? "",
      outputs: output,
      body: this.#graph.body(body.id),
      origin: new NodeOrigin(rest, read),
    });
    node.outputs.forEach((id) => {
      if (id !== null) scope.define(this.#graph.value(id).name, id, label);
    });
  }

  /** A declared type holds until inference knows better. */
  #declare(id: ValueId, type: ReturnType<typeof decodeType>): void {
    if (this.#graph.value(id).producer !== null && type.kind !== "unknown")
      this.#editor.setType(id, type);
  }

  #tensor(proto: TensorProto): Tensor {
    const tensor = this.#tensors.get(proto);
    if (tensor === undefined)
      throw new PareError("INTERNAL", "A tensor was not read before the graph was built.");
    return tensor;
  }
}

/** How a pointer begins; it has less than a kilobyte (Git LFS's specification). */
const pointerStart = "version https://git-lfs.github.com/spec/";

async function refusePointer(source: ByteSource): Promise<void> {
  if (source.size >= 1024) return;
  const start = await source.read(0, Math.min(source.size, pointerStart.length));
  if (new TextDecoder().decode(start) !== pointerStart) return;
  throw new PareError(
    "MODEL_INVALID",
    "The file is a Git LFS pointer, which says where the model is and holds nothing of it.",
    { hint: "Fetch the model itself: git lfs pull." },
  );
}

async function readModel(source: ByteSource): Promise<Message<"ModelProto">> {
  try {
    return await readMessage("ModelProto", source);
  } catch (error) {
    throw (await otherFile(source)) ?? error;
  }
}

function notAModel(message: string): PareError {
  return new PareError("MODEL_INVALID", message, { hint: "Is this an ONNX model?" });
}

import { bytesOf, sha256, sha256Sync } from "@pare/runtime/format";
import {
  type Attribute,
  bodiesOf,
  type Body,
  type Graph,
  type Node,
  type Tensor,
  type ValueId,
} from "../ir/index.js";
import { encodeAttribute, writeMessage } from "../onnx/index.js";

type Names = Promise<ReadonlyMap<ValueId, string>>;

/**
 * Names computations by their content: two values, of one graph or of several, today or tomorrow, get the same
 * fingerprint when the same operators make them from the same constants and inputs. So what was observed of an
 * activation holds in every graph that left what is above it alone. Names count for the model's inputs only.
 */
export class Fingerprints {
  readonly #tensors = new WeakMap<Tensor, Promise<string>>();
  readonly #graphs = new WeakMap<Graph, { readonly changes: number; readonly names: Names }>();

  /** Of every value of the main graph: 32 hexadecimal digits. Asked again of a graph that was not changed, the same. */
  of(graph: Graph): Names {
    const { changes } = graph;
    const known = this.#graphs.get(graph);
    if (known?.changes === changes) return known.names;
    const names = this.#name(graph);
    this.#graphs.set(graph, { changes, names });
    return names;
  }

  async #name(graph: Graph): Names {
    const tensors = new Map<Tensor, string>();
    for (const tensor of tensorsOf(graph)) tensors.set(tensor, await this.#tensor(tensor));
    const carried = new Map<Attribute, string>();
    for (const [name, attribute] of attributesOf(graph))
      if (isCarried(attribute)) carried.set(attribute, await hashOfCarried(name, attribute));
    return new Namer(graph, tensors, carried).main();
  }

  #tensor(tensor: Tensor): Promise<string> {
    const known = this.#tensors.get(tensor);
    if (known !== undefined) return known;
    const made = hashOf(tensor);
    this.#tensors.set(tensor, made);
    return made;
  }
}

async function hashOf(tensor: Tensor): Promise<string> {
  const data = await tensor.read();
  const bytes = ArrayBuffer.isView(data) ? bytesOf(data) : utf8(JSON.stringify(data));
  return `${tensor.dtype}[${tensor.dims.join()}] ${await sha256(bytes)}`;
}

function* tensorsOf(graph: Graph): Generator<Tensor> {
  for (const { constant } of graph.allValues()) if (constant !== undefined) yield constant;
  for (const [, attribute] of attributesOf(graph)) {
    if (attribute.type === "tensor") yield attribute.value;
    else if (attribute.type === "tensors") yield* attribute.value;
  }
}

function* attributesOf(graph: Graph): Generator<readonly [name: string, attribute: Attribute]> {
  for (const node of graph.allNodes()) yield* node.attributes;
}

/** What is not looked at here: types, sparse tensors and what is not known. */
type Carried = Extract<Attribute, { readonly type: "type" | "opaque" }>;

function isCarried(attribute: Attribute): attribute is Carried {
  return attribute.type === "type" || attribute.type === "opaque";
}

/** Of what a file holds. */
async function hashOfCarried(name: string, attribute: Carried): Promise<string> {
  const proto = encodeAttribute(name, attribute, undefined, () => ({}));
  return sha256(await writeMessage("AttributeProto", proto));
}

type Known = Map<ValueId, string>;

class Namer {
  readonly #graph: Graph;
  readonly #tensors: ReadonlyMap<Tensor, string>;
  readonly #carried: ReadonlyMap<Attribute, string>;

  constructor(
    graph: Graph,
    tensors: ReadonlyMap<Tensor, string>,
    carried: ReadonlyMap<Attribute, string>,
  ) {
    this.#graph = graph;
    this.#tensors = tensors;
    this.#carried = carried;
  }

  main(): ReadonlyMap<ValueId, string> {
    const { main } = this.#graph;
    const known: Known = new Map();
    for (const id of main.inputs) {
      const { name, constant } = this.#graph.value(id);
      known.set(id, digest(["input", name, constant && this.#tensorText(constant)]));
    }
    this.#nodes(main, known, 0);
    for (const id of known.keys()) if (this.#graph.value(id).body !== main.id) known.delete(id);
    return known;
  }

  /**
   * Names what a body makes. What it reads of the bodies around it is in `known`, as is then what is in it.
   * @param loops bodies with inputs that it lies in, itself too
   */
  #nodes(body: Body, known: Known, loops: number): void {
    for (const id of body.initializers) {
      const constant = this.#graph.constant(id);
      if (constant !== undefined) known.set(id, digest(["constant", this.#tensorText(constant)]));
    }
    for (const node of this.#graph.order(body)) {
      const text = this.#node(node, known, loops);
      node.outputs.forEach((output, index) => {
        if (output !== null) known.set(output, digest([text, index]));
      });
    }
  }

  #node(node: Node, known: Known, loops: number): string {
    const attributes = [...node.attributes]
      .filter(([, { type }]) => type !== "graph" && type !== "graphs")
      .map(([name, attribute]) => [name, this.#attribute(attribute)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return digest([
      node.domain,
      node.op,
      node.overload,
      this.#graph.opset(node.domain) ?? null,
      node.inputs.map((input) => (input === null ? null : (known.get(input) ?? "?"))),
      attributes,
      bodiesOf(node).map((body) => this.#body(body, known, loops)),
    ]);
  }

  /**
   * A body is what its outputs are, made of its inputs by position and of what it captures. A loop in a loop may read
   * the inputs of both: the inner one's are told from the others by how many loops it lies in. Those of the outermost
   * have no such number, so that what locks tell of them holds.
   */
  #body(body: Body, known: Known, loops: number): string {
    const place = loops === 0 ? [] : [loops];
    body.inputs.forEach((id, index) => known.set(id, digest(["body input", index, ...place])));
    this.#nodes(body, known, loops + (body.inputs.length > 0 ? 1 : 0));
    return digest(body.outputs.map((id) => known.get(id) ?? "?"));
  }

  #attribute(attribute: Attribute): unknown {
    switch (attribute.type) {
      case "tensor":
        return this.#tensorText(attribute.value);
      case "tensors":
        return attribute.value.map((tensor) => this.#tensorText(tensor));
      case "ints":
      case "strings":
        return [attribute.type, attribute.value.map(plain)];
      case "int":
      case "float":
      case "floats":
      case "string":
        return [attribute.type, plain(attribute.value)];
      case "type":
      case "opaque":
        return [attribute.type, this.#carried.get(attribute) ?? "?"];
      case "graph":
      case "graphs":
        return attribute.type;
      default:
        return attribute satisfies never;
    }
  }

  #tensorText(tensor: Tensor): string {
    return this.#tensors.get(tensor) ?? "?";
  }
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return Array.from(value);
  // JSON has no −0, NaN and infinities.
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

function digest(parts: readonly unknown[]): string {
  return sha256Sync(utf8(JSON.stringify(parts))).slice(0, 32);
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

import { bytesOf, elementCount, halvesToFloats, type TypedArray } from "@pare/runtime/format";
import { dim, type Dim } from "../dim.js";
import type { Graph } from "../graph.js";
import type { ValueId } from "../ids.js";
import { type Attribute, bodiesOf, type Body, type Node } from "../model.js";
import type { Tensor } from "../tensor.js";
import { typeText, type ValueType } from "../type.js";

export interface PrintOptions {
  /** Adds each node's own name as a comment. */
  readonly names?: boolean;
  /** Receives the constants that the text holds only by their hash, for `parseGraph`. */
  readonly constants?: Map<string, Tensor>;
}

/** Constants of up to so many elements are written out. */
const shownElements = 8;

/**
 * A graph as text, the same for the same structure: it depends on the names of the model's inputs and outputs, but on
 * no other names, not on the file's order of nodes, nor on whether a constant is an initializer or shared.
 *
 *     graph main opset 21 (x: float32[N, 3, 48, W]) -> (y) {
 *       %1 = Conv(x, const float32[8, 3, 3, 3] #5d1c…) {pads = [1, 1, 1, 1]} : float32[N, 8, 48, W]
 *       %2 = Relu(%1) : float32[N, 8, 48, W]
 *       return %2
 *     }
 */
export async function printGraph(graph: Graph, options: PrintOptions = {}): Promise<string> {
  const constants = new Map<Tensor, string>();
  for (const tensor of constantsOf(graph)) {
    if (constants.has(tensor)) continue;
    const text = await constantText(tensor);
    constants.set(tensor, text);
    options.constants?.set(text, tensor);
  }
  return new Printer(graph, constants, options.names ?? false).main();
}

function* constantsOf(graph: Graph): Iterable<Tensor> {
  for (const { constant } of graph.allValues()) if (constant !== undefined) yield constant;
  for (const node of graph.allNodes()) {
    for (const attribute of node.attributes.values()) {
      if (attribute.type === "tensor") yield attribute.value;
      else if (attribute.type === "tensors") yield* attribute.value;
    }
  }
}

/** `const float32[2] [0.5, 1.0]`, or with a hash of the bytes where it is long. */
async function constantText(tensor: Tensor): Promise<string> {
  const head = `const ${tensor.dtype}[${tensor.dims.join(", ")}]`;
  const data = await tensor.read();
  if (!ArrayBuffer.isView(data))
    return `${head} [${data.map((text) => JSON.stringify(text)).join(", ")}]`;
  const shown = elementCount(tensor.dims) <= shownElements ? shownNumbers(tensor, data) : undefined;
  if (shown === undefined) return `${head} #${hash(bytesOf(data))}`;
  return `${head} ${tensor.dims.length === 0 ? shown.join("") : `[${shown.join(", ")}]`}`;
}

/** Elements as text that reads back the same; undefined for dtypes that have no plain numbers. */
function shownNumbers(tensor: Tensor, data: TypedArray): readonly string[] | undefined {
  switch (tensor.dtype) {
    case "float32":
      return Array.from(data as Float32Array, (value) => floatText(value, Math.fround));
    case "float16":
      return Array.from(halvesToFloats(data as Uint16Array), (value) =>
        floatText(value, Math.fround),
      );
    case "float64":
      return Array.from(data as Float64Array, (value) => floatText(value, (x) => x));
    case "bool":
      return Array.from(data as Uint8Array, (value) => (value === 0 ? "false" : "true"));
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int64":
    case "uint64":
      return Array.from(data as ArrayLike<number | bigint>, String);
    default:
      return undefined;
  }
}

/** The shortest decimal that rounds to the same number. */
function floatText(value: number, round: (x: number) => number = Math.fround): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  let text = String(value);
  for (let digits = 1; digits < 17; digits += 1) {
    const shorter = String(Number(value.toPrecision(digits)));
    if (round(Number(shorter)) === value) {
      text = shorter;
      break;
    }
  }
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** 64 bits over bytes: two lanes of multiply and shift. Tells constants apart; it withstands no attacker. */
function hash(bytes: Uint8Array): string {
  let a = 0xdeadbeef ^ bytes.length;
  let b = 0x41c6ce57 ^ bytes.length;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    a = Math.imul(a ^ byte, 0x9e3779b1);
    b = Math.imul(b ^ byte, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

/** A name as it stands, or quoted where it would not read back. */
function nameText(name: string): string {
  return /^[A-Za-z_][\w.]*$/.test(name) && !["const", "graph", "type", "return"].includes(name)
    ? name
    : JSON.stringify(name);
}

class Printer {
  readonly #graph: Graph;
  readonly #constants: ReadonlyMap<Tensor, string>;
  readonly #names: boolean;
  readonly #values = new Map<ValueId, string>();
  /** Unknown dims are numbered as they come. */
  readonly #unknowns = new Map<string, Dim>();
  #count = 0;

  constructor(graph: Graph, constants: ReadonlyMap<Tensor, string>, names: boolean) {
    this.#graph = graph;
    this.#constants = constants;
    this.#names = names;
  }

  main(): string {
    const { main, header } = this.#graph;
    const opsets = [...header.opsets]
      .filter(([domain]) => domain !== "")
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const versions = [
      String(header.opsets.get("") ?? 0),
      ...opsets.map(([domain, version]) => `${domain} ${version}`),
    ].join(", ");
    const inputs = main.inputs.map((id) => {
      const { name } = this.#graph.value(id);
      this.#values.set(id, nameText(name));
      return this.#input(id);
    });
    const outputs = main.outputs.map((id) => nameText(this.#graph.value(id).name));
    return `graph main opset ${versions} (${inputs.join(", ")}) -> (${outputs.join(", ")}) ${this.#block(main, "")}\n`;
  }

  #input(id: ValueId): string {
    const { type, constant } = this.#graph.value(id);
    const text = `${this.#values.get(id) ?? ""}: ${this.#type(type)}`;
    return constant === undefined ? text : `${text} = ${this.#constant(constant)}`;
  }

  #block(body: Body, indent: string): string {
    const inner = `${indent}  `;
    const lines = this.#graph.order(body).map((node) => inner + this.#node(node, inner));
    lines.push(`${inner}return ${body.outputs.map((id) => this.#value(id)).join(", ")}`.trimEnd());
    return `{\n${lines.join("\n")}\n${indent}}`;
  }

  #node(node: Node, indent: string): string {
    const operator = [
      ...(node.domain === "" ? [] : [node.domain]),
      node.op,
      ...(node.overload === "" ? [] : [node.overload]),
    ].join("::");
    const inputs = node.inputs.map((id) => (id === null ? "_" : this.#value(id))).join(", ");
    const attributes = [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1));
    const shown = attributes.map(
      ([name, value]) => `${nameText(name)} = ${this.#attribute(value, indent)}`,
    );
    const outputs = node.outputs.map((id) => (id === null ? "_" : this.#define(id)));
    const types = node.outputs.map((id) =>
      id === null ? "_" : this.#type(this.#graph.value(id).type),
    );
    const comment =
      this.#names && node.name !== "" && bodiesOf(node).length === 0 ? `  // ${node.name}` : "";
    return `${outputs.join(", ")} = ${operator}(${inputs})${shown.length === 0 ? "" : ` {${shown.join(", ")}}`} : ${types.join(", ")}${comment}`;
  }

  #define(id: ValueId): string {
    this.#count += 1;
    const text = `%${this.#count}`;
    this.#values.set(id, text);
    return text;
  }

  #value(id: ValueId): string {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const { constant } = this.#graph.value(id);
    return constant === undefined ? `%${this.#graph.value(id).name}?` : this.#constant(constant);
  }

  #constant(tensor: Tensor): string {
    return this.#constants.get(tensor) ?? "const ?";
  }

  #type(type: ValueType): string {
    return typeText(this.#renumbered(type)).replace(/"(\?\d+)"/g, "$1");
  }

  #renumbered(type: ValueType): ValueType {
    switch (type.kind) {
      case "tensor":
      case "sparse-tensor":
        return type.shape === undefined
          ? type
          : { ...type, shape: type.shape.map((size) => this.#renumberedDim(size)) };
      case "sequence":
      case "optional":
        return { ...type, element: this.#renumbered(type.element) };
      case "map":
        return { ...type, value: this.#renumbered(type.value) };
      case "unknown":
        return type;
      default:
        return type satisfies never;
    }
  }

  #renumberedDim(size: Dim): Dim {
    for (const name of dim.symbolsOf(size)) {
      if (!name.startsWith("?") || this.#unknowns.has(name)) continue;
      this.#unknowns.set(name, dim.symbol(`?${this.#unknowns.size + 1}`));
    }
    return dim.substitute(size, this.#unknowns);
  }

  #attribute(attribute: Attribute, indent: string): string {
    switch (attribute.type) {
      case "int":
        return String(attribute.value);
      case "float":
        return floatText(attribute.value);
      case "string":
        return stringText(attribute.value);
      case "ints":
        return listText(attribute.value.map(String), "ints");
      case "floats":
        return listText(
          attribute.value.map((value) => floatText(value)),
          "floats",
        );
      case "strings":
        return listText(attribute.value.map(stringText), "strings");
      case "tensor":
        return this.#constant(attribute.value);
      case "tensors":
        return listText(
          attribute.value.map((tensor) => this.#constant(tensor)),
          "tensors",
        );
      case "graph":
        return this.#body(attribute.value, indent);
      case "graphs":
        return listText(
          attribute.value.map((body) => this.#body(body, indent)),
          "graphs",
        );
      case "type":
        return `type ${this.#type(attribute.value)}`;
      case "opaque":
        return "opaque";
      default:
        return attribute satisfies never;
    }
  }

  #body(body: Body, indent: string): string {
    const inputs = body.inputs.map((id) => {
      this.#define(id);
      return this.#input(id);
    });
    return `graph (${inputs.join(", ")}) ${this.#block(body, indent)}`;
  }
}

function stringText(value: string | Uint8Array): string {
  if (typeof value === "string") return JSON.stringify(value);
  return `bytes "${Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
}

/** An empty list says of what. */
function listText(items: readonly string[], kind: string): string {
  return items.length === 0 ? `${kind} []` : `[${items.join(", ")}]`;
}

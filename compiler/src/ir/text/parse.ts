import {
  type Dtype,
  dtypeArray,
  floatsToHalves,
  isDtype,
  PareError,
  type TypedArray,
} from "@pare/runtime/format";
import { dim, type Dim } from "../dim.js";
import type { Editor } from "../edit/editor.js";
import { build } from "../edit/edit.js";
import type { Graph, Infer } from "../graph.js";
import type { ValueId } from "../ids.js";
import { type Attribute, type Body, newHeader } from "../model.js";
import { Tensor, type TensorData } from "../tensor.js";
import { tensorType, unknownType, type ValueType } from "../type.js";

export interface ParseOptions {
  /** Without it the types are those in the text. */
  readonly infer?: Infer;
  /** Constants that the text holds only by their hash, as `printGraph` collects them. */
  readonly constants?: ReadonlyMap<string, Tensor>;
}

/**
 * Reads a graph from the text that `printGraph` writes. A type may be left out.
 * @throws PareError ARGUMENT with line and column
 */
export function parseGraph(text: string, options: ParseOptions = {}): Graph {
  return new Parser(text, options).model();
}

const token =
  /\s+|\/\/[^\n]*|->|::|"(?:[^"\\]|\\.)*"|%\d+|\?\d+|#[0-9a-f]+|-?(?:inf|nan)\b|-?\d[\w.]*(?:(?<=[eE])[+-]\d+)?|[A-Za-z_][\w.]*|[^\s]/gy;

interface Token {
  readonly text: string;
  readonly at: number;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #options: ParseOptions;
  readonly #values = new Map<string, ValueId>();
  readonly #constants = new Map<string, ValueId>();
  readonly #unknowns = new Map<string, Dim>();
  #at = 0;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
    this.#tokens = [...text.matchAll(token)].flatMap((match) =>
      /^(\s|\/\/)/.test(match[0]) ? [] : [{ text: match[0], at: match.index }],
    );
  }

  model(): Graph {
    this.#expect("graph");
    this.#next();
    this.#expect("opset");
    const opsets = new Map([["", this.#integer()]]);
    while (this.#take(",")) opsets.set(this.#next(), this.#integer());
    const header = { ...newHeader(), opsets };
    return build(header, this.#options.infer ?? (() => []), (editor, graph) => {
      this.#inputs(editor, graph.main);
      this.#expect("->");
      const names = this.#list("(", ")", () => this.#name());
      this.#block(editor, graph, graph.main);
      names.forEach((name, index) => {
        const id = graph.main.outputs[index];
        if (id !== undefined && graph.value(id).name !== name) editor.rename(id, name);
      });
    });
  }

  #inputs(editor: Editor, body: Body): void {
    this.#list("(", ")", () => {
      const key = this.#peek().startsWith("%") ? this.#next() : this.#name();
      this.#expect(":");
      const id = editor.addInput(key.replace("%", "value_"), this.#type(), body);
      this.#values.set(key, id);
      if (this.#take("=")) editor.setDefault(id, this.#constant().tensor);
    });
  }

  #block(editor: Editor, graph: Graph, body: Body): void {
    this.#expect("{");
    while (!this.#take("return")) this.#node(editor, graph, body);
    while (!this.#take("}")) {
      editor.addOutput(this.#value(editor, graph), body);
      this.#take(",");
    }
  }

  #node(editor: Editor, graph: Graph, body: Body): void {
    const outputs = [this.#next()];
    while (this.#take(",")) outputs.push(this.#next());
    this.#expect("=");
    const path = [this.#next()];
    while (this.#take("::")) path.push(this.#next());
    // domain::op, or domain::op::overload
    const [domain, op, overload] = path.length === 1 ? ["", ...path] : path;
    const inputs = this.#list("(", ")", () =>
      this.#take("_") ? null : this.#value(editor, graph),
    );
    const attributes: [string, Attribute][] = [];
    if (this.#peek() === "{") {
      this.#list("{", "}", () => {
        const name = this.#name();
        this.#expect("=");
        attributes.push([name, this.#attribute(editor, graph)]);
      });
    }
    const names = outputs.map((key) => (key === "_" ? null : key.replace("%", "value_")));
    const node = editor.addNode(op ?? "", inputs, Object.fromEntries(attributes), {
      domain: domain ?? "",
      overload: overload ?? "",
      outputs: names,
      body: graph.body(body.id),
    });
    const typed = this.#take(":");
    outputs.forEach((key, index) => {
      const id = node.outputs[index];
      const type = typed ? this.#outputType(index) : unknownType;
      if (id === null || id === undefined) return;
      this.#values.set(key, id);
      if (type.kind !== "unknown") editor.setType(id, type);
    });
  }

  #outputType(index: number): ValueType {
    if (index > 0) this.#expect(",");
    return this.#take("_") ? unknownType : this.#type();
  }

  #value(editor: Editor, graph: Graph): ValueId {
    if (this.#peek() === "const") {
      const { text, tensor } = this.#constant();
      const known = this.#constants.get(text);
      if (known !== undefined) return known;
      const id = editor.constant(`const_${this.#constants.size + 1}`, tensor, graph.main);
      this.#constants.set(text, id);
      return id;
    }
    const key = this.#peek().startsWith("%") ? this.#next() : this.#name();
    const id = this.#values.get(key);
    if (id === undefined) throw this.#error(`${key} is not defined`);
    return id;
  }

  #constant(): { readonly text: string; readonly tensor: Tensor } {
    this.#expect("const");
    const dtype = this.#dtype();
    const dims = this.#list("[", "]", () => this.#integer());
    const head = `const ${dtype}[${dims.join(", ")}]`;
    if (this.#peek().startsWith("#")) {
      const text = `${head} ${this.#next()}`;
      const tensor = this.#options.constants?.get(text);
      if (tensor === undefined) throw this.#error(`the constant ${text} was not given`);
      return { text, tensor };
    }
    const from = this.#at;
    const items = this.#peek() === "[" ? this.#list("[", "]", () => this.#next()) : [this.#next()];
    const shown = this.#tokens.slice(from, this.#at).map((item) => item.text);
    return {
      text: `${head} ${shown.join("")}`,
      tensor: Tensor.of(dtype, dims, this.#elements(dtype, items)),
    };
  }

  #elements(dtype: Dtype, items: readonly string[]): TensorData {
    if (dtype === "string") return items.map((item) => String(JSON.parse(item)));
    if (dtype === "bool") return Uint8Array.from(items, (item) => (item === "true" ? 1 : 0));
    if (dtype === "int64") return BigInt64Array.from(items, BigInt);
    if (dtype === "uint64") return BigUint64Array.from(items, BigInt);
    const numbers = items.map(number);
    if (dtype === "float16") return floatsToHalves(Float32Array.from(numbers));
    const array: TypedArray = new dtypeArray[dtype](numbers.length);
    if (!(array instanceof BigInt64Array || array instanceof BigUint64Array)) array.set(numbers);
    return array;
  }

  #attribute(editor: Editor, graph: Graph): Attribute {
    const first = this.#peek();
    if (first === "[") return this.#listAttribute(editor, graph);
    if (/^(ints|floats|strings|tensors|graphs)$/.test(first)) {
      this.#next();
      this.#expect("[");
      this.#expect("]");
      return emptyList(first);
    }
    if (first === "const") return { type: "tensor", value: this.#constant().tensor };
    if (first === "graph") return { type: "graph", value: this.#body(editor, graph) };
    if (this.#take("type")) return { type: "type", value: this.#type() };
    if (this.#take("bytes")) return { type: "string", value: hexBytes(this.#name()) };
    if (first.startsWith('"')) return { type: "string", value: this.#name() };
    return numberAttribute(this.#next());
  }

  #listAttribute(editor: Editor, graph: Graph): Attribute {
    const items = this.#list("[", "]", () => this.#attribute(editor, graph));
    const [first] = items;
    switch (first?.type) {
      case "int":
        return {
          type: "ints",
          value: items.flatMap((item) => (item.type === "int" ? [item.value] : [])),
        };
      case "float":
        return {
          type: "floats",
          value: items.flatMap((item) => (item.type === "float" ? [item.value] : [])),
        };
      case "string":
        return {
          type: "strings",
          value: items.flatMap((item) => (item.type === "string" ? [item.value] : [])),
        };
      case "tensor":
        return {
          type: "tensors",
          value: items.flatMap((item) => (item.type === "tensor" ? [item.value] : [])),
        };
      case "graph":
        return {
          type: "graphs",
          value: items.flatMap((item) => (item.type === "graph" ? [item.value] : [])),
        };
      default:
        throw this.#error("this list holds nothing an attribute can hold");
    }
  }

  #body(editor: Editor, graph: Graph): Body {
    this.#expect("graph");
    const body = editor.addBody("");
    this.#inputs(editor, body);
    this.#block(editor, graph, body);
    return body;
  }

  #type(): ValueType {
    const sparse = this.#take("sparse");
    if (this.#take("sequence")) return this.#element("sequence");
    if (this.#take("optional")) return this.#element("optional");
    if (this.#take("map")) {
      this.#expect("(");
      const key = this.#dtype();
      this.#expect(",");
      const value = this.#type();
      this.#expect(")");
      return { kind: "map", key, value };
    }
    const dtype = this.#take("?") ? undefined : this.#dtype();
    if (this.#peek() !== "[") return unknownType;
    if (this.#tokens[this.#at + 1]?.text === "*") {
      for (const part of ["[", "*", "]"]) this.#expect(part);
      return tensorType(dtype, undefined);
    }
    const type = tensorType(
      dtype,
      this.#list("[", "]", () => this.#dim()),
    );
    return sparse ? { ...type, kind: "sparse-tensor" } : type;
  }

  #element(kind: "sequence" | "optional"): ValueType {
    this.#expect("(");
    const element = this.#type();
    this.#expect(")");
    return { kind, element };
  }

  /** Sums of products. */
  #dim(): Dim {
    let sum: Dim = this.#take("-") ? dim.multiply(-1, this.#product()) : this.#product();
    for (;;) {
      if (this.#take("+")) sum = dim.add(sum, this.#product());
      else if (this.#take("-")) sum = dim.subtract(sum, this.#product());
      else return sum;
    }
  }

  #product(): Dim {
    let product = this.#factor();
    while (this.#take("*")) product = dim.multiply(product, this.#factor());
    return product;
  }

  #factor(): Dim {
    const text = this.#peek();
    if (/^-?\d/.test(text)) return this.#integer();
    if (text.startsWith("?")) {
      const known = this.#unknowns.get(this.#next()) ?? dim.unknown();
      this.#unknowns.set(text, known);
      return known;
    }
    const name = this.#name();
    if (!["floordiv", "max"].includes(text)) return dim.symbol(name);
    this.#expect("(");
    const left = this.#dim();
    this.#expect(",");
    const right = this.#dim();
    this.#expect(")");
    return text === "max" ? dim.max(left, right) : dim.floorDiv(left, right);
  }

  #dtype(): Dtype {
    const name = this.#next();
    if (!isDtype(name)) throw this.#error(`${name} is no element type`, -1);
    return name;
  }

  #name(): string {
    const text = this.#next();
    return text.startsWith('"') ? String(JSON.parse(text)) : text;
  }

  #integer(): number {
    const text = this.#next();
    if (!/^-?\d+$/.test(text)) throw this.#error(`an integer was expected, not ${text}`, -1);
    return Number(text);
  }

  #list<Item>(open: string, close: string, item: () => Item): Item[] {
    this.#expect(open);
    const items: Item[] = [];
    while (!this.#take(close)) {
      if (items.length > 0) this.#expect(",");
      items.push(item());
    }
    return items;
  }

  #peek(): string {
    return this.#tokens[this.#at]?.text ?? "";
  }

  #next(): string {
    const text = this.#peek();
    if (text === "") throw this.#error("the text ends too early");
    this.#at += 1;
    return text;
  }

  #take(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text))
      throw this.#error(
        `${JSON.stringify(text)} was expected, not ${JSON.stringify(this.#peek())}`,
      );
  }

  #error(message: string, back = 0): PareError {
    const before = this.#text.slice(0, this.#tokens[this.#at + back]?.at ?? this.#text.length);
    const line = before.split("\n").length;
    const where = `line ${line}, column ${before.length - before.lastIndexOf("\n")}`;
    return new PareError("ARGUMENT", `The text is not a graph: ${message}.`, { where });
  }
}

function number(text: string): number {
  if (text.endsWith("inf")) return text.startsWith("-") ? -Infinity : Infinity;
  return text === "nan" ? Number.NaN : Number(text);
}

function numberAttribute(text: string): Attribute {
  return /^-?\d+$/.test(text)
    ? { type: "int", value: BigInt(text) }
    : { type: "float", value: number(text) };
}

function emptyList(kind: string): Attribute {
  switch (kind) {
    case "floats":
      return { type: "floats", value: [] };
    case "strings":
      return { type: "strings", value: [] };
    case "tensors":
      return { type: "tensors", value: [] };
    case "graphs":
      return { type: "graphs", value: [] };
    default:
      return { type: "ints", value: [] };
  }
}

function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

import {
  attribute,
  type Attribute,
  type Editor,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { roundAtRun } from "../quantization/round-at-run.js";
import type { DynamicConstants, RoundedConstant } from "./dynamic-constants.js";
import { type DynamicHandling, dynamicHandling, isProduct } from "./dynamic-operators.js";
import { GemmWriter } from "./gemm-as-product.js";

/** A value as integers: real = scale × (quantized − zero point). */
interface Quantized {
  readonly quantized: ValueId;
  readonly scale: ValueId;
  readonly zeroPoint: ValueId;
  /** Of scales along an axis. */
  readonly axis: number | null;
  /** Whether float readers can still read the value itself. */
  readonly float: "kept" | "replaced" | "never-again";
}

type Product = Extract<DynamicHandling, { readonly kind: "matmul" | "conv" }>;

/**
 * Writes a graph's products in integers, node by node in the order of the file, with the names of onnxruntime's
 * `ONNXQuantizer` (quantization/onnx_quantizer.py and operators/). Where the tool's file would not load (an integer value
 * that a subgraph reads as float), the value is given as float again.
 */
export class DynamicWriter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #constants: DynamicConstants;
  readonly #gemms: GemmWriter;
  readonly #quantized = new Map<ValueId, Quantized>();
  /** Products of scales, by name. */
  readonly #scales = new Map<string, ValueId>();
  /** Nodes whose results are integers now. */
  readonly #superseded: NodeId[] = [];
  readonly #floatReadersOf = new Set<ValueId>();

  constructor(graph: Graph, editor: Editor, constants: DynamicConstants) {
    this.#graph = graph;
    this.#editor = editor;
    this.#constants = constants;
    this.#gemms = new GemmWriter(graph, editor, constants.turned);
  }

  write(): void {
    const { main } = this.#graph;
    const nodes = [...main.nodes];
    for (const id of nodes) this.#visit(this.#graph.node(id));
    const inBodies = [...this.#graph.allNodes()].filter(({ body }) => body !== main.id);
    for (const node of inBodies) if (isProduct(node)) this.#gemms.replace(node);
    this.#giveFloats();
  }

  #visit(node: Node): void {
    const handling = dynamicHandling(this.#graph, node);
    switch (handling.kind) {
      case "matmul":
        return this.#writeMatMul(node, handling);
      case "conv":
        return this.#writeConv(node, handling);
      case "gather":
        return this.#moveIntegers(node, this.#integersOf(handling.table), handling.indices);
      case "transpose": {
        const known = this.#quantized.get(handling.input);
        if (known !== undefined && known.axis === null) this.#moveIntegers(node, known);
        return;
      }
      case "lstm":
        return this.#writeLstm(node, handling.weights);
      case "float":
        this.#noteFloatReader(node);
        if (isProduct(node)) this.#gemms.replace(node);
        return;
      default:
        return handling satisfies never;
    }
  }

  /** A constant that became integers is given as float again where a node reads it afterwards. */
  #noteFloatReader(node: Node): void {
    for (const input of node.inputs)
      if (input !== null && this.#quantized.get(input)?.float === "kept")
        this.#floatReadersOf.add(input);
  }

  #writeMatMul(node: Node, handling: Product): void {
    const [output] = node.outputs;
    if (output === undefined || output === null) return;
    const { name: label } = this.#graph.value(output);
    const [, , addend = null] = node.inputs;
    const isGemm = node.op === "Gemm";
    const name = isGemm && node.name !== "" ? `${node.name}_MatMul` : node.name;
    const isAdded = isGemm && addend !== null;
    const product = isAdded ? `${label}_MatMul` : label;
    const of = { name, op: "MatMulInteger", integers: product };
    const result = this.#writeProduct(of, handling, product);
    this.#replace(node, output, isAdded ? this.#gemms.add(node, result, addend, label) : result);
  }

  #writeConv(node: Node, handling: Product): void {
    const [output] = node.outputs;
    if (output === undefined || output === null) return;
    const { name: label } = this.#graph.value(output);
    const { bias } = handling;
    const product = bias === null ? label : `${label}quant_scaled_output`;
    const { name, attributes } = node;
    const of = { name, op: "ConvInteger", integers: label, attributes };
    const result = this.#writeProduct(of, handling, product);
    const rank = this.#graph.constant(handling.weight)?.dims.length ?? 0;
    this.#replace(node, output, bias === null ? result : this.#addBias(result, bias, label, rank));
  }

  #addBias(product: ValueId, bias: ValueId, label: string, rank: number): ValueId {
    const dims = BigInt64Array.from({ length: rank }, (_, axis) => (axis === 1 ? -1n : 1n));
    const shape = this.#editor.constant(
      `${label}_bias_reshape_shape`,
      Tensor.of("int64", [rank], dims),
    );
    const outputs = [`${label}_bias_reshape_output`];
    const shaped = this.#editor.add1("Reshape", [bias, shape], {}, { outputs });
    const added = { name: `${label}_bias_add`, outputs: [label] };
    return this.#editor.add1("Add", [product, shaped], {}, added);
  }

  /** In integers, named for what the node gave, and back to float under the given name. */
  #writeProduct(
    {
      name,
      op,
      integers: from,
      attributes = new Map(),
    }: {
      readonly name: string;
      readonly op: string;
      readonly integers: string;
      readonly attributes?: ReadonlyMap<string, Attribute>;
    },
    { activation, weight }: Product,
    label: string,
  ): ValueId {
    const x = this.#integersOf(activation);
    const w = this.#integersOf(weight);
    const own = name === "" ? "" : `${name}_quant`;
    const integers = `${from}_output_quantized`;
    const product = this.#editor.add1(
      op,
      [x.quantized, w.quantized, x.zeroPoint, w.zeroPoint],
      Object.fromEntries(attributes),
      { name: own, outputs: [integers] },
    );
    const cast = this.#editor.add1(
      "Cast",
      [product],
      { to: attribute.int(1) },
      { name: `${integers}_cast`, outputs: [`${integers}_cast_output`] },
    );
    const scale = this.#productOfScales(own, x.scale, w.scale);
    const back = { name: own === "" ? "" : `${own}_output_scale_mul`, outputs: [label] };
    return this.#editor.add1("Mul", [cast, scale], {}, back);
  }

  #productOfScales(own: string, x: ValueId, w: ValueId): ValueId {
    const name =
      own === ""
        ? `${this.#graph.value(x).name}_${this.#graph.value(w).name}_mul`
        : `${own}_scales_mul`;
    const known = this.#scales.get(name);
    if (known !== undefined) return known;
    const made = this.#editor.add1("Mul", [x, w], {}, { name, outputs: [`${name}:0`] });
    this.#scales.set(name, made);
    return made;
  }

  #writeLstm(node: Node, [input, recurrent]: readonly [ValueId, ValueId]): void {
    const w = this.#integersOf(input);
    const r = this.#integersOf(recurrent);
    const [x = null, , , ...rest] = node.inputs;
    const others = Array.from({ length: 5 }, (_, index) => rest[index] ?? null);
    const names = node.outputs.map((id) => (id === null ? null : this.#graph.value(id).name));
    const attributes = Object.fromEntries(node.attributes);
    delete attributes["layout"];
    const made = this.#editor.addNode(
      "DynamicQuantizeLSTM",
      [x, w.quantized, r.quantized, ...others, w.scale, w.zeroPoint, r.scale, r.zeroPoint],
      attributes,
      {
        domain: "com.microsoft",
        name: node.name === "" ? "" : `${node.name}_quant`,
        outputs: names,
      },
    );
    if (this.#graph.opset("com.microsoft") === undefined) this.#editor.setOpset("com.microsoft", 1);
    node.outputs.forEach((output, index) => {
      const by = made.outputs[index];
      if (output === null || by === null || by === undefined) return;
      this.#editor.setType(by, this.#graph.value(output).type);
      this.#editor.replace(output, by, `int8 weights, ${because}`);
    });
    this.#editor.remove(node.id);
  }

  /** The same node on the integers of its first input: its result has their scale. */
  #moveIntegers(
    node: Node,
    { quantized, ...from }: Quantized,
    ...others: readonly ValueId[]
  ): void {
    const [output] = node.outputs;
    if (output === undefined || output === null) return;
    const moved = this.#editor.add1(
      node.op,
      [quantized, ...others],
      Object.fromEntries(node.attributes),
      { name: node.name, outputs: [`${this.#graph.value(output).name}_quantized`] },
    );
    this.#quantized.set(output, { ...from, quantized: moved, float: "replaced" });
    this.#superseded.push(node.id);
    this.#editor.note(node, `on integers, ${because}`);
  }

  #replace(node: Node, output: ValueId, by: ValueId): void {
    this.#editor.setType(by, this.#graph.value(output).type);
    this.#editor.replace(output, by, `int8 weights, ${because}`);
    this.#editor.remove(node.id);
  }

  /** A constant's integers, or an activation's, which are rounded as it comes. */
  #integersOf(value: ValueId): Quantized {
    const known = this.#quantized.get(value);
    if (known !== undefined) return known;
    const { name } = this.#graph.value(value);
    const rounded = this.#constants.rounded.get(value);
    const made =
      rounded === undefined ? this.#roundAtRun(value, name) : this.#stored(rounded, name);
    this.#quantized.set(value, made);
    return made;
  }

  #stored(
    { integers, scales, zeroPoints, axis, isTurned }: RoundedConstant,
    name: string,
  ): Quantized {
    // Before opset 13 DequantizeLinear knows no axis.
    const isReadable = !isTurned && (axis === null || (this.#graph.opset() ?? 1) >= 13);
    return {
      quantized: this.#editor.constant(`${name}_quantized`, integers),
      scale: this.#editor.constant(`${name}_scale`, scales),
      zeroPoint: this.#editor.constant(`${name}_zero_point`, zeroPoints),
      axis,
      float: isReadable ? "kept" : "never-again",
    };
  }

  #roundAtRun(value: ValueId, name: string): Quantized {
    const rounded = roundAtRun(this.#graph, this.#editor, value, `${name}_QuantizeLinear`);
    return { ...rounded, axis: null, float: "never-again" };
  }

  /** Where a value is integers, those that read it as float read a DequantizeLinear. */
  #giveFloats(): void {
    for (const id of this.#superseded.reverse()) {
      const node = this.#graph.node(id);
      const [output] = node.outputs;
      if (output === undefined || output === null) continue;
      const quantized = this.#quantized.get(output);
      if (quantized !== undefined && this.#graph.value(output).uses.length > 0)
        this.#giveFloat(output, quantized);
      this.#editor.remove(id);
    }
    for (const value of this.#floatReadersOf) {
      const quantized = this.#quantized.get(value);
      if (quantized !== undefined && this.#graph.value(value).uses.length > 0)
        this.#giveFloat(value, quantized);
    }
  }

  #giveFloat(value: ValueId, { quantized, scale, zeroPoint, axis }: Quantized): void {
    const { name } = this.#graph.value(value);
    const float = this.#editor.add1(
      "DequantizeLinear",
      [quantized, scale, zeroPoint],
      axis === null ? {} : { axis: attribute.int(axis) },
      { name: `${name}_DequantizeLinear`, outputs: [name] },
    );
    this.#editor.replace(value, float, "integers, read as float");
  }
}

const because = "as onnxruntime's quantizer writes them";

import type { Graph, Node, NodeId, ValueId } from "../../ir/index.js";
import { handling } from "./operators.js";
import { isTransposed } from "./dynamic-operators.js";

/** How a float32 value of the main graph is rounded. */
export type Mark =
  /** By its range; a constant by its own numbers, in the format of activations. */
  | { readonly kind: "activation" }
  /** As weights, where it is constant; with a scale for each index of an axis, or one. */
  | { readonly kind: "weight"; readonly axis: number | null }
  /** With the parameters of another value. */
  | { readonly kind: "shared"; readonly from: ValueId };

/** A constant addend that becomes int32, in steps of what is added up. */
export interface MarkedBias {
  readonly node: NodeId;
  readonly bias: ValueId;
  readonly activation: ValueId;
  readonly weight: ValueId;
}

export interface StaticMarks {
  readonly values: ReadonlyMap<ValueId, Mark>;
  readonly biases: readonly MarkedBias[];
  /** What a Relu or Clip that goes gave, with what it read. */
  readonly removed: ReadonlyMap<ValueId, ValueId>;
}

/**
 * What `quantize_static` rounds: onnxruntime's `QDQQuantizer` going over the main graph node by node
 * (quantization/operators/, 1.31.1).
 * @param perChannel a scale for each output channel of weights
 */
export function staticMarks(graph: Graph, perChannel: boolean): StaticMarks {
  const marker = new Marker(graph, perChannel);
  for (const id of graph.main.nodes) {
    const node = graph.node(id);
    if (node.domain === "") marker.visit(node);
  }
  return marker;
}

type Input = ValueId | null | undefined;

class Marker implements StaticMarks {
  readonly values = new Map<ValueId, Mark>();
  readonly biases: MarkedBias[] = [];
  readonly removed = new Map<ValueId, ValueId>();
  readonly #graph: Graph;
  readonly #perChannel: boolean;

  constructor(graph: Graph, perChannel: boolean) {
    this.#graph = graph;
    this.#perChannel = perChannel;
  }

  visit(node: Node): void {
    const [first, second, third] = node.inputs;
    switch (node.op) {
      case "Conv":
        return this.#visitWeighted(node, 0);
      case "ConvTranspose":
        return this.#visitWeighted(node, 1);
      case "Gemm":
        return this.#visitWeighted(node, isTransposed(node) ? 0 : 1);
      case "MatMul":
        for (const input of node.inputs)
          if (this.#isConstant(input)) this.#markWeight(input, 1);
          else this.#mark(input);
        return this.#mark(node.outputs[0]);
      case "BatchNormalization":
      case "InstanceNormalization":
      case "LayerNormalization":
        this.#mark(first);
        // Axis 1 of what has one axis is none: one scale for all.
        this.#markWeight(second, null);
        this.#markBias(node, third);
        return node.outputs.forEach((output) => this.#mark(output));
      case "Relu":
      case "Clip":
        return this.#visitRemovable(node);
      case "Gather":
      case "GatherElements":
        if (this.#isConstant(first)) this.#mark(first);
        return this.#share(node);
      case "Pad":
        for (const input of node.inputs) this.#mark(input);
        return this.#isPaddedByItself(node) ? this.#share(node) : this.#mark(node.outputs[0]);
      case "Split":
        this.#mark(first);
        return node.outputs.forEach((_, index) => this.#share(node, index));
      case "Where":
        if (this.#isMarked(second) && this.#isMarked(third)) this.#mark(node.outputs[0]);
        return;
      case "ArgMax":
        return this.#mark(first);
      case "MaxPool":
        if ((this.#graph.opset() ?? 1) >= 12) this.#share(node);
        return;
      default:
        return this.#visitByTable(node);
    }
  }

  #visitByTable(node: Node): void {
    switch (handling.get(node.op)) {
      case "shares":
        return this.#share(node);
      case "all-inputs":
        for (const value of [...node.inputs, ...node.outputs]) this.#mark(value);
        return;
      default:
        return;
    }
  }

  #visitWeighted(node: Node, axis: number): void {
    const [activation, weight, bias] = node.inputs;
    this.#mark(activation);
    this.#mark(node.outputs[0]);
    this.#markWeight(weight, axis);
    this.#markBias(node, bias);
  }

  #visitRemovable(node: Node): void {
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (input === null || input === undefined || output === null || output === undefined) return;
    if (!this.values.has(input)) return;
    if (this.#canTakePlace(input) && this.#isFloat(output)) {
      this.values.delete(input);
      this.removed.set(output, input);
    }
    this.#mark(output);
  }

  /** Whether what reads a value alone may give its result from where the value comes. */
  #canTakePlace(value: ValueId): boolean {
    const { uses, isInput } = this.#graph.value(value);
    return uses.length === 1 && !isInput && this.#graph.producer(value) !== undefined;
  }

  #isPaddedByItself(node: Node): boolean {
    const mode = node.attributes.get("mode");
    if (mode?.type === "string" && mode.value !== "constant") return true;
    const [, , padding] = node.inputs;
    if (padding === null || padding === undefined) return true;
    return this.#graph.constant(padding)?.numbers()?.[0] === 0;
  }

  #mark(value: Input): void {
    if (this.#isFloat(value) && !this.values.has(value))
      this.values.set(value, { kind: "activation" });
  }

  #markWeight(value: Input, axis: number | null): void {
    if (!this.#isFloat(value)) return;
    const rank = this.#graph.constant(value)?.dims.length;
    // Of a stack of matrices axis 1 is what is summed over: the tool's file does not run.
    const isPerChannel =
      this.#perChannel &&
      axis !== null &&
      rank !== undefined &&
      rank > axis &&
      !this.#isStack(value);
    if (isPerChannel) this.values.set(value, { kind: "weight", axis });
    else if (!this.values.has(value)) this.values.set(value, { kind: "weight", axis: null });
  }

  #markBias(node: Node, bias: Input): void {
    const [activation, weight] = node.inputs;
    if (!this.#isFloat(activation) || !this.#isFloat(weight)) return;
    if (this.#isConstant(bias)) this.biases.push({ node: node.id, bias, activation, weight });
  }

  /** A result of a node that only moves the numbers of what it reads first. */
  #share(node: Node, index = 0): void {
    const [input] = node.inputs;
    const output = node.outputs[index];
    if (this.#isMarked(input) && this.#isFloat(output))
      this.values.set(output, { kind: "shared", from: input });
  }

  #isStack(value: ValueId): boolean {
    const rank = this.#graph.constant(value)?.dims.length ?? 0;
    return rank > 2 && this.#graph.consumers(value).some(({ op }) => op === "MatMul");
  }

  #isMarked(value: Input): value is ValueId {
    return value !== null && value !== undefined && this.values.has(value);
  }

  #isConstant(value: Input): value is ValueId {
    return this.#isFloat(value) && this.#graph.constant(value) !== undefined;
  }

  #isFloat(value: Input): value is ValueId {
    if (value === null || value === undefined) return false;
    const { type, body } = this.#graph.value(value);
    return type.kind === "tensor" && type.dtype === "float32" && body === this.#graph.main.id;
  }
}

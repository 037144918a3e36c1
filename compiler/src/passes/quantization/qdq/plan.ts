import type { Graph, Node, NodeId, ValueId } from "../../../ir/index.js";
import {
  isWeightedOp,
  type ConvolutionKind,
  type WeightedNode,
  weightedNode,
} from "../../../analysis/weighted-node.js";

export interface StaticScope {
  /** "weighted": Conv, Gemm and MatMul; "all": every operator that onnxruntime's Python quantizer takes. */
  readonly ops: "weighted" | "all";
  readonly convolutions: readonly ConvolutionKind[];
  /** "float" keeps convolutions whose output the model gives away without another weighted node. */
  readonly outputs: "quantize" | "float";
  /** "float" keeps the nodes that read the model's own input: few channels, many values. */
  readonly inputs: "quantize" | "float";
  /** Nodes by name, or operators by type, that stay float. */
  readonly keepFloat: readonly string[];
}

/** An activation that is rounded to uint8. */
export interface PlannedActivation {
  /** What QuantizeLinear reads: the value itself, or what a removed Relu or Clip read. */
  readonly source: ValueId;
  /** Takes the parameters of another one, because the operator between them only moves numbers. */
  readonly sameAs: ValueId | null;
  /** Who reads the rounded value: everyone, or the quantized nodes alone. */
  readonly readers: "all" | ReadonlySet<NodeId>;
}

export interface StaticPlan {
  readonly weighted: readonly WeightedNode[];
  readonly activations: ReadonlyMap<ValueId, PlannedActivation>;
  readonly left: readonly { readonly node: Node; readonly why: string }[];
}

const movesOnly = new Set([
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "Resize",
  "MaxPool",
  "AveragePool",
  "Slice",
  "Split",
  "Gather",
  "GatherElements",
  "Pad",
  "TopK",
]);
/** Of these the result is among the inputs, so that rounding it again to the same steps is exact. */
const movesExactly = new Set([
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "MaxPool",
  "Slice",
]);
const computes = new Set([
  "Add",
  "Mul",
  "LeakyRelu",
  "Sigmoid",
  "Softmax",
  "GlobalAveragePool",
  "Concat",
  "CumSum",
  "InstanceNormalization",
  "LayerNormalization",
  "BatchNormalization",
]);

/** Which weights and activations become integers, and why the others do not. Looks at the main graph alone. */
export function planStatic(graph: Graph, scope: StaticScope): StaticPlan {
  return new Planner(graph, scope).plan();
}

class Planner {
  readonly #graph: Graph;
  readonly #scope: StaticScope;
  readonly #weighted = new Map<NodeId, WeightedNode>();
  readonly #activations = new Map<ValueId, PlannedActivation>();
  readonly #left: { node: Node; why: string }[] = [];

  constructor(graph: Graph, scope: StaticScope) {
    this.#graph = graph;
    this.#scope = scope;
  }

  plan(): StaticPlan {
    const order = this.#graph.order();
    for (const node of order) {
      if (!isWeightedOp(node)) continue;
      const weighted = weightedNode(this.#graph, node);
      const why = "why" in weighted ? weighted.why : this.#excluded(weighted);
      if (why !== null) this.#left.push({ node, why });
      else if (!("why" in weighted)) this.#weighted.set(node.id, weighted);
    }
    if (this.#scope.ops === "all") for (const node of order) this.#planEvery(node);
    else this.#planWeighted(order);
    return {
      weighted: [...this.#weighted.values()],
      activations: this.#activations,
      left: this.#left,
    };
  }

  #excluded({ node, kind, activation }: WeightedNode): string | null {
    const { keepFloat, convolutions, inputs, outputs, ops } = this.#scope;
    if (keepFloat.includes(node.op) || keepFloat.includes(this.#graph.nodeLabel(node)))
      return "it was asked to stay float";
    if (ops === "all") return null;
    if (kind === "transposed") return "no engine has an int8 kernel for it";
    if (kind !== "matmul" && !convolutions.includes(kind))
      return `${kind} convolutions are slower in int8 on this target`;
    if (inputs === "float" && kind !== "matmul" && this.#readsInput(activation))
      return "it reads the model's input, where rounding does most harm";
    if (outputs === "float" && kind !== "matmul" && this.#reachesOutput(node))
      return "its result is the model's output, whose values may span orders of magnitude";
    return null;
  }

  /** Is a value the model's input, or made of it without weights? */
  #readsInput(start: ValueId): boolean {
    const seen = new Set<ValueId>();
    const stack: ValueId[] = [start];
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      if (this.#graph.main.inputs.includes(value)) return true;
      const producer = this.#graph.producer(value);
      if (producer === undefined || isWeightedOp(producer)) continue;
      for (const input of producer.inputs) {
        if (input === null || seen.has(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
    return false;
  }

  /** Does a result leave the model without passing another node with weights? */
  #reachesOutput(start: Node): boolean {
    const seen = new Set<NodeId>();
    const stack: Node[] = [start];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      for (const output of node.outputs) {
        if (output === null) continue;
        if (this.#graph.isOutput(output)) return true;
        for (const reader of this.#graph.consumers(output)) {
          if (
            seen.has(reader.id) ||
            (isWeightedOp(reader) && this.#graph.constant(reader.inputs[1]) !== undefined)
          )
            continue;
          seen.add(reader.id);
          stack.push(reader);
        }
      }
    }
    return false;
  }

  /** Conv's int8 kernel gives integers; those of MatMul and Gemm give floats where no integer is asked for. */
  #planWeighted(order: readonly Node[]): void {
    for (const node of order) {
      const weighted = this.#weighted.get(node.id);
      if (weighted === undefined) continue;
      const [output] = node.outputs;
      if (output === null || output === undefined) continue;
      const tail = this.#fusedTail(output);
      const integers =
        weighted.kind !== "matmul" ||
        this.#graph
          .consumers(tail)
          .some((reader) => this.#weighted.get(reader.id)?.activation === tail);
      if (integers) this.#activations.set(tail, { source: output, sameAs: null, readers: "all" });
      if (!this.#activations.has(weighted.activation)) this.#demand(weighted.activation);
    }
  }

  #demand(value: ValueId): void {
    const readers = new Set<NodeId>();
    for (const reader of this.#graph.consumers(value))
      if (this.#weighted.get(reader.id)?.activation === value) readers.add(reader.id);
    let origin = value;
    for (
      let mover = this.#graph.producer(origin);
      mover !== undefined && mover.domain === "" && movesExactly.has(mover.op);
      mover = this.#graph.producer(origin)
    ) {
      const [input] = mover.inputs;
      if (input === null || input === undefined) break;
      origin = input;
      if (this.#activations.has(origin)) break;
    }
    this.#activations.set(value, {
      source: value,
      sameAs: origin !== value && this.#activations.has(origin) ? origin : null,
      readers,
    });
  }

  /** The output of a Relu or Clip that is the only reader: rounding to its range clips as it does. */
  #fusedTail(output: ValueId): ValueId {
    const { uses } = this.#graph.value(output);
    const [reader] = this.#graph.consumers(output);
    if (
      uses.length !== 1 ||
      reader === undefined ||
      !this.#isRemovable(reader) ||
      reader.inputs[0] !== output
    )
      return output;
    return reader.outputs[0] ?? output;
  }

  #isRemovable(node: Node): boolean {
    if (node.domain !== "" || node.body !== this.#graph.main.id) return false;
    if (node.op === "Relu") return true;
    return (
      node.op === "Clip" &&
      node.inputs
        .slice(1)
        .every((bound) => bound === null || this.#graph.constant(bound) !== undefined)
    );
  }

  /** As onnxruntime's Python quantizer goes over a graph, operator by operator. */
  #planEvery(node: Node): void {
    if (node.domain !== "") return;
    const { keepFloat } = this.#scope;
    if (keepFloat.includes(node.op) || keepFloat.includes(this.#graph.nodeLabel(node))) return;
    const [input] = node.inputs;
    const mark = (value: ValueId | null | undefined): void => {
      if (
        value === null ||
        value === undefined ||
        !this.#isFloat(value) ||
        this.#activations.has(value)
      )
        return;
      this.#activations.set(value, { source: value, sameAs: null, readers: "all" });
    };
    const marked = input !== null && input !== undefined && this.#activations.has(input);
    if (isWeightedOp(node)) {
      const weighted = this.#weighted.get(node.id);
      if (weighted === undefined && node.op !== "MatMul") return;
      if (weighted !== undefined) mark(weighted.activation);
      else node.inputs.forEach(mark);
      node.outputs.forEach(mark);
    } else if (node.op === "Relu" || node.op === "Clip") {
      if (!marked) return;
      const planned = this.#activations.get(input);
      const [output] = node.outputs;
      if (output === null || output === undefined) return;
      const alone =
        this.#graph.value(input).uses.length === 1 &&
        planned?.source === input &&
        planned.sameAs === null &&
        this.#graph.producer(input) !== undefined;
      if (alone && this.#isRemovable(node)) {
        this.#activations.delete(input);
        this.#activations.set(output, { source: input, sameAs: null, readers: "all" });
      } else mark(output);
    } else if (movesOnly.has(node.op)) {
      if (!marked || (node.op === "Pad" && !this.#padsZeros(node))) return;
      for (const output of node.op === "TopK" ? node.outputs.slice(0, 1) : node.outputs) {
        if (output !== null && this.#isFloat(output))
          this.#activations.set(output, { source: output, sameAs: input, readers: "all" });
      }
    } else if (computes.has(node.op)) {
      const parameters = node.op.endsWith("Normalization") ? node.inputs.slice(0, 1) : node.inputs;
      parameters.forEach(mark);
      node.outputs.slice(0, 1).forEach(mark);
    }
  }

  #padsZeros(node: Node): boolean {
    const padding = node.inputs[2];
    return (
      padding === null ||
      padding === undefined ||
      this.#graph.constant(padding)?.numbers()?.[0] === 0
    );
  }

  #isFloat(value: ValueId): boolean {
    const { type, body } = this.#graph.value(value);
    return type.kind === "tensor" && type.dtype === "float32" && body === this.#graph.main.id;
  }
}

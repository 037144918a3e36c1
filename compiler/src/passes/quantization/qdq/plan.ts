import { isWeightedOp, type WeightedNode } from "../../../analysis/weighted-node.js";
import { type Graph, type Node, type NodeId, shapeOf, type ValueId } from "../../../ir/index.js";
import { movesExactly, operatorOf } from "../../../ops/index.js";
import { activationFormat } from "../../../quantize/format.js";
import { isKept } from "../keep-float.js";
import { planBetween } from "./between.js";
import { engineIntegers } from "./engine-integers.js";
import { fusedTail } from "./removable.js";
import type { PlannedActivation, StaticPlan, StaticScope } from "./static-plan.js";
import { weightedNodes } from "./weighted-nodes.js";

/**
 * Which weights and activations become integers, and why the others do not: Conv, Gemm and MatMul with what they read
 * and give. Looks at the main graph alone.
 */
export function planStatic(graph: Graph, scope: StaticScope): Promise<StaticPlan> {
  return new Planner(graph, scope).plan();
}

class Planner {
  readonly #graph: Graph;
  readonly #scope: StaticScope;
  #weighted: ReadonlyMap<NodeId, WeightedNode> = new Map();
  readonly #activations = new Map<ValueId, PlannedActivation>();
  /** Of activations that are rounded for some readers, these. */
  readonly #readers = new Map<ValueId, Set<NodeId>>();

  constructor(graph: Graph, scope: StaticScope) {
    this.#graph = graph;
    this.#scope = scope;
  }

  async plan(): Promise<StaticPlan> {
    const { taken, left } = await weightedNodes(this.#graph, (weighted) =>
      this.#excluded(weighted),
    );
    this.#weighted = taken;
    const format = activationFormat(this.#scope.activationBits ?? 8);
    const activations =
      this.#scope.between === "integers" ? planBetween(this.#graph, taken) : this.#planWeighted();
    return { format, weighted: [...taken.values()], activations, left };
  }

  #excluded({ node, kind, activation }: WeightedNode): string | null {
    const { keepFloat, convolutions, inputs, outputs, unseen } = this.#scope;
    if (isKept(this.#graph, node, keepFloat)) return "it was asked to stay float";
    if (kind === "transposed") return "no engine has an int8 kernel for it";
    if (kind !== "matmul" && !convolutions.includes(kind))
      return `${kind} convolutions are slower in int8 on this target`;
    const [output] = node.outputs;
    if (unseen?.has(activation) === true) return "calibration saw nothing but 0 of what it reads";
    if (output !== null && output !== undefined && unseen?.has(fusedTail(this.#graph, output)))
      return "calibration saw nothing but 0 of what it gives";
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

  #planWeighted(): ReadonlyMap<ValueId, PlannedActivation> {
    const between =
      this.#scope.between === "float" ? null : engineIntegers(this.#graph, this.#weighted);
    for (const node of this.#graph.order()) {
      const weighted = this.#weighted.get(node.id);
      if (weighted !== undefined) this.#visitWeighted(weighted);
      else if (between?.has(node.id) === true) this.#visitBetween(node);
    }
    return this.#activations;
  }

  /**
   * Conv's int8 kernel gives integers; those of MatMul and Gemm give floats where no integer is asked for. Where a Relu or
   * Clip comes between, or a sum, onnxruntime has no such kernel, and makes floats of the whole weight at every run.
   */
  #visitWeighted({ node, kind, activation }: WeightedNode): void {
    const [output] = node.outputs;
    if (output === null || output === undefined) return;
    const tail = fusedTail(this.#graph, output);
    const integers =
      kind !== "matmul" ||
      (tail !== output && !this.#graph.isOutput(tail)) ||
      this.#joinsSum(output) ||
      this.#graph
        .consumers(tail)
        .some((reader) => this.#weighted.get(reader.id)?.activation === tail);
    if (integers) this.#give(output);
    this.#demand(activation, node.id);
  }

  /**
   * Computed on integers where all that is read is rounded anyway, but for what is spread, which takes no time: rounding the
   * rest for its sake would cost what it saves.
   */
  #visitBetween(node: Node): void {
    const { id, inputs, outputs } = node;
    const [output] = outputs;
    if (output === null || output === undefined) return;
    if (this.#scope.unseen?.has(fusedTail(this.#graph, output)) === true) return;
    const read = inputs.flatMap((input) => (input === null ? [] : [input]));
    const others = read.filter((input) => !this.#isRounded(input));
    const isFree = others.every((input) => this.#isSpread(node, input, output));
    if (others.length === read.length || !isFree) return;
    for (const input of read) this.#demand(input, id);
    this.#give(output);
  }

  /**
   * Does each of its elements count for several of a result's, of each sample? Constants of many channels are left out: one scale
   * does not suit all of them.
   */
  #isSpread(node: Node, value: ValueId, result: ValueId): boolean {
    const constant = this.#graph.constant(value);
    if (operatorOf(node)?.traits.elementwise !== true) return false;
    if (constant !== undefined) return constant.count === 1;
    const [from, to] = [value, result].map((id) => shapeOf(this.#graph, id));
    if (from === undefined || to === undefined) return false;
    const longer = to.length - from.length;
    return to.some((size, axis) => axis > 0 && size !== 1 && (from[axis - longer] ?? 1) === 1);
  }

  #give(output: ValueId): void {
    const tail = fusedTail(this.#graph, output);
    this.#activations.set(tail, { source: output, sameAs: null, readers: "all" });
  }

  #isRounded(value: ValueId): boolean {
    return this.#activations.has(value) || this.#activations.has(this.#originOf(value));
  }

  /** Of a matrix and what is added to it, onnxruntime makes one Gemm, which takes no integers. */
  #joinsSum(output: ValueId): boolean {
    const readers = this.#graph.consumers(output);
    return (
      readers.length === 1 &&
      readers[0]?.op === "Add" &&
      shapeOf(this.#graph, output)?.length === 2 &&
      !this.#graph.isOutput(output)
    );
  }

  /** Rounds what a node on integers reads, for it and its like alone. */
  #demand(value: ValueId, reader: NodeId): void {
    if (this.#activations.get(value)?.readers === "all") return;
    const known = this.#readers.get(value);
    // Its steps are decided: what they are taken from comes before it in the plan.
    if (known !== undefined) return void known.add(reader);
    const readers = new Set([reader]);
    this.#readers.set(value, readers);
    const origin = this.#originOf(value);
    const isShared = origin !== value && this.#activations.has(origin);
    this.#activations.set(value, {
      source: value,
      sameAs: isShared ? origin : null,
      readers,
    });
  }

  /** What a value is moved from: the first that is rounded, or that is computed. */
  #originOf(value: ValueId): ValueId {
    let origin = value;
    for (
      let mover = this.#graph.producer(origin);
      mover !== undefined && movesExactly(operatorOf(mover)?.traits.dataMovement);
      mover = this.#graph.producer(origin)
    ) {
      const [input] = mover.inputs;
      if (input === null || input === undefined) break;
      origin = input;
      if (this.#activations.has(origin)) break;
    }
    return origin;
  }
}

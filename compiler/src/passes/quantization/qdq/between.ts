import { isWeightedOp, type WeightedNode } from "../../../analysis/weighted-node.js";
import type { Graph, Node, NodeId, ValueId } from "../../../ir/index.js";
import { movesExactly, operatorOf } from "../../../ops/index.js";
import { fusedTail } from "./removable.js";
import type { PlannedActivation } from "./static-plan.js";

/**
 * Which activations become integers where all that lies between integer nodes is to: what these read, and what sums,
 * products, means and joints between two of them read and give, for all readers. What no integer node is made of stays
 * float, and so do a result that is added to an earlier activation or goes through a function in the same kernel, and what
 * is between functions of single elements, which a table does at once.
 */
export function planBetween(
  graph: Graph,
  weighted: ReadonlyMap<NodeId, WeightedNode>,
): ReadonlyMap<ValueId, PlannedActivation> {
  return new Planner(graph, weighted).plan();
}

/** Nodes back to which a function is looked for. */
const mostLookedAt = 64;

class Planner {
  readonly #graph: Graph;
  readonly #weighted: ReadonlyMap<NodeId, WeightedNode>;
  readonly #activations = new Map<ValueId, PlannedActivation>();
  /** What an integer node is made of, and what is made of one. */
  readonly #leading = new Set<ValueId>();
  readonly #made = new Set<ValueId>();
  /** Results that are added to an earlier activation where they are made. */
  readonly #added = new Set<ValueId>();
  /** Of a value, the place in the order of the last node with weights that it is made of. */
  readonly #lastSum = new Map<ValueId, number>();

  constructor(graph: Graph, weighted: ReadonlyMap<NodeId, WeightedNode>) {
    this.#graph = graph;
    this.#weighted = weighted;
  }

  plan(): ReadonlyMap<ValueId, PlannedActivation> {
    const order = this.#graph.order();
    for (const node of [...order].reverse()) this.#lead(node);
    for (const [place, node] of order.entries()) {
      this.#follow(node);
      this.#keepLastSum(node, place);
    }
    for (const node of order) {
      const weighted = this.#weighted.get(node.id);
      if (weighted !== undefined) this.#visitWeighted(weighted);
      else if (this.#isBetween(node)) this.#visitBetween(node);
    }
    return this.#activations;
  }

  #lead(node: Node): void {
    const weighted = this.#weighted.get(node.id);
    if (weighted !== undefined) {
      this.#leading.add(weighted.activation);
      return;
    }
    if (operatorOf(node)?.traits.linear !== undefined) return;
    if (!node.outputs.some((id) => id !== null && this.#leading.has(id))) return;
    for (const id of this.#free(node)) this.#leading.add(id);
  }

  #follow(node: Node): void {
    const isMade = this.#weighted.has(node.id) || this.#free(node).some((id) => this.#made.has(id));
    if (!isMade) return;
    for (const id of node.outputs) if (id !== null) this.#made.add(id);
  }

  #keepLastSum(node: Node, place: number): void {
    const own = isWeightedOp(node) ? place : -1;
    const last = node.inputs.reduce((most, id) => Math.max(most, this.#lastSumOf(id)), own);
    for (const id of node.outputs) if (id !== null) this.#lastSum.set(id, last);
  }

  #lastSumOf(id: ValueId | null): number {
    return id === null ? -1 : (this.#lastSum.get(id) ?? -1);
  }

  /** Inputs that are floats, and not constant. */
  #free({ inputs }: Node): readonly ValueId[] {
    return inputs.flatMap((id) => {
      if (id === null || this.#graph.constant(id) !== undefined) return [];
      const { type } = this.#graph.value(id);
      return type.kind === "tensor" && type.dtype === "float32" ? [id] : [];
    });
  }

  #isBetween(node: Node): boolean {
    const [output] = node.outputs;
    const free = this.#free(node);
    if (operatorOf(node)?.traits.onIntegers !== "of-integers") return false;
    if (output === null || output === undefined || !this.#leading.has(output)) return false;
    if (free.length < node.inputs.length || !free.some((id) => this.#made.has(id))) return false;
    const [a, b] = free;
    return a === undefined || b === undefined || !this.#areOfOne(a, b);
  }

  /** Are two values functions of one? */
  #areOfOne(a: ValueId, b: ValueId): boolean {
    const ofA = new Set(this.#sources(a));
    return this.#sources(b).some((id) => ofA.has(id));
  }

  /** A value, and what it is made of by nodes of one operand. */
  #sources(id: ValueId): readonly ValueId[] {
    const found = [id];
    for (let made = this.#graph.producer(id); made !== undefined;) {
      const [only, ...more] = this.#free(made);
      if (only === undefined || more.length > 0 || this.#weighted.has(made.id)) break;
      if (!this.#hasSameShape(only, id)) break;
      if (operatorOf(made)?.traits.dataMovement !== undefined || found.length > mostLookedAt) break;
      found.push(only);
      made = this.#graph.producer(only);
    }
    return found;
  }

  #visitWeighted(weighted: WeightedNode): void {
    this.#demand(weighted.activation);
    const [output] = weighted.node.outputs;
    if (output === null || output === undefined) return;
    if (!this.#isAddedToEarlier(weighted, output)) this.#give(this.#followed(output));
  }

  #visitBetween(node: Node): void {
    for (const id of this.#free(node)) if (!this.#added.has(id)) this.#demand(id);
    const [output] = node.outputs;
    if (output !== null && output !== undefined) this.#give(output);
  }

  /** What a function makes of a result that nobody else reads, where it is computed before that is rounded. */
  #followed(output: ValueId): ValueId {
    const [reader] = this.#graph.consumers(output);
    if (reader === undefined || this.#graph.value(output).uses.length !== 1) return output;
    const isComputed = operatorOf(reader)?.traits.onIntegers === "before-rounding";
    return isComputed ? (reader.outputs[0] ?? output) : output;
  }

  /** Rounds a result behind the rectifier that follows it. */
  #give(output: ValueId): void {
    const tail = fusedTail(this.#graph, output);
    if (this.#leading.has(tail))
      this.#activations.set(tail, { source: output, sameAs: null, readers: "all" });
  }

  /** Rounds what is read, in the steps of what it only moves. */
  #demand(value: ValueId): void {
    if (this.#activations.has(value)) return;
    let origin = value;
    for (let mover = this.#graph.producer(origin); mover !== undefined;) {
      const [input] = mover.inputs;
      if (!this.#keepsSteps(mover) || input === null || input === undefined) break;
      if (this.#graph.constant(input) !== undefined) break;
      origin = input;
      if (this.#activations.has(origin)) break;
      mover = this.#graph.producer(origin);
    }
    // What is moved is rounded before: then bytes are.
    if (!this.#activations.has(origin))
      this.#activations.set(origin, { source: origin, sameAs: null, readers: "all" });
    if (origin !== value)
      this.#activations.set(value, { source: value, sameAs: origin, readers: "all" });
  }

  /** Zeros are exact in any steps. */
  #keepsSteps(node: Node): boolean {
    const movement = operatorOf(node)?.traits.dataMovement;
    if (movement !== "pads") return movesExactly(movement);
    const [, , value] = node.inputs;
    const number = this.#graph.constant(value)?.numbers()?.[0];
    return node.op === "Pad" && (value === null || value === undefined || number === 0);
  }

  /** Is a result only added to what is there before it: made of nodes with weights that come before its own? */
  #isAddedToEarlier({ kind }: WeightedNode, output: ValueId): boolean {
    const { uses } = this.#graph.value(output);
    const [reader] = this.#graph.consumers(output);
    if (kind === "depthwise" || uses.length !== 1 || reader?.op !== "Add" || reader.domain !== "")
      return false;
    const earlier = reader.inputs.find((input) => input !== output);
    if (earlier === null || earlier === undefined) return false;
    if (!this.#isBetween(reader) || !this.#hasSameShape(earlier, output)) return false;
    if (this.#lastSumOf(earlier) >= this.#lastSumOf(output)) return false;
    this.#added.add(output);
    return true;
  }

  #hasSameShape(a: ValueId, b: ValueId): boolean {
    const [x, y] = [a, b].map((id) => this.#graph.value(id).type);
    return x?.kind === "tensor" && y?.kind === "tensor" && x.shape?.join() === y.shape?.join();
  }
}

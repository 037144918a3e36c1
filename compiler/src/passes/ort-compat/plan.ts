import type { WeightedNode } from "../../analysis/weighted-node.js";
import type { Graph, Node, NodeId, ValueId } from "../../ir/index.js";
import { hasFixedBounds } from "../quantization/qdq/removable.js";
import type {
  PlannedActivation,
  StaticPlan,
  StaticScope,
} from "../quantization/qdq/static-plan.js";
import { activationFormat } from "../../quantize/format.js";
import type { Range } from "../../quantize/scale.js";
import { isKept } from "../quantization/keep-float.js";
import { weightedNodes } from "../quantization/qdq/weighted-nodes.js";
import { given, handling } from "./operators.js";

/**
 * Which weights and activations become integers as onnxruntime's Python quantizer goes over a graph, operator by
 * operator: every one that it takes, the model's own inputs and outputs included. Looks at the main graph alone.
 */
export async function planEveryOperator(
  graph: Graph,
  { keepFloat, activationBits = 8 }: Pick<StaticScope, "keepFloat" | "activationBits">,
): Promise<StaticPlan> {
  const { taken, left, notFinite } = await weightedNodes(graph, ({ node }) =>
    isKept(graph, node, keepFloat) ? "it was asked to stay float" : null,
  );
  const planner = new Planner(graph, taken);
  for (const node of graph.order()) {
    const isLeft = isKept(graph, node, keepFloat) || notFinite.has(node.id);
    if (node.domain === "" && !isLeft) planner.visit(node);
  }
  const format = activationFormat(activationBits);
  return { format, weighted: [...taken.values()], activations: planner.activations, left };
}

class Planner {
  readonly activations = new Map<ValueId, PlannedActivation>();
  readonly #graph: Graph;
  readonly #weighted: ReadonlyMap<NodeId, WeightedNode>;

  constructor(graph: Graph, weighted: ReadonlyMap<NodeId, WeightedNode>) {
    this.#graph = graph;
    this.#weighted = weighted;
  }

  visit(node: Node): void {
    const how = handling.get(node.op);
    switch (how) {
      case "weights":
        return this.#visitWeighted(node);
      case "removed":
        return this.#visitRemoved(node);
      case "shares":
        return this.#visitSharing(node);
      case "all-inputs":
      case "first-input":
        for (const input of how === "all-inputs" ? node.inputs : node.inputs.slice(0, 1))
          this.#mark(input);
        return this.#mark(node.outputs[0], given.get(node.op));
      case undefined:
        return;
      default:
        return how satisfies never;
    }
  }

  #mark(value: ValueId | null | undefined, range?: Range): void {
    if (value === null || value === undefined) return;
    if (!this.#isFloat(value) || this.activations.has(value)) return;
    const planned = { source: value, sameAs: null, readers: "all" } as const;
    this.activations.set(value, range === undefined ? planned : { ...planned, range });
  }

  /** A MatMul of two activations is rounded too. */
  #visitWeighted(node: Node): void {
    const weighted = this.#weighted.get(node.id);
    if (weighted === undefined && node.op !== "MatMul") return;
    if (weighted !== undefined) this.#mark(weighted.activation);
    else for (const input of node.inputs) this.#mark(input);
    for (const output of node.outputs) this.#mark(output);
  }

  #visitRemoved(node: Node): void {
    const [input] = node.inputs;
    const [output] = node.outputs;
    const planned = this.#planned(input);
    if (planned === undefined || input === null || input === undefined) return;
    if (output === null || output === undefined) return;
    const alone =
      this.#graph.value(input).uses.length === 1 &&
      planned.source === input &&
      planned.sameAs === null &&
      this.#graph.producer(input) !== undefined;
    // Whatever its bounds are, as there.
    if (alone && hasFixedBounds(this.#graph, node)) {
      this.activations.delete(input);
      this.activations.set(output, { source: input, sameAs: null, readers: "all" });
    } else this.#mark(output);
  }

  #visitSharing(node: Node): void {
    const [input] = node.inputs;
    if (this.#planned(input) === undefined || input === null || input === undefined) return;
    if (node.op === "Pad" && !this.#padsZeros(node)) return;
    for (const output of node.outputs) {
      if (output !== null && this.#isFloat(output))
        this.activations.set(output, { source: output, sameAs: input, readers: "all" });
    }
  }

  #planned(value: ValueId | null | undefined): PlannedActivation | undefined {
    return value === null || value === undefined ? undefined : this.activations.get(value);
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

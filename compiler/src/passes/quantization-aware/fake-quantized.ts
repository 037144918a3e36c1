import type { WeightedNode } from "../../analysis/weighted-node.js";
import {
  edit,
  type Editor,
  type Graph,
  type NodeId,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { integerRange } from "../../quantize/format.js";
import type { Scales } from "../../quantize/scale.js";
import type { LearnedConstant } from "../../train/parameters.js";
import type { ActivationParameters } from "../quantization/qdq/activation-parameters.js";
import { insertActivations } from "../quantization/qdq/insert-activations.js";
import type { StaticPlan } from "../quantization/qdq/static-plan.js";
import {
  type WeightFormat,
  weightFormat,
  type WeightGroup,
  weightGroups,
  weightScales,
} from "../quantization/qdq/weight-groups.js";

/** Scales that are learned: what a constant holds is ln(scale / start), so that they stay positive. */
export interface LearnedScales {
  readonly constant: LearnedConstant;
  readonly start: Float32Array;
}

/** A float model that computes as its integers will: what it gives is theirs, but for how floats add up. */
export interface FakeQuantized {
  readonly graph: Graph;
  /** Its nodes that round where integers of 8 bits do not. */
  readonly rounding: ReadonlySet<NodeId>;
  /** By the key of a group of weights. */
  readonly weights: ReadonlyMap<string, LearnedScales>;
  /** By activation; one that has the parameters of another is not there. */
  readonly activations: ReadonlyMap<ValueId, LearnedScales>;
}

/**
 * A fork in which planned weights and activations are rounded and are floats still, rounding passed straight through by
 * gradients. Its other constants are those of the graph, with their ids.
 */
export async function fakeQuantized(
  graph: Graph,
  plan: StaticPlan,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  format: WeightFormat,
): Promise<FakeQuantized> {
  const fork = graph.fork();
  const groups = await Promise.all(
    weightGroups(plan).map(async (group) => {
      const values = await group.first.weightTensor.readFloat32();
      return { group, scales: await weightScales(group, values, activations, format) };
    }),
  );
  const weights = new Map<string, LearnedScales>();
  const learned = new Map<ValueId, LearnedScales>();
  const rounding = edit(fork, "quantize-aware", (editor) => {
    const faker = new Faker(fork, editor);
    const inputs = insertActivations(fork, editor, plan, activations, (value, name, start) => {
      const made = faker.addScales(name, Float32Array.of(start), []);
      learned.set(value, made.learned);
      return made.scale;
    });
    for (const { group, scales } of groups) {
      const made = faker.roundWeight(group, scales, format);
      weights.set(group.key, made.learned);
      for (const one of group.nodes) faker.roundBias(one, inputs.get(one.activation), made.scale);
    }
    return faker.rounding;
  });
  return { graph: fork, rounding, weights, activations: learned };
}

class Faker {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly rounding = new Set<NodeId>();
  #count = 0;

  constructor(graph: Graph, editor: Editor) {
    this.#graph = graph;
    this.#editor = editor;
  }

  /**
   * scale · round(clip(w / scale)), which all nodes of the group read: the gradient of a scale is that of a learned step
   * size (Esser et al. 2020), round(w / scale) − w / scale inside the range and its end outside.
   */
  roundWeight(
    { first, nodes }: WeightGroup,
    scales: Scales,
    options: WeightFormat,
  ): { readonly scale: ValueId; readonly learned: LearnedScales } {
    const { name } = this.#graph.value(first.weight);
    const { granularity, ...format } = weightFormat(first, options);
    const dims = first.weightTensor.dims.map((size, axis) =>
      granularity.kind === "channel" && granularity.axis === axis ? size : 1,
    );
    const { scale, learned } = this.addScales(`${name}_scale`, scales.scales, dims);
    const { min, max } = integerRange(format);
    const ratio = this.#editor.add1("Div", [first.weight, scale]);
    const inside = this.#editor.add1("Clip", [ratio, this.#scalar(min), this.#scalar(max)]);
    const outputs = [`${name}_rounded`];
    const weight = this.#editor.add1("Mul", [this.#round(inside), scale], {}, { outputs });
    for (const { node, linear } of nodes) this.#editor.setInput(node.id, linear.weight, weight);
    return { scale, learned };
  }

  /** A bias in the accumulator's steps: input × weight. */
  roundBias(
    { node, linear, bias }: WeightedNode,
    input: ValueId | undefined,
    weight: ValueId,
  ): void {
    if (bias === null || linear.bias === undefined || input === undefined) return;
    const flat = this.#editor.constant("flat", Tensor.int64([-1]));
    const channels = this.#editor.add1("Reshape", [weight, flat]);
    const step = this.#editor.add1("Mul", [channels, input]);
    const rounded = this.#round(this.#editor.add1("Div", [bias.value, step]));
    this.#editor.setInput(node.id, linear.bias, this.#editor.add1("Mul", [rounded, step]));
  }

  #round(value: ValueId): ValueId {
    const { id } = this.#editor.addNode("Round", [value]);
    this.rounding.add(id);
    return this.#editor.output(id, 0);
  }

  /** start · exp(what is learned) */
  addScales(
    name: string,
    start: Float32Array,
    dims: readonly number[],
  ): { readonly scale: ValueId; readonly learned: LearnedScales } {
    const tensor = Tensor.float32(dims, new Float32Array(start.length));
    const value = this.#editor.constant(`${name}_exponent`, tensor);
    const reader = this.#editor.addNode("Exp", [value]);
    const factor = this.#editor.output(reader.id, 0);
    const from = this.#editor.constant(`${name}_start`, Tensor.float32(dims, start));
    const scale = this.#editor.add1("Mul", [from, factor], {}, { outputs: [name] });
    this.#count += 1;
    const constant: LearnedConstant = {
      value,
      tensor,
      as: "scale",
      reader,
      name: `scale ${this.#count}: ${name}`,
    };
    return { scale, learned: { constant, start } };
  }

  #scalar(value: number): ValueId {
    return this.#editor.constant("scalar", Tensor.float32([], [value]));
  }
}

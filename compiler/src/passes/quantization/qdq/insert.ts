import {
  edit,
  attribute,
  type Attributes,
  type Editor,
  type Graph,
  type NodeId,
  Tensor,
  type ValueId,
} from "../../../ir/index.js";
import { uint8Activations } from "../../../quantize/format.js";
import { quantize } from "../../../quantize/round.js";
import { decibels, addIntegers, addScales, addZeroPoints } from "../quantized-constants.js";
import type { WeightedNode } from "../../../analysis/weighted-node.js";
import type { ActivationParameters } from "./activation-parameters.js";
import type { PlannedActivation, StaticPlan } from "./static-plan.js";
import type { QuantizedNode, RoundedWeight } from "./round-weights.js";

/** Writes the plan into the graph. */
export function insertStatic(
  graph: Graph,
  plan: StaticPlan,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  weighted: ReadonlyMap<NodeId, QuantizedNode>,
): void {
  edit(graph, "quantize-static", (editor) =>
    new Inserter(graph, editor, activations).insert(plan, weighted),
  );
}

interface ParameterValues {
  readonly scale: ValueId;
  readonly zeroPoint: ValueId;
}

class Inserter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #activations: ReadonlyMap<ValueId, ActivationParameters>;
  readonly #parameters = new Map<ValueId, ParameterValues>();
  readonly #weights = new Map<RoundedWeight, ValueId>();

  constructor(
    graph: Graph,
    editor: Editor,
    activations: ReadonlyMap<ValueId, ActivationParameters>,
  ) {
    this.#graph = graph;
    this.#editor = editor;
    this.#activations = activations;
  }

  insert(plan: StaticPlan, weighted: ReadonlyMap<NodeId, QuantizedNode>): void {
    for (const quantized of weighted.values()) this.#insertWeighted(quantized);
    for (const [value, planned] of plan.activations) this.#insertActivation(value, planned);
  }

  #insertWeighted({ weighted, weight, bias }: QuantizedNode): void {
    const { node } = weighted;
    this.#editor.setInput(node.id, 1, this.#roundedWeight(weight));
    if (bias !== null) {
      const { name } = this.#graph.value(weighted.bias?.value ?? weight.value);
      const inputs = [
        this.#editor.constant(`${name}_int32`, Tensor.of("int32", [bias.data.length], bias.data)),
        this.#editor.constant(
          `${name}_int32_scale`,
          Tensor.of("float32", bias.scales.length === 1 ? [] : [bias.scales.length], bias.scales),
        ),
      ];
      const axis: Attributes = bias.scales.length === 1 ? {} : { axis: attribute.int(0) };
      this.#editor.setInput(
        node.id,
        2,
        this.#editor.add1("DequantizeLinear", inputs, axis, {
          outputs: [`${name}_int32_dequantized`],
        }),
      );
    }
    this.#editor.note(node, this.#reason(weighted, weight));
  }

  #reason({ activation }: WeightedNode, { tensor }: RoundedWeight): string {
    const { format, scales, sqnr } = tensor;
    const granularity =
      format.granularity.kind === "tensor"
        ? "one scale for all weights"
        : `${scales.length} weight scales`;
    const input = this.#activations.get(activation);
    const steps = input?.scale.scale.toPrecision(3) ?? "?";
    const lost = input === undefined || input.sqnr === null ? "" : `, ${decibels(input.sqnr)}`;
    return `int8: ${granularity}, ${decibels(sqnr)}; input in steps of ${steps}${lost}`;
  }

  #roundedWeight(weight: RoundedWeight): ValueId {
    const known = this.#weights.get(weight);
    if (known !== undefined) return known;
    const { tensor, value } = weight;
    const { name } = this.#graph.value(value);
    const { granularity } = tensor.format;
    const made = this.#editor.add1(
      "DequantizeLinear",
      [
        addIntegers(this.#editor, name, tensor),
        addScales(this.#editor, name, tensor),
        addZeroPoints(this.#editor, name, tensor),
      ],
      granularity.kind === "tensor" ? {} : { axis: attribute.int(granularity.axis) },
      { outputs: [`${name}_dequantized`] },
    );
    this.#weights.set(weight, made);
    return made;
  }

  #insertActivation(value: ValueId, { source, sameAs, readers }: PlannedActivation): void {
    const parameters = this.#parametersOf(value, sameAs);
    const { name, uses } = this.#graph.value(value);
    const before = Array.from(uses);
    const isOutput = readers === "all" && uses.isOutput;
    const names = {
      quantized: `${name}_quantized`,
      dequantized: isOutput ? name : `${name}_dequantized`,
    };
    if (isOutput) this.#editor.rename(value, `${name}_float`);
    const inputs = [parameters.scale, parameters.zeroPoint];
    const quantized =
      this.#constantOf(value, name) ??
      this.#editor.add1("QuantizeLinear", [source, ...inputs], {}, { outputs: [names.quantized] });
    const rounded = this.#editor.add1(
      "DequantizeLinear",
      [quantized, ...inputs],
      {},
      { outputs: [names.dequantized] },
    );
    for (const use of before) {
      if (use.kind === "output") {
        if (readers === "all")
          this.#editor.setOutput(use.index, rounded, this.#graph.body(use.body));
      } else if (readers === "all" || readers.has(use.node))
        this.#editor.setInput(use.node, use.index, rounded);
    }
  }

  /** A constant that is rounded like an activation is stored rounded. */
  #constantOf(value: ValueId, name: string): ValueId | null {
    const parameters = this.#activations.get(value);
    const dims = this.#graph.constant(value)?.dims;
    if (parameters === undefined || parameters.constant === null || dims === undefined) return null;
    const { scale, zeroPoint } = parameters.scale;
    const scales = { scales: Float32Array.of(scale), zeroPoints: Int16Array.of(zeroPoint) };
    const rounded = quantize(parameters.constant, dims, uint8Activations, scales);
    return addIntegers(this.#editor, name, rounded);
  }

  #parametersOf(value: ValueId, sameAs: ValueId | null): ParameterValues {
    const shared = sameAs === null ? undefined : this.#parameters.get(sameAs);
    const made = shared ?? this.#makeParameters(value);
    this.#parameters.set(value, made);
    return made;
  }

  #makeParameters(value: ValueId): ParameterValues {
    const { name } = this.#graph.value(value);
    const { scale, zeroPoint } = this.#activations.get(value)?.scale ?? { scale: 1, zeroPoint: 0 };
    return {
      scale: this.#editor.constant(
        `${name}_scale`,
        Tensor.of("float32", [], Float32Array.of(scale)),
      ),
      zeroPoint: this.#editor.constant(
        `${name}_zero_point`,
        Tensor.of("uint8", [], Uint8Array.of(zeroPoint)),
      ),
    };
  }
}

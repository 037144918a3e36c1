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
import type { QuantizedTensor } from "../../../quantize/round.js";
import { decibels, addIntegers, addScales, addZeroPoints } from "../quantized-constants.js";
import { Decoder } from "../stored/decode.js";
import { addPacked, storedForm } from "../stored/initializers.js";
import type { WeightedNode } from "../../../analysis/weighted-node.js";
import type { ActivationParameters } from "./activation-parameters.js";
import { insertActivations } from "./insert-activations.js";
import type { StaticPlan } from "./static-plan.js";
import type { QuantizedNode, RoundedWeight } from "./round-weights.js";

/** Writes the plan into the graph. @param pass that does it, for the journal */
export function insertStatic(
  graph: Graph,
  plan: StaticPlan,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  weighted: ReadonlyMap<NodeId, QuantizedNode>,
  pass: string,
): void {
  edit(graph, pass, (editor) => {
    const inserter = new WeightInserter(graph, editor, activations);
    for (const quantized of weighted.values()) inserter.insert(quantized);
    insertActivations(graph, editor, plan, activations);
  });
}

class WeightInserter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #activations: ReadonlyMap<ValueId, ActivationParameters>;
  readonly #decoder: Decoder;
  readonly #weights = new Map<RoundedWeight, ValueId>();

  constructor(
    graph: Graph,
    editor: Editor,
    activations: ReadonlyMap<ValueId, ActivationParameters>,
  ) {
    this.#graph = graph;
    this.#editor = editor;
    this.#decoder = new Decoder(editor);
    this.#activations = activations;
  }

  insert({ weighted, weight, bias }: QuantizedNode): void {
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
    return `${format.dtype}: ${granularity}, ${decibels(sqnr)}; input in steps of ${steps}${lost}`;
  }

  #roundedWeight(weight: RoundedWeight): ValueId {
    const known = this.#weights.get(weight);
    if (known !== undefined) return known;
    const { tensor, value } = weight;
    const { name } = this.#graph.value(value);
    const { granularity } = tensor.format;
    // Zero points are of the integers' own dtype, and those are 8 bits wide by then.
    const wide: QuantizedTensor = { ...tensor, format: { ...tensor.format, dtype: "int8" } };
    const made = this.#editor.add1(
      "DequantizeLinear",
      [
        tensor.format.dtype === "int8"
          ? addIntegers(this.#editor, name, tensor)
          : this.#decoded(name, tensor),
        addScales(this.#editor, name, wide),
        addZeroPoints(this.#editor, name, wide),
      ],
      granularity.kind === "tensor" ? {} : { axis: attribute.int(granularity.axis) },
      { outputs: [`${name}_dequantized`] },
    );
    this.#weights.set(weight, made);
    return made;
  }

  /** Integers of fewer bits are stored as such, and decoded by operators that fold when the model is loaded. */
  #decoded(name: string, tensor: QuantizedTensor): ValueId {
    const { main } = this.#graph;
    const form = storedForm(tensor, { byRow: false, halves: false });
    const data = addPacked(this.#editor, main, name, form);
    return this.#decoder.decodeIntegers(form, data, { body: main, name: `${name}_int8` });
  }
}

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
import { quantizeValue, uint8Range } from "../../../quantize/scale.js";
import type { ActivationParameters } from "./activation-parameters.js";
import type { PlannedActivation, StaticPlan } from "./static-plan.js";
import type { QuantizedNode, StoredWeight } from "./round-weights.js";

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
  readonly #weights = new Map<StoredWeight, ValueId>();

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

  #insertWeighted({ weighted, stored, bias }: QuantizedNode): void {
    const { node } = weighted;
    this.#editor.setInput(node.id, 1, this.#storedWeight(stored));
    if (bias !== null) {
      const { name } = this.#graph.value(weighted.bias?.value ?? stored.value);
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
    this.#editor.note(node, this.#reason({ weighted, stored, bias }));
  }

  #reason({ weighted, stored }: QuantizedNode): string {
    const { scales, sqnr } = stored.weights;
    const granularity =
      stored.axis === undefined ? "one scale for all weights" : `${scales.length} weight scales`;
    const input = this.#activations.get(weighted.activation);
    return `int8: ${granularity}, ${decibels(sqnr)}; input in steps of ${input?.affine.scale.toPrecision(3) ?? "?"}${input === undefined || input.sqnr === null ? "" : `, ${decibels(input.sqnr)}`}`;
  }

  #storedWeight(stored: StoredWeight): ValueId {
    const known = this.#weights.get(stored);
    if (known !== undefined) return known;
    const { name, constant } = this.#graph.value(stored.value);
    const { data, scales } = stored.weights;
    const dims = stored.axis === undefined ? [] : [scales.length];
    const made = this.#editor.add1(
      "DequantizeLinear",
      [
        this.#editor.constant(`${name}_quantized`, Tensor.of("int8", constant?.dims ?? [], data)),
        this.#editor.constant(`${name}_scale`, Tensor.of("float32", dims, scales)),
        this.#editor.constant(
          `${name}_zero_point`,
          Tensor.of("int8", dims, new Int8Array(scales.length)),
        ),
      ],
      stored.axis === undefined ? {} : { axis: attribute.int(stored.axis) },
      { outputs: [`${name}_dequantized`] },
    );
    this.#weights.set(stored, made);
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
    const data = Uint8Array.from(parameters.constant, (x) =>
      quantizeValue(x, parameters.affine, uint8Range),
    );
    return this.#editor.constant(`${name}_quantized`, Tensor.of("uint8", dims, data));
  }

  #parametersOf(value: ValueId, sameAs: ValueId | null): ParameterValues {
    const shared = sameAs === null ? undefined : this.#parameters.get(sameAs);
    const made = shared ?? this.#makeParameters(value);
    this.#parameters.set(value, made);
    return made;
  }

  #makeParameters(value: ValueId): ParameterValues {
    const { name } = this.#graph.value(value);
    const { scale, zeroPoint } = this.#activations.get(value)?.affine ?? { scale: 1, zeroPoint: 0 };
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

const decibels = (sqnr: number): string =>
  Number.isFinite(sqnr) ? `${sqnr.toFixed(1)} dB` : "exact";

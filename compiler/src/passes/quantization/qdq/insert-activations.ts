import { type Editor, type Graph, Tensor, type ValueId } from "../../../ir/index.js";
import { type IntegerFormat, integerRange } from "../../../quantize/format.js";
import { quantize } from "../../../quantize/round.js";
import { addIntegers } from "../quantized-constants.js";
import type { ActivationParameters } from "./activation-parameters.js";
import type { PlannedActivation, StaticPlan } from "./static-plan.js";

/** Adds the scale of an activation to the graph; a scalar of float32. */
export type AddScale = (value: ValueId, name: string, scale: number) => ValueId;

/**
 * Rounds activations as planned: QuantizeLinear and DequantizeLinear behind each, between it and its readers.
 * @param addScale where a scale is not just a constant
 * @returns the scale of each
 */
export function insertActivations(
  graph: Graph,
  editor: Editor,
  plan: StaticPlan,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  addScale: AddScale = (_, name, scale) =>
    editor.constant(name, Tensor.of("float32", [], Float32Array.of(scale))),
): ReadonlyMap<ValueId, ValueId> {
  const inserter = new Inserter(graph, editor, activations, addScale, plan.format);
  return new Map(
    [...plan.activations].map(([value, planned]) => [value, inserter.insert(value, planned)]),
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
  readonly #addScale: AddScale;
  readonly #format: IntegerFormat;
  readonly #parameters = new Map<ValueId, ParameterValues>();

  constructor(
    graph: Graph,
    editor: Editor,
    activations: ReadonlyMap<ValueId, ActivationParameters>,
    addScale: AddScale,
    format: IntegerFormat,
  ) {
    this.#graph = graph;
    this.#format = format;
    this.#editor = editor;
    this.#activations = activations;
    this.#addScale = addScale;
  }

  insert(value: ValueId, { source, sameAs, readers }: PlannedActivation): ValueId {
    const parameters = this.#parametersOf(value, sameAs);
    const { name, uses } = this.#graph.value(value);
    const before = Array.from(uses);
    // What a model takes and gives as it came stays so.
    const isGiven = this.#graph.main.inputs.includes(value);
    const isOutput = readers === "all" && uses.isOutput && !isGiven;
    const names = {
      quantized: `${name}_quantized`,
      dequantized: isOutput ? name : `${name}_dequantized`,
    };
    if (isOutput) this.#editor.rename(value, `${name}_float`);
    const inputs = [parameters.scale, parameters.zeroPoint];
    const quantized =
      this.#constantOf(value, name) ??
      this.#bounded(
        this.#editor.add1(
          "QuantizeLinear",
          [source, ...inputs],
          {},
          { outputs: [names.quantized] },
        ),
        names.quantized,
      );
    const rounded = this.#editor.add1(
      "DequantizeLinear",
      [quantized, ...inputs],
      {},
      { outputs: [names.dequantized] },
    );
    for (const use of before) {
      if (use.kind === "output") {
        if (isOutput || (readers === "all" && use.body !== this.#graph.main.id))
          this.#editor.setOutput(use.index, rounded, this.#graph.body(use.body));
      } else if (readers === "all" || readers.has(use.node))
        this.#editor.setInput(use.node, use.index, rounded);
    }
    return parameters.scale;
  }

  /** A type of eight bits keeps integers to its own ends alone. */
  #bounded(quantized: ValueId, name: string): ValueId {
    if (this.#format.reduceRange !== true) return quantized;
    const most = Tensor.of("uint8", [], Uint8Array.of(integerRange(this.#format).max));
    const inputs = [quantized, null, this.#editor.constant(`${name}_most`, most)];
    return this.#editor.add1("Clip", inputs, {}, { outputs: [`${name}_bounded`] });
  }

  /** A constant that is rounded like an activation is stored rounded. */
  #constantOf(value: ValueId, name: string): ValueId | null {
    const parameters = this.#activations.get(value);
    const dims = this.#graph.constant(value)?.dims;
    if (parameters === undefined || parameters.constant === null || dims === undefined) return null;
    const { scale, zeroPoint } = parameters.scale;
    const scales = { scales: Float32Array.of(scale), zeroPoints: Int16Array.of(zeroPoint) };
    const rounded = quantize(parameters.constant, dims, this.#format, scales);
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
      scale: this.#addScale(value, `${name}_scale`, scale),
      zeroPoint: this.#editor.constant(
        `${name}_zero_point`,
        Tensor.of("uint8", [], Uint8Array.of(zeroPoint)),
      ),
    };
  }
}

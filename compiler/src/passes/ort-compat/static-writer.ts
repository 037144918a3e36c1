import { PareError } from "@pare/runtime/format";
import {
  attribute,
  type Attributes,
  type Editor,
  type Graph,
  type NodeId,
  Tensor,
  type Use,
  type ValueId,
} from "../../ir/index.js";
import type { StaticMarks } from "./static-marks.js";
import type { RoundedBias, StaticConstants, StaticParameters } from "./static-parameters.js";

interface WrittenParameters {
  readonly scale: ValueId;
  readonly zeroPoint: ValueId;
}

/**
 * Writes QuantizeLinear and DequantizeLinear with the names of onnxruntime's `QDQQuantizer` (quantization/
 * qdq_quantizer.py, 1.31.1). As there, what bodies read of the main graph stays float.
 */
export class StaticWriter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #marks: StaticMarks;
  readonly #constants: StaticConstants;
  readonly #written = new Map<ValueId, WrittenParameters>();
  readonly #biases = new Set<ValueId>();

  constructor(graph: Graph, editor: Editor, marks: StaticMarks, constants: StaticConstants) {
    this.#graph = graph;
    this.#editor = editor;
    this.#marks = marks;
    this.#constants = constants;
  }

  write(): void {
    for (const value of this.#marks.values.keys()) {
      const parameters = this.#constants.parameters.get(value);
      if (parameters?.integers === null || parameters === undefined) this.#writeActivation(value);
      else this.#writeConstant(value, parameters, parameters.integers);
    }
    const removed = [...this.#marks.removed.keys()].reverse();
    for (const value of removed) {
      const node = this.#graph.producer(value);
      if (node !== undefined) this.#editor.remove(node.id);
    }
    const names = this.#biasNames();
    for (const bias of this.#constants.biases) this.#writeBias(bias, names);
  }

  #writeConstant(value: ValueId, { axis }: StaticParameters, integers: Tensor): void {
    const { name, uses } = this.#graph.value(value);
    const readers = Array.from(uses);
    const { scale, zeroPoint } = this.#parametersOf(value);
    const quantized = this.#editor.constant(`${name}_quantized`, integers);
    const float = this.#dequantize(name, `${name}_DequantizeLinear_Output`, axis, [
      quantized,
      scale,
      zeroPoint,
    ]);
    for (const use of readers) if (this.#isInMain(use)) this.#read(use, float);
  }

  #writeActivation(value: ValueId): void {
    const { name, uses, isInput } = this.#graph.value(value);
    const readers = Array.from(uses);
    const { main } = this.#graph;
    const isOutput =
      !isInput && readers.some((use) => use.kind === "output" && use.body === main.id);
    const source = this.#sourceOf(value);
    const { scale, zeroPoint } = this.#parametersOf(value);
    if (isOutput) this.#editor.rename(source, `${name}_QuantizeLinear_Input`);
    else if (source !== value) this.#editor.rename(source, name);
    const quantized = this.#editor.add1(
      "QuantizeLinear",
      [source, scale, zeroPoint],
      {},
      { name: `${name}_QuantizeLinear`, outputs: [`${name}_QuantizeLinear_Output`] },
    );
    const output = isOutput ? name : `${name}_DequantizeLinear_Output`;
    const float = this.#dequantize(name, output, null, [quantized, scale, zeroPoint]);
    this.#editor.setType(float, this.#graph.value(value).type);
    for (const use of readers) {
      // An input that is an output as well stays as it came.
      if (isInput && use.kind === "output" && use.body === main.id) continue;
      this.#read(use, isOutput || this.#isInMain(use) ? float : source);
    }
  }

  /** Names of biases by what nodes read of them: each node has its own, in steps of its own. */
  #biasNames(): (name: string) => string {
    const initializers = [...this.#graph.main.initializers].map((id) => this.#graph.value(id).name);
    const largest = new Map<string, number>();
    return (name) => {
      const known =
        largest.get(name) ??
        initializers.reduce((most, other) => {
          const rest = other.startsWith(name) ? other.slice(name.length) : "";
          return /^\d+$/u.test(rest) ? Math.max(most, Number(rest)) : most;
        }, -1);
      largest.set(name, known + 1);
      return `${name}${known + 1}`;
    };
  }

  #writeBias(
    { node, bias, integers, scales }: RoundedBias,
    another: (name: string) => string,
  ): void {
    const isFirst = !this.#biases.has(bias);
    this.#biases.add(bias);
    const { name: original, uses } = this.#graph.value(bias);
    const name = isFirst ? original : another(original);
    const own = this.#graph.node(node);
    // Of the others that read it the first rounding is as good as any.
    const readers = isFirst
      ? Array.from(uses).filter((use) => !this.#isOtherBias(use, node, bias))
      : Array.from(uses).filter((use) => use.kind === "node" && use.node === node);
    const isPerChannel = scales.length > 1;
    const points = isPerChannel
      ? Tensor.of("int32", [scales.length], new Int32Array(scales.length))
      : Tensor.of("int32", [], Int32Array.of(0));
    const inputs = [
      this.#editor.constant(`${name}_quantized`, integers),
      this.#editor.constant(`${name}_quantized_scale`, Tensor.float32([scales.length], scales)),
      this.#editor.constant(`${name}_quantized_zero_point`, points),
    ];
    const float = this.#dequantize(name, name, isPerChannel ? 0 : null, inputs);
    for (const use of readers) this.#read(use, float);
    if (own.attributes.has("beta")) this.#editor.setAttribute(node, "beta", attribute.float(1));
    this.#editor.note(own, because);
  }

  #dequantize(
    name: string,
    output: string,
    axis: number | null,
    inputs: readonly ValueId[],
  ): ValueId {
    const attributes: Attributes = axis === null ? {} : { axis: attribute.int(axis) };
    return this.#editor.add1("DequantizeLinear", inputs, attributes, {
      name: `${name}_DequantizeLinear`,
      outputs: [output],
    });
  }

  #parametersOf(value: ValueId): WrittenParameters {
    const known = this.#written.get(value);
    if (known !== undefined) return known;
    const mark = this.#marks.values.get(value);
    const made =
      mark?.kind === "shared" ? this.#parametersOf(mark.from) : this.#writeParameters(value);
    this.#written.set(value, made);
    return made;
  }

  #writeParameters(value: ValueId): WrittenParameters {
    const { name } = this.#graph.value(value);
    const parameters = this.#constants.parameters.get(value);
    if (parameters === undefined)
      throw new PareError("INTERNAL", `${JSON.stringify(name)} was given no scale.`);
    return {
      scale: this.#editor.constant(`${name}_scale`, parameters.scale),
      zeroPoint: this.#editor.constant(`${name}_zero_point`, parameters.zeroPoint),
    };
  }

  /** Where a value comes from, now that each Relu and Clip behind it is gone. */
  #sourceOf(value: ValueId): ValueId {
    const from = this.#marks.removed.get(value);
    return from === undefined ? value : this.#sourceOf(from);
  }

  #read(use: Use, value: ValueId): void {
    if (use.kind === "node") this.#editor.setInput(use.node, use.index, value);
    else this.#editor.setOutput(use.index, value, this.#graph.body(use.body));
  }

  #isInMain(use: Use): boolean {
    return use.kind === "node" && this.#graph.node(use.node).body === this.#graph.main.id;
  }

  #isOtherBias(use: Use, node: NodeId, bias: ValueId): boolean {
    return this.#constants.biases.some(
      (other) =>
        other.bias === bias &&
        other.node !== node &&
        use.kind === "node" &&
        use.node === other.node,
    );
  }
}

const because = "rounded as onnxruntime's quantizer rounds it";

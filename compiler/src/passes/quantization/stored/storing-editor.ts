import type { StoredWeight } from "../../../analysis/stored-weights.js";
import {
  attribute,
  type Attributes,
  type Body,
  type Editor,
  type Graph,
  Tensor,
  type ValueId,
} from "../../../ir/index.js";
import type { Granularity } from "../../../quantize/format.js";
import type { QuantizedTensor } from "../../../quantize/round.js";
import { addIntegers, addScales, addZeroPoints, decibels } from "../quantized-constants.js";
import { Decoder } from "./decode.js";
import {
  addInitializers,
  type StoredForm,
  storedForm,
  type StoredInitializers,
} from "./initializers.js";
import type { RowReader } from "./row-readers.js";

/** A weight as it will be stored. */
export interface WeightToStore {
  readonly weight: StoredWeight;
  /** The weight's elements, perhaps under other dims. */
  readonly tensor: QuantizedTensor;
  /** Who reads it by rows; null where it is decoded as a whole. */
  readonly rows: readonly RowReader[] | null;
  /** Its scales are float16 numbers. */
  readonly halves: boolean;
}

/** Puts stored integers and what decodes them in the place of float weights. */
export class StoringEditor {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #decoder: Decoder;

  constructor(graph: Graph, editor: Editor) {
    this.#graph = graph;
    this.#editor = editor;
    this.#decoder = new Decoder(editor);
  }

  store({ weight, tensor, rows, halves }: WeightToStore, decode: "fold" | "dequantize"): void {
    const { value, reader, tensor: float } = weight;
    const { name, body: bodyId } = this.#graph.value(value);
    const place = { body: this.#graph.body(bodyId), name };
    const reason = reasonOf(tensor);
    if (decode === "dequantize") {
      this.#editor.replace(value, this.#dequantized(tensor, float.dims, place), reason);
    } else {
      const form = storedForm(tensor, { byRow: rows !== null, halves });
      const stored = addInitializers(this.#editor, place.body, name, form);
      if (rows !== null) {
        for (const row of rows) this.#decodeRows(row, form, stored, reason);
        return;
      }
      const decoded = this.#decoder.decode(form, stored, 0, float.dims, place);
      this.#editor.replace(value, decoded, reason);
    }
    this.#editor.note(reader, reason);
  }

  #dequantized(
    tensor: QuantizedTensor,
    dims: readonly number[],
    { body, name }: { readonly body: Body; readonly name: string },
  ): ValueId {
    const isMoved = dims.join() !== tensor.dims.join();
    const inputs = [
      addIntegers(this.#editor, name, tensor, body),
      addScales(this.#editor, name, tensor, body),
    ];
    if (!tensor.format.symmetric) inputs.push(addZeroPoints(this.#editor, name, tensor, body));
    const outputs = [isMoved ? `${name}_dequantized` : name];
    const attributes = dequantizeAttributes(tensor.format.granularity);
    const made = this.#editor.add1("DequantizeLinear", inputs, attributes, { body, outputs });
    if (!isMoved) return made;
    const shape = this.#editor.constant(`${name}_shape`, Tensor.int64(dims), body);
    return this.#editor.add1("Reshape", [made, shape], {}, { body, outputs: [name] });
  }

  /** Gathers integers and scales, and decodes what was asked for. */
  #decodeRows(
    { node, indices, rank }: RowReader,
    form: StoredForm,
    stored: StoredInitializers,
    reason: string,
  ): void {
    const [output] = node.outputs;
    if (output === null || output === undefined) return;
    const { name } = this.#graph.value(output);
    const body = this.#graph.body(node.body);
    const gather = (value: ValueId, suffix: string, label = ""): ValueId =>
      this.#editor.add1(
        "Gather",
        [value, indices],
        {},
        { body, name: label, outputs: [`${name}_${suffix}`] },
      );
    const gathered: StoredInitializers = {
      data: gather(stored.data, "quantized", node.name),
      scale: gather(stored.scale, "scale"),
      zeroPoint: stored.zeroPoint === null ? null : gather(stored.zeroPoint, "zero_point"),
    };
    const decoded = this.#decoder.decode(form, gathered, rank, form.dims, { body, name });
    this.#editor.replace(output, decoded, reason);
  }
}

function dequantizeAttributes(granularity: Granularity): Attributes {
  switch (granularity.kind) {
    case "tensor":
      return {};
    case "channel":
      return { axis: attribute.int(granularity.axis) };
    case "block":
      return {
        axis: attribute.int(granularity.axis),
        block_size: attribute.int(granularity.size),
      };
    default:
      return granularity satisfies never;
  }
}

function reasonOf({ format, scales, sqnr }: QuantizedTensor): string {
  return `weights stored as ${format.dtype}: ${scales.length} scales, ${decibels(sqnr)}`;
}

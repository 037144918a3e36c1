import { dtypeBits, elementCount, floatsToHalves } from "@pare/runtime/format";
import { type Body, type Editor, Tensor, type ValueId } from "../../../ir/index.js";
import { isSigned } from "../../../quantize/format.js";
import { pack } from "../../../quantize/pack.js";
import type { QuantizedTensor } from "../../../quantize/round.js";

/** Blocks along an axis; the last may be short. */
export interface Blocks {
  readonly axis: number;
  readonly length: number;
  readonly count: number;
  readonly size: number;
}

/**
 * How a rounded tensor lies in a file so that operators that every engine folds can decode it: 8 bits as they are,
 * fewer packed in bytes, without a sign. What is decoded at once is the whole tensor, or one row of it after another.
 */
export interface StoredForm {
  readonly tensor: QuantizedTensor;
  /** The first axis is gathered: rows are packed and decoded each by itself. */
  readonly byRow: boolean;
  readonly bits: number;
  /** Dims of what is decoded at once. */
  readonly dims: readonly number[];
  readonly blocks: Blocks | null;
  /** What was added to signed integers of fewer than 8 bits; 0 for all others. */
  readonly offset: number;
  /** Scales are float16 numbers, and are stored as such. */
  readonly halves: boolean;
}

export interface StoredInitializers {
  readonly data: ValueId;
  /** float32 or float16; dims broadcast over the integers, where blocks are an axis of their own. */
  readonly scale: ValueId;
  /** uint8, dims as the scale's; null where all are 0. */
  readonly zeroPoint: ValueId | null;
}

export function storedForm(
  tensor: QuantizedTensor,
  { byRow, halves }: Pick<StoredForm, "byRow" | "halves">,
): StoredForm {
  const { format, dims } = tensor;
  const { granularity, dtype } = format;
  const bits = dtypeBits[dtype];
  const gathered = byRow ? 1 : 0;
  return {
    tensor,
    byRow,
    halves,
    bits,
    dims: dims.slice(gathered),
    offset: isSigned(dtype) && bits < 8 ? 2 ** (bits - 1) : 0,
    blocks:
      granularity.kind === "block"
        ? blocksOf(dims, granularity.axis, granularity.size, gathered)
        : null,
  };
}

function blocksOf(dims: readonly number[], axis: number, size: number, gathered: number): Blocks {
  const length = dims[axis] ?? 0;
  return { axis: axis - gathered, length, size, count: Math.ceil(length / size) };
}

/** Dims with an axis for blocks: [a, length, b] becomes [a, count, size, b]; the last block counts as full. */
export function blockedDims(dims: readonly number[], blocks: Blocks | null): readonly number[] {
  if (blocks === null) return dims;
  const { axis, count, size } = blocks;
  return [...dims.slice(0, axis), count, size, ...dims.slice(axis + 1)];
}

export const isRagged = (blocks: Blocks | null): boolean =>
  blocks !== null && blocks.count * blocks.size !== blocks.length;

export function addInitializers(
  editor: Editor,
  body: Body,
  name: string,
  form: StoredForm,
): StoredInitializers {
  const { scales, zeroPoints } = form.tensor;
  const dims = scaleDims(form);
  const scale = form.halves
    ? Tensor.of("float16", dims, floatsToHalves(scales))
    : Tensor.float32(dims, scales);
  const zeros = zeroPoints.every((zeroPoint) => zeroPoint === 0);
  const zeroPoint = Tensor.of("uint8", dims, Uint8Array.from(zeroPoints));
  return {
    data: addPacked(editor, body, name, form),
    scale: editor.constant(`${name}_scale`, scale, body),
    zeroPoint: zeros ? null : editor.constant(`${name}_zero_point`, zeroPoint, body),
  };
}

/** The integers alone. */
export function addPacked(editor: Editor, body: Body, name: string, form: StoredForm): ValueId {
  return editor.constant(`${name}_quantized`, integers(form), body);
}

function integers({ tensor, byRow, bits, dims, blocks, offset }: StoredForm): Tensor {
  const { data, format } = tensor;
  const rows = byRow ? tensor.dims.slice(0, 1) : [];
  if (bits === 8) {
    const laid = isRagged(blocks) ? dims : blockedDims(dims, blocks);
    return Tensor.of(format.dtype, [...rows, ...laid], data);
  }
  // Not by `from`, which goes through an iterator: there may be millions.
  const unsigned = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 1) unsigned[i] = (data[i] ?? 0) + offset;
  const count = elementCount(dims);
  const bytes = Math.ceil((count * bits) / 8);
  const filled = (bytes * 8) / bits;
  const padded = filled === count ? unsigned : withRowsOf(filled, unsigned, count);
  return Tensor.of("uint8", [...rows, bytes, 1], pack(bits === 4 ? "uint4" : "uint2", padded));
}

/** Every row made longer, so that it begins with a byte. */
function withRowsOf(length: number, data: Uint8Array, count: number): Uint8Array {
  const rows = count === 0 ? 0 : data.length / count;
  const padded = new Uint8Array(rows * length);
  for (let row = 0; row < rows; row += 1)
    padded.set(data.subarray(row * count, (row + 1) * count), row * length);
  return padded;
}

function scaleDims({ tensor, byRow, blocks }: StoredForm): readonly number[] {
  const { dims, format } = tensor;
  const { granularity } = format;
  switch (granularity.kind) {
    case "tensor":
      return [];
    case "channel":
      return dims.map((size, at) => (at === granularity.axis ? size : 1));
    case "block": {
      const whole = blocks && { ...blocks, axis: blocks.axis + (byRow ? 1 : 0), size: 1 };
      return blockedDims(dims, whole);
    }
    default:
      return granularity satisfies never;
  }
}

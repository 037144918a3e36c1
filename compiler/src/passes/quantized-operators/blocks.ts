import { elementCount } from "@pare/runtime/format";
import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";

/**
 * Weights of few bits in blocks, as onnxruntime's MatMulNBits has them: a row for each column of the result, in blocks whose
 * integers fill bytes from the low bits to the high ones, the last block filled up; for each block a scale and a zero point.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
 */
function multiply(step: Step): void {
  const { attributes } = step;
  const [depth, columns] = [attributes.int("K", 0), attributes.int("N", 0)];
  const [bits, block] = [attributes.int("bits", 4), attributes.int("block_size", 0)];
  if (step.input(4) !== undefined) return step.refuse("its weights come in another order");
  if (attributes.int("weight_prepacked", 0) !== 0)
    return step.refuse("its weights are packed for one kind of machine");
  const isKnown = bits === 2 || bits === 4 || bits === 8;
  if (!isKnown || block < 1 || (block * bits) % 8 !== 0 || depth < 1 || columns < 1)
    return step.refuse("its sizes are no blocks of 2, 4 or 8 bits");
  const blocks = Math.ceil(depth / block);
  const of = { rows: columns, bits };
  const zeros = step.input(3) === undefined ? undefined : constantAt(step, 3);
  const constants = [
    unpacked(step, constantAt(step, 1), { ...of, stored: blocks * block, kept: depth }),
    scalesAt(step, [columns, blocks]),
    zeros === undefined
      ? middleOf([columns, blocks], bits)
      : unpacked(step, zeros, { ...of, stored: inBytes(blocks, bits), kept: blocks }),
  ];
  const body = step.graph.body(step.node.body);
  const inputs = constants.map((tensor, at): ValueId => {
    return step.editor.constant(["weights", "scales", "zero_points"][at] ?? "", tensor, body);
  });
  const how = { axis: attribute.int(1), block_size: attribute.int(block) };
  const weights = step.add("DequantizeLinear", inputs, how);
  const turned = step.add("Transpose", [weights], { perm: attribute.ints([1, 0]) });
  const product = step.add("MatMul", [operand(step, 0), turned]);
  const bias = step.input(5);
  step.replaceBy(bias === undefined ? product : step.add("Add", [product, bias]));
}

/**
 * Rows of a table in such blocks, taken by their places; of bytes as above, whose last axis has the blocks, or of types of four
 * bits. What has no zero points is about 0, bytes about the middle of their range.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GatherBlockQuantized
 */
function gather(step: Step): void {
  const { attributes } = step;
  const [bits, block] = [attributes.int("bits", 4), attributes.int("block_size", 128)];
  const [table, scales] = [constantAt(step, 0), constantAt(step, 2)];
  if (block < 1 || scales.dtype !== "float32")
    return step.refuse("its scales are no floats of blocks");
  const zeros = step.input(3) === undefined ? undefined : constantAt(step, 3);
  const body = step.graph.body(step.node.body);
  const constant = (name: string, tensor: Tensor): ValueId =>
    step.editor.constant(name, tensor, body);
  const integers =
    table.dtype === "uint8"
      ? bytesOf(step, { table, scales, zeros, bits })
      : [table, ...(zeros === undefined ? [] : [zeros])];
  const [data = table, middle] = integers;
  const inputs = [
    constant("table", data),
    constant("scales", scales),
    ...(middle === undefined ? [] : [constant("zero_points", middle)]),
  ];
  const floats = step.add("DequantizeLinear", inputs, {
    axis: attribute.int(attributes.int("quantize_axis", 1)),
    block_size: attribute.int(block),
  });
  const axis = attribute.int(attributes.int("gather_axis", 0));
  step.replaceBy(step.add("Gather", [floats, operand(step, 1)], { axis }));
}

interface TableOfBytes {
  readonly table: Tensor;
  readonly scales: Tensor;
  readonly zeros: Tensor | undefined;
  readonly bits: number;
}

/** A table and its zero points, each number with a byte of its own. */
function bytesOf(step: Step, { table, scales, zeros, bits }: TableOfBytes): readonly Tensor[] {
  if (bits !== 2 && bits !== 4 && bits !== 8)
    step.refuse("its sizes are no blocks of 2, 4 or 8 bits");
  const leading = table.dims.slice(0, -1);
  const rows = elementCount(leading);
  const [columns, blocks] = [table.dims.at(-1) ?? 0, scales.dims.at(-1) ?? 0];
  if (scales.count !== rows * blocks) step.refuse("its scales are no floats of its sizes");
  const width = (columns * 8) / bits;
  const of = { rows, bits };
  const middle =
    zeros === undefined
      ? middleOf(scales.dims, bits)
      : unpacked(step, zeros, { ...of, stored: inBytes(blocks, bits), kept: blocks });
  return [
    unpacked(step, table, { ...of, stored: width, kept: width }).reshaped([...leading, width]),
    middle.reshaped(scales.dims),
  ];
}

/** Zero points where none are given. */
function middleOf(dims: readonly number[], bits: number): Tensor {
  return Tensor.of("uint8", dims, new Uint8Array(elementCount(dims)).fill(2 ** (bits - 1)));
}

/** So many integers, filled up to whole bytes. */
function inBytes(count: number, bits: number): number {
  const perByte = 8 / bits;
  return Math.ceil(count / perByte) * perByte;
}

function constantAt(step: Step, at: number): Tensor {
  return step.graph.constant(operand(step, at)) ?? step.refuse("its weights are not constant");
}

interface Packed {
  readonly rows: number;
  /** Of a row, whole bytes. */
  readonly stored: number;
  /** The first of a row. */
  readonly kept: number;
  readonly bits: number;
}

/** Integers of few bits, each with a byte of its own; made when they are read. */
function unpacked(step: Step, from: Tensor, { rows, stored, kept, bits }: Packed): Tensor {
  const perByte = 8 / bits;
  if (from.dtype !== "uint8" || from.count !== (rows * stored) / perByte)
    return step.refuse("its weights and zero points are no bytes of its sizes");
  const mask = 2 ** bits - 1;
  return Tensor.lazy("uint8", [rows, kept], async () => {
    const bytes = await from.readArray();
    const integers = new Uint8Array(rows * kept);
    for (let row = 0; row < rows; row += 1)
      for (let at = 0; at < kept; at += 1) {
        const place = row * stored + at;
        const byte = Number(bytes[Math.floor(place / perByte)] ?? 0);
        integers[row * kept + at] = (byte >> (bits * (place % perByte))) & mask;
      }
    return integers;
  });
}

function scalesAt(step: Step, dims: readonly [number, number]): Tensor {
  const scales = constantAt(step, 2);
  const [rows, columns] = dims;
  return scales.dtype === "float32" && scales.count === rows * columns
    ? scales.reshaped(dims)
    : step.refuse("its scales are no floats of its sizes");
}

export const blockWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::GatherBlockQuantized": gather,
  "com.microsoft::MatMulNBits": multiply,
};

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
      ? Tensor.of(
          "uint8",
          [columns, blocks],
          new Uint8Array(columns * blocks).fill(2 ** (bits - 1)),
        )
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
  "com.microsoft::MatMulNBits": multiply,
};

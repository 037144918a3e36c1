import { attribute, type ValueId } from "../../ir/index.js";
import type { Builder } from "../../rules/rule-case.test.support.js";

const { float, int, ints } = attribute;

type Layer = (x: ValueId, builder: Builder) => ValueId;
const image = ["float32", 1, 8, 12, 12] as const;
const rows = ["float32", 3, 24] as const;

/** A layer that reads weights, in every way in which they are brought into the order of a kernel. */
export const layersOfWeights: Readonly<
  Record<string, readonly [dims: readonly ["float32", ...number[]], layer: Layer]>
> = {
  "a product": [rows, (x, b) => b.add("MatMul", [x, b.weights(24, 37)])],
  "matrices of a batch": [
    ["float32", 2, 3, 24],
    (x, b) => b.add("MatMul", [x, b.weights(2, 24, 9)]),
  ],
  "a product in parts": [
    ["float32", 16, 1600],
    (x, b) => b.add("MatMul", [x, b.weights(1600, 12)]),
  ],
  "a turned Gemm": [
    rows,
    (x, b) => b.add("Gemm", [x, b.weights(10, 24), b.weights(10)], { transB: int(1) }),
  ],
  "a Gemm with a factor": [
    rows,
    (x, b) => b.add("Gemm", [x, b.weights(24, 10)], { alpha: float(0.3) }),
  ],
  "a Gemm of an image": [
    image,
    (x, b) =>
      b.add("Gemm", [b.add("Flatten", [b.add("Relu", [x])]), b.weights(5, 8 * 144)], {
        transB: int(1),
      }),
  ],
  "a convolution": [image, (x, b) => b.add("Conv", [x, b.weights(12, 8, 3, 3), b.weights(12)])],
  "a convolution of points": [image, (x, b) => b.add("Conv", [x, b.weights(20, 8, 1, 1)])],
  "a convolution by blocks": [
    ["float32", 1, 32, 24, 24],
    (x, b) => b.add("Conv", [x, b.weights(32, 32, 3, 3)], { pads: ints([1, 1, 1, 1]) }),
  ],
  "few maps": [image, (x, b) => b.add("Conv", [x, b.weights(1, 8, 3, 3)])],
  groups: [image, (x, b) => b.add("Conv", [x, b.weights(12, 4, 3, 3)], { group: int(2) })],
  "a depthwise convolution": [
    image,
    (x, b) => b.add("Conv", [x, b.weights(8, 1, 3, 3)], { group: int(8) }),
  ],
  "a transposed convolution": [
    image,
    (x, b) => b.add("ConvTranspose", [x, b.weights(8, 6, 3, 3)], { strides: ints([2, 2]) }),
  ],
  "an LSTM": [
    ["float32", 4, 1, 16],
    (x, b) =>
      b.many("LSTM", 1, [x, b.weights(1, 4 * 12, 16), b.weights(1, 4 * 12, 12)], {
        hidden_size: int(12),
      })[0] ?? x,
  ],
  "rows of a table": [
    ["float32", 5],
    (x, b) => {
      const places = b.add("Cast", [b.add("Abs", [x])], { to: int(7) });
      return b.add("Gather", [b.weights(40, 64), places]);
    },
  ],
};

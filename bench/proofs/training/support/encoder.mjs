// A transformer encoder that nobody has trained, written from scratch: weights from a seed, a free batch.
import {
  attribute,
  build,
  dim,
  inferNode,
  newHeader,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";
import { normals } from "./networks.mjs";

/**
 * Layers of attention and of neurons, with norms before them (Vaswani et al. 2017; Xiong et al. 2020). The rows of a picture
 * are its tokens; the mean of what comes of them has one of ten classes.
 */
export function encoder({ width = 128, heads = 4, neurons = 512, layers = 2, seed = 1 } = {}) {
  const side = 28;
  const normal = normals(seed);
  return build(newHeader(17), inferNode, (editor) => {
    let count = 0;
    const constant = (dims, value) => {
      const size = dims.reduce((product, each) => product * each, 1);
      const numbers = Float32Array.from({ length: size }, value);
      return editor.constant(`constant${(count += 1)}`, Tensor.float32(dims, numbers));
    };
    const integers = (...values) =>
      editor.constant(`sizes${(count += 1)}`, Tensor.int64(values, [values.length]));
    /** What is added may be another row for each token: it tells where the token stands. */
    const dense = (x, from, to, added = [to], scale = 1) => {
      const weight = constant([from, to], () => normal() * scale * Math.sqrt(1 / from));
      const shift = constant(added, () => (added.length > 1 ? 0.1 * normal() : 0));
      return editor.add1("Add", [editor.add1("MatMul", [x, weight]), shift]);
    };
    const norm = (x) => {
      const numbers = [1, 0].map((start) => constant([width], () => start));
      return editor.add1("LayerNormalization", [x, ...numbers], { axis: attribute.int(-1) });
    };
    const turned = (x, ...order) => editor.add1("Transpose", [x], { perm: attribute.ints(order) });
    const attention = (x) => {
      const size = width / heads;
      const apart = (...order) => {
        const split = editor.add1("Reshape", [dense(x, width, width), integers(0, 0, heads, size)]);
        return turned(split, ...order);
      };
      const [query, key, value] = [apart(0, 2, 1, 3), apart(0, 2, 3, 1), apart(0, 2, 1, 3)];
      const scale = constant([], () => 1 / Math.sqrt(size));
      const scores = editor.add1("Mul", [editor.add1("MatMul", [query, key]), scale]);
      const shares = editor.add1("Softmax", [scores], { axis: attribute.int(-1) });
      const mixed = turned(editor.add1("MatMul", [shares, value]), 0, 2, 1, 3);
      return dense(editor.add1("Reshape", [mixed, integers(0, 0, width)]), width, width);
    };
    const neuronsOf = (x) => {
      const hidden = editor.add1("Relu", [dense(x, width, neurons, [neurons], Math.SQRT2)]);
      return dense(hidden, neurons, width);
    };

    const x = editor.addInput("x", tensorType("float32", [dim.symbol("batch"), 1, side, side]));
    const rows = editor.add1("Reshape", [x, integers(0, side, side)]);
    let stream = dense(rows, side, width, [side, width]);
    for (let layer = 0; layer < layers; layer += 1) {
      stream = editor.add1("Add", [stream, attention(norm(stream))]);
      stream = editor.add1("Add", [stream, neuronsOf(norm(stream))]);
    }
    const mean = editor.add1("ReduceMean", [norm(stream)], {
      axes: attribute.ints([1]),
      keepdims: attribute.int(0),
    });
    const weight = constant([10, width], () => normal() * Math.sqrt(1 / width));
    const bias = constant([10], () => 0);
    const logits = editor.add1("Gemm", [mean, weight, bias], { transB: attribute.int(1) });
    editor.rename(logits, "logits");
    editor.addOutput(logits);
  });
}

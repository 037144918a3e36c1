// Networks that are made up: only their shapes matter, and their weights are noise.
import {
  attribute,
  edit,
  Graph,
  inferNode,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";

/**
 * @param {{ input: readonly number[], build: (b: object, x: number) => number }} network its input's size, and what it makes
 * of that with what `b` builds
 */
export function graphOf({ input, build }) {
  const graph = new Graph(newHeader(21), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const random = randomOf(1, "large maps");
      const weights = (...dims) => {
        const count = dims.reduce((product, size) => product * size, 1);
        const spread = 2 / Math.sqrt(count / dims[0]);
        return editor.constant("w", Tensor.float32(dims, Array.from({ length: count }, () => spread * (random() - 0.5)))); // prettier-ignore
      };
      const add = (op, inputs, attributes = {}) => editor.add1(op, inputs, attributes);
      const builder = {
        add,
        floats: (values) => editor.constant("c", Tensor.float32([values.length], values)),
        relu: (x) => add("Relu", [x]),
        convolved(x, from, to, kernel, stride = 1) {
          const around = (kernel - 1) / 2;
          const pads = attribute.ints([around, around, around, around]);
          const strides = attribute.ints([stride, stride]);
          return add("Conv", [x, weights(to, from, kernel, kernel), weights(to)], {
            pads,
            strides,
          });
        },
        transposed: (x, from, to, kernel, stride) =>
          add("ConvTranspose", [x, weights(from, to, kernel, kernel), weights(to)], {
            strides: attribute.ints([stride, stride]),
          }),
      };
      const y = build(builder, editor.addInput("x", tensorType("float32", input)));
      editor.rename(y, "y");
      editor.addOutput(y);
    },
    { interface: true },
  );
  return graph;
}

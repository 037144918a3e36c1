import { expect, it } from "vitest";
import { build, newHeader, Tensor, tensorType } from "../ir/index.js";
import { inferNode } from "../ops/index.js";
import { simplifyGraph } from "./simplify.js";

const [layers, width] = [5, 200];

it("looks at weights of a model's layers one after the other, and once for all that is tried of it", async () => {
  let reads = 0;
  let [held, mostHeld] = [0, 0];
  const weightsOf = (layer: number): Tensor =>
    Tensor.lazy("float32", [width, width], async () => {
      reads += 1;
      held += 1;
      mostHeld = Math.max(mostHeld, held);
      await new Promise((resolve) => setTimeout(resolve, 1));
      held -= 1;
      return Float32Array.from({ length: width ** 2 }, (_, at) => Math.sin(at + layer));
    });
  const graph = build(newHeader(21), inferNode, (editor) => {
    let value = editor.addInput("x", tensorType("float32", [1, width]));
    for (let layer = 0; layer < layers; layer += 1) {
      const product = editor.add1("MatMul", [value, editor.constant("w", weightsOf(layer))]);
      value = editor.add1("Relu", [product]);
    }
    editor.addOutput(value);
  });
  for (const tried of [graph.fork(), graph.fork(), graph]) await simplifyGraph(tried, {});
  // Whether two are equal, and whether any are dead.
  expect(reads).toBe(2 * layers);
  expect(mostHeld).toBe(1);
});

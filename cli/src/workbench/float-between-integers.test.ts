import { build, inferNode, newHeader, Tensor, tensorType } from "@pare/compiler";
import { expect, it } from "vitest";
import { floatBetweenIntegersText } from "./float-between-integers.js";

/** So many activations, of integers or of floats, each with its gate. */
const gated = (count: number, rounds: boolean) =>
  build(newHeader(), inferNode, (editor) => {
    let x = editor.addInput("x", tensorType("float32", [4]));
    const step = editor.constant("step", Tensor.float32([], [0.1]));
    for (let at = 0; at < count; at += 1) {
      if (rounds)
        x = editor.add1("DequantizeLinear", [editor.add1("QuantizeLinear", [x, step]), step]);
      x = editor.add1("Mul", [x, editor.add1("Sigmoid", [x])]);
    }
    editor.addOutput(x);
  });

it("says how much computes on floats between integers, where that is much", () => {
  expect(floatBetweenIntegersText(gated(3, true))).toMatch(/ 6 nodes .*\(3 × (Mul|Sigmoid), 3 × /);
  expect(floatBetweenIntegersText(gated(1, true))).toBeNull();
  expect(floatBetweenIntegersText(gated(3, false))).toBeNull();
});

import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import { graphOf, madeUp } from "../../rules/rule-case.test.support.js";
import { runBytes } from "../opset/opset-case.test.support.js";
import { decoded, type How, own, rounded, steps } from "./quantized-case.test.support.js";
import { sayQuantized } from "./say-quantized.js";

it("has shares of nothing where a size behind the axis is 0", async () => {
  const how: How = { type: "uint8", scale: 0.01, zeroPoint: 0 };
  const graph = graphOf({ x: ["float32", 2, 3, "n"] }, (input, b) => {
    const all = [...rounded(b, input("x"), how), ...steps(b, how)];
    const attributes = { opset: attribute.int(12), axis: attribute.int(1) };
    return { y: decoded(b, own(b, "QLinearSoftmax", all, attributes), how) };
  });
  expect(sayQuantized(graph).size).toBe(0);
  const { y } = await runBytes((await encodeModel(graph)).proto, madeUp(graph, { n: 0 }));
  expect(y?.dims).toEqual([2, 3, 0]);
});

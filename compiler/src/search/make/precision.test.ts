import { expect, it } from "vitest";
import type { Step } from "../../pipeline/step.js";
import { precisionOf } from "./precision.js";

const precision = (...steps: readonly Step[]) => precisionOf([{ steps, required: false }]);

it("names a candidate by the coarsest arithmetic of its steps, whatever their order", () => {
  const weights = { use: "quantize-weights", with: { bits: 4 } };
  expect(precision(weights)).toBe("int4-weights");
  expect(precision({ use: "quantize-weights" })).toBe("int8-weights");
  expect(precision(weights, { use: "quantize-static" })).toBe("int8");
  expect(precision({ use: "quantize-dynamic" }, weights)).toBe("int8-dynamic");
  expect(precision({ use: "fp16-weights" }, { use: "fp16" })).toBe("float16");
});

it("leaves it float where no step changes what is computed in or stored", () => {
  expect(precision({ use: "simplify" }, { use: "equalize" })).toBe("float32");
  expect(precision({ use: "equalize" }, { use: "fp16-weights" })).toBe("float16-weights");
});

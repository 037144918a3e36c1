import type { Cells } from "../schema/schemas.js";

/**
 * `of-integers`: computed on integers as well as on floats, where all that it reads is rounded: a sum, a product, a mean, a
 * joint. `by-engine`: the same, by onnxruntime alone; in a module a table says what a function of a byte is.
 * `before-rounding`: computed on what sums of products come to, before that is rounded. What onnxruntime computes on integers is
 * said in onnxruntime/core/optimizer/qdq_transformer/selectors_actions/qdq_selector_action_transformer.cc; Softmax is left
 * out, whose kernel on integers is slower than that on floats.
 */
export type OnIntegers = "of-integers" | "by-engine" | "before-rounding";

export const onIntegers: Cells<OnIntegers> = {
  Add: "of-integers",
  Mul: "of-integers",
  Concat: "of-integers",
  AveragePool: "of-integers",
  GlobalAveragePool: "of-integers",
  LeakyRelu: "by-engine",
  Sigmoid: "by-engine",
  HardSwish: "before-rounding",
};

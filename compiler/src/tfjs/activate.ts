import type { ValueId } from "../ir/index.js";
import type { OnnxWriter } from "./onnx-writer.js";

/** How an activation is said; also of those that are part of a convolution or product. */
export function activate(at: OnnxWriter, name: string, value: ValueId): ValueId {
  switch (name) {
    case "Relu":
    case "Elu":
    case "Selu":
    case "Sigmoid":
    case "Tanh":
      return at.add(name, [value]);
    case "Relu6":
      return at.add("Clip", [value, at.numberLike(value, 0), at.numberLike(value, 6)]);
    default:
      return at.refuse(`the activation ${JSON.stringify(name)} is not known`);
  }
}

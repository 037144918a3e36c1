import { attribute, type ValueId } from "../../ir/index.js";
import { activate } from "../activate.js";
import type { Translation } from "../translation.js";

/** What a node does after its product, as tensorflow/core/kernels/fused_eigen_output_kernels.h lists it. */
export interface Fused {
  readonly bias: ValueId | undefined;
  readonly after: (value: ValueId) => ValueId;
}

/** @param first the first input that belongs to what is fused */
export function fusedOf(at: Translation, first: number): Fused {
  const names = at.attributes.texts("fused_ops") ?? [];
  const hasBias = names[0] === "BiasAdd";
  const after = (value: ValueId, name: string): ValueId => {
    switch (name) {
      case "Prelu":
        return at.add("PRelu", [value, at.input(hasBias ? first + 1 : first)]);
      case "LeakyRelu": {
        const alpha = at.attributes.number("leakyrelu_alpha", 0.2);
        return at.add("LeakyRelu", [value], { alpha: attribute.float(alpha) });
      }
      default:
        return activate(at, name, value);
    }
  };
  return {
    bias: hasBias ? at.input(first) : undefined,
    after: (value) => (hasBias ? names.slice(1) : names).reduce(after, value),
  };
}

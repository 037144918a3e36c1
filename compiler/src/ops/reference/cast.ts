import { type Dtype, PareError } from "@pare/runtime/format";
import { type Dim, dtypeOfCode, isStatic } from "../../ir/index.js";
import { convert } from "../elements/convert.js";
import { tensorOf } from "../shape/inferred.js";
import type { InferContext, OperatorRow } from "../shape/rule.js";
import { parameters } from "../schema/operator.js";

/** `saturate` concerns 8-bit floats alone. */
function castRow(name: "Cast" | "CastLike"): OperatorRow {
  const target = (
    context: Pick<InferContext, "attributes">,
    like: Dtype | undefined,
  ): Dtype | undefined => (name === "Cast" ? dtypeOfCode(context.attributes.int("to")) : like);
  return {
    name,
    domain: "",
    inputs: name === "Cast" ? parameters("input") : parameters("input", "target_type"),
    outputs: parameters("output"),
    attributes: name === "Cast" ? ["saturate", "to"] : ["saturate"],
    infer(context) {
      const to = target(context, context.dtype(1));
      return tensorOf(to, context.shape(0), castElements(context.elements(0), to));
    },
    evaluate(context) {
      const to = target(context, context.inputs[1]?.type);
      if (to === undefined)
        throw new PareError("UNSUPPORTED_OP", "The type to cast to is not known.");
      return [convert(context.input(0), to, context.attributes.int("saturate", 1) !== 0)];
    },
  };
}

/** The integers that survive a cast: those that the dtype holds exactly. */
function castElements(
  elements: readonly Dim[] | undefined,
  to: Dtype | undefined,
): readonly Dim[] | undefined {
  if (elements === undefined) return undefined;
  switch (to) {
    case "int64":
    case "int32":
    case "float64":
      return elements;
    case "float32":
      return elements.every((value) => typeof value !== "number" || Math.abs(value) <= 2 ** 24)
        ? elements
        : undefined;
    case "bool":
      return isStatic(elements) ? elements.map((value) => (value === 0 ? 0 : 1)) : undefined;
    default:
      return undefined;
  }
}

export const castRows: readonly OperatorRow[] = [castRow("Cast"), castRow("CastLike")];

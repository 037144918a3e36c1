import { type Dtype, PareError, type Tensor as Dense } from "@pare/runtime/format";
import { dtypeOfCode } from "../../ir/index.js";
import { convert } from "../elements/convert.js";
import type { castSchemas } from "../schema/cast.js";
import type { Some } from "../schema/cells.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";

function cast({ input, attributes }: EvaluateContext, to: Dtype | undefined): readonly Dense[] {
  if (to === undefined) throw new PareError("UNSUPPORTED_OP", "The type to cast to is not known.");
  // `saturate` concerns 8-bit floats alone.
  return [convert(input(0), to, attributes.int("saturate", 1) !== 0)];
}

export const castReferences: Some<typeof castSchemas, Evaluation> = {
  Cast: (context) => cast(context, dtypeOfCode(context.attributes.int("to"))),
  CastLike: (context) => cast(context, context.inputs[1]?.type),
};

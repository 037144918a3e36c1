import { type Dim, type Inferred, tensorType } from "../../ir/index.js";
import { directionsOf } from "../families/recurrent.js";
import type { Every } from "../schema/cells.js";
import type { recurrentSchemas } from "../schema/recurrent.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** Layout 1 puts the batch first. */
function infer(context: InferContext, withCell: boolean): readonly Inferred[] {
  const { attributes } = context;
  const dtype = context.dtype(0);
  const batchFirst = attributes.int("layout", 0) === 1;
  const [first, second] = context.shape(0) ?? [];
  const hidden: Dim | undefined = attributes.int("hidden_size") ?? context.shape(2)?.[2];
  const [sequence, batch] = batchFirst ? [second, first] : [first, second];
  const directions = directionsOf(attributes);
  const known = sequence !== undefined && batch !== undefined && hidden !== undefined;
  const y = !known
    ? undefined
    : batchFirst
      ? [batch, sequence, directions, hidden]
      : [sequence, directions, batch, hidden];
  const state = !known
    ? undefined
    : batchFirst
      ? [batch, directions, hidden]
      : [directions, batch, hidden];
  const last = { type: tensorType(dtype, state) };
  return [{ type: tensorType(dtype, y) }, last, ...(withCell ? [last] : [])];
}

export const recurrentShapes: Every<typeof recurrentSchemas, ShapeRule> = {
  LSTM: (context) => infer(context, true),
  GRU: (context) => infer(context, false),
  RNN: (context) => infer(context, false),
};

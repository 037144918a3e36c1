import { elementCount, PareError } from "@pare/runtime/format";
import { integers } from "../elements/arrays.js";
import { reshaped, take } from "../elements/take.js";
import { broadcastDims } from "../families/broadcast.js";
import { broadcastIndices } from "../families/indexing.js";
import { flattened, reshapedShape, squeezed, unsqueezed } from "../families/reshape.js";
import type { Some } from "../schema/cells.js";
import type { reshapeSchemas } from "../schema/reshape.js";
import { type Evaluation, givenNumbers } from "./evaluation.js";

export const reshapeReferences: Some<typeof reshapeSchemas, Evaluation> = {
  Identity: ({ input }) => [input(0)],
  Shape({ input, attributes }) {
    const { dims } = input(0);
    const kept = dims.slice(attributes.int("start", 0), attributes.int("end", dims.length));
    return [{ type: "int64", dims: [kept.length], data: BigInt64Array.from(kept, BigInt) }];
  },
  Size: ({ input }) => [
    { type: "int64", dims: [], data: BigInt64Array.of(BigInt(elementCount(input(0).dims))) },
  ],
  Reshape(context) {
    const from = context.input(0);
    const target = givenNumbers(context, 1, "shape") ?? [];
    const dims = reshapedShape(from.dims, target, context.attributes.int("allowzero", 0) !== 0);
    return [reshaped(from, dims.map(Number))];
  },
  Squeeze(context) {
    const from = context.input(0);
    const axes = givenNumbers(context, 1, "axes");
    if (axes?.length === 0)
      throw new PareError("UNSUPPORTED_OP", "Engines differ in what Squeeze without an axis does.");
    return [reshaped(from, squeezed(from.dims, axes))];
  },
  Unsqueeze(context) {
    const from = context.input(0);
    const axes = givenNumbers(context, 1, "axes") ?? [];
    return [reshaped(from, unsqueezed(from.dims, axes))];
  },
  Flatten({ input, attributes }) {
    return [reshaped(input(0), flattened(input(0).dims, attributes.int("axis", 1)).map(Number))];
  },
  Expand({ input }) {
    const dims = broadcastDims(input(0).dims, integers(input(1)));
    return [take(input(0), broadcastIndices(input(0).dims, dims), dims)];
  },
};

import { elementCount, PareError } from "@pare/runtime/format";
import { join, take } from "../elements/take.js";
import { evenParts, section } from "../families/concat-split.js";
import { normalAxis } from "../families/indexing.js";
import type { Some } from "../schema/cells.js";
import type { concatSplitSchemas } from "../schema/concat-split.js";
import { type Evaluation, givenNumbers } from "./evaluation.js";

export const concatSplitReferences: Some<typeof concatSplitSchemas, Evaluation> = {
  Concat({ inputs, attributes }) {
    const tensors = inputs.filter((input) => input !== null);
    const [first] = tensors;
    if (first === undefined) throw new PareError("MODEL_SHAPE", "Concat needs an input.");
    const axis = normalAxis(attributes.int("axis", 0), first.dims.length);
    const inner = elementCount(first.dims.slice(axis + 1));
    const outer = elementCount(first.dims.slice(0, axis));
    const starts: number[] = [];
    let total = 0;
    for (const tensor of tensors) {
      starts.push(total);
      total += elementCount(tensor.dims);
    }
    const indices = new Int32Array(total);
    let at = 0;
    for (let i = 0; i < outer; i += 1) {
      tensors.forEach((tensor, which) => {
        const length = (tensor.dims[axis] ?? 1) * inner;
        const start = (starts[which] ?? 0) + i * length;
        for (let j = 0; j < length; j += 1, at += 1) indices[at] = start + j;
      });
    }
    const size = tensors.reduce((sum, tensor) => sum + (tensor.dims[axis] ?? 1), 0);
    const dims = first.dims.map((extent, which) => (which === axis ? size : extent));
    return [take(join(tensors), indices, dims)];
  },
  Split(context) {
    const { attributes, outputs } = context;
    const from = context.input(0);
    const axis = normalAxis(attributes.int("axis", 0), from.dims.length);
    const sizes =
      givenNumbers(context, 1, "split") ??
      evenParts(from.dims[axis] ?? 1, outputs, attributes.int("num_outputs", outputs)).map(Number);
    let start = 0;
    return sizes.map((size) => {
      const moved = section(from.dims, axis, start, size);
      start += size;
      return take(from, moved.indices, moved.dims);
    });
  },
};

import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { layerNorm } from "./normalizations.js";
import { lengthOf } from "./places.js";

const int64 = attribute.int(codeOfDtype("int64"));
const int32 = attribute.int(codeOfDtype("int32"));

function embedLayerNorm(step: Step): void {
  embedded(step, (x) => x, step.input(8));
}

/**
 * The sum of what tables hold for tokens, places and segments, normalized; how many tokens of each sample count.
 * @param decoded what a table or a part of it, input `index` of the node, holds in floats
 * @param given places that are not those from 0 on
 */
export function embedded(
  step: Step,
  decoded: (x: ValueId, index: number) => ValueId,
  given: ValueId | undefined,
): void {
  const [tokens, segments] = [operand(step, 0), step.input(1)];
  const rows = (index: number, indices: ValueId): ValueId =>
    decoded(step.add("Gather", [operand(step, index), indices], { axis: attribute.int(0) }), index);
  const first = (): ValueId => {
    const length = lengthOf(step, { of: tokens, axis: 1, size: step.shape(0)?.[1] });
    const from = step.int64("first", [0]);
    const axes = step.int64("axes", [0]);
    return decoded(step.add("Slice", [operand(step, 3), from, length, axes]), 3);
  };
  const placed = given === undefined ? first() : rows(3, given);
  const words = step.add("Add", [rows(2, tokens), placed]);
  const sum = segments === undefined ? words : step.add("Add", [words, rows(4, segments)]);
  const [scale, shift] = [decoded(operand(step, 5), 5), decoded(operand(step, 6), 6)];
  const mask = step.input(7);
  const count = mask === undefined ? null : counted(step, mask);
  step.replaceBy(layerNorm(step, sum, scale, shift), count, sum);
}

/** How many ones are in each row. */
function counted(step: Step, mask: ValueId): ValueId {
  const one = step.int64("one", [1], []);
  const isOne = step.add("Equal", [step.add("Cast", [mask], { to: int64 }), one]);
  return step.add(
    "ReduceSum",
    [step.add("Cast", [isOne], { to: int32 }), step.int64("axes", [1])],
    { keepdims: attribute.int(0) },
  );
}

export const embeddingWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::EmbedLayerNormalization": embedLayerNorm,
};

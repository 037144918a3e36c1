import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { layerNorm } from "./normalizations.js";
import { lengthOf } from "./places.js";

const int64 = attribute.int(codeOfDtype("int64"));
const int32 = attribute.int(codeOfDtype("int32"));

/** The sum of what tables hold for tokens, places and segments, normalized; how many tokens of each sample count. */
function embedLayerNorm(step: Step): void {
  const [tokens, places, segments] = [operand(step, 0), operand(step, 3), step.input(1)];
  const row = (table: ValueId, indices: ValueId): ValueId =>
    step.add("Gather", [table, indices], { axis: attribute.int(0) });
  const first = step.int64("first", [0]);
  const given = step.input(8);
  const placed =
    given === undefined
      ? step.add("Slice", [
          places,
          first,
          lengthOf(step, { of: tokens, axis: 1, size: step.shape(0)?.[1] }),
          step.int64("axes", [0]),
        ])
      : row(places, given);
  const words = step.add("Add", [row(operand(step, 2), tokens), placed]);
  const sum =
    segments === undefined ? words : step.add("Add", [words, row(operand(step, 4), segments)]);
  const normalized = layerNorm(step, sum, operand(step, 5), operand(step, 6));
  const mask = step.input(7);
  step.replaceBy(normalized, mask === undefined ? null : counted(step, mask), sum);
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

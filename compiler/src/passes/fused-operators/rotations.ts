import { type Attribute, attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { rotaryEmbedding } from "../opset/rotary-embedding.js";
import { placesOf } from "./places.js";

const int32 = attribute.int(codeOfDtype("int32"));

/** As ONNX's own, its places before its tables; a single place is that of the first number of each sample. */
function rotated(step: Step): void {
  if (step.attributes.float("scale", 1) !== 1) step.refuse("it scales its angles");
  if (step.attributes.int("is_packed_batching", 0) !== 0) step.refuse("its samples are packed");
  const places = step.rank(1) === 1 ? following(step) : operand(step, 1);
  const order = [0, 2, 3];
  const at = (index: number): number => order[index] ?? index;
  rotaryEmbedding({
    ...step,
    attributes: attributeReader(withHeads(step)),
    input: (index) => (index === 3 ? places : step.input(at(index))),
    rank: (index) => step.rank(at(index)),
    shape: (index) => step.shape(at(index)),
    dtype: (index) => step.dtype(at(index)),
  });
}

function following(step: Step): ValueId {
  const from = step.add("Cast", [operand(step, 1)], { to: int32 });
  const axis = step.rank(0) === 4 ? 2 : 1;
  const own = placesOf(step, { of: operand(step, 0), axis, size: step.shape(0)?.[axis] });
  const places = step.add("Add", [own, from]);
  return step.add("Unsqueeze", [places, step.int64("axes", [0])]);
}

/** Where a node does not say how many heads it has, its tables say how wide they are. */
function withHeads(step: Step): ReadonlyMap<string, Attribute> {
  const { attributes } = step.node;
  const [width, half] = [step.shape(0)?.[2], step.shape(2)?.[1]];
  if (step.rank(0) !== 3 || step.attributes.int("num_heads", 0) !== 0) return attributes;
  if (typeof width !== "number" || typeof half !== "number") return attributes;
  return new Map([...attributes, ["num_heads", attribute.int(Math.floor(width / (2 * half)))]]);
}

export const rotationWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::RotaryEmbedding": rotated,
};

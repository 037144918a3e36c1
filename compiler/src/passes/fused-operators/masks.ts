import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { leastOf } from "../opset/least.js";
import { type Axis, lengthOf, placesOf } from "./places.js";

const bool = attribute.int(codeOfDtype("bool"));
const int32 = attribute.int(codeOfDtype("int32"));

/**
 * What is added to the scores [batch, heads, queries, keys], so that nothing looks at what is padding and, where the node
 * is unidirectional, no query at keys behind it; undefined where all may be seen.
 * @param index of the input that tells what is padding: 1 for each key that is none, [batch, keys] or
 * [batch, queries, keys]; or with how many keys each sample ends, [batch], and with how many that are padding it begins,
 * [2 · batch]
 */
export function maskOf(step: Step, index: number, queries: Axis, keys: Axis): ValueId | undefined {
  const zero = step.float("zero", [0], []);
  const filter = step.attributes.float("mask_filter_value", -10_000);
  const padding =
    step.input(index) === undefined
      ? undefined
      : step.add("Where", [seenOf(step, index, keys), zero, step.float("filter", [filter], [])]);
  if (step.attributes.int("unidirectional", 0) === 0) return padding;
  const least = step.float("least", [leastOf(step.dtype(0))], []);
  return step.add("Where", [isBefore(step, queries, keys), padding ?? zero, least]);
}

function seenOf(step: Step, index: number, keys: Axis): ValueId {
  const [mask, shape] = [operand(step, index), step.shape(index)];
  const unsqueezed = (x: ValueId, ...axes: readonly number[]): ValueId =>
    step.add("Unsqueeze", [x, step.int64("axes", axes)]);
  const rank = shape?.length;
  if (rank === 2 || rank === 3)
    return unsqueezed(step.add("Cast", [mask], { to: bool }), ...(rank === 2 ? [1, 2] : [1]));
  if (rank !== 1) return step.refuse("its mask is of a kind that has no words in ONNX");
  const [batch, count] = [step.shape(0)?.[0], shape?.[0]];
  const places = placesOf(step, keys);
  const endsBehind = (ends: ValueId): ValueId =>
    step.add("Less", [places, unsqueezed(step.add("Cast", [ends], { to: int32 }), 1)]);
  if (count !== undefined && count === batch) return unsqueezed(endsBehind(mask), 1, 2);
  if (typeof batch !== "number" || count !== 2 * batch)
    return step.refuse("whether its mask tells where samples begin is not known");
  const [ends = mask, begins = mask] = step.split(mask, [batch, batch], 0);
  const isSeen = step.add("And", [endsBehind(ends), step.add("Not", [endsBehind(begins)])]);
  return unsqueezed(isSeen, 1, 2);
}

/** Whether a key is the query's own or before it. Queries are the last of the keys. */
function isBefore(step: Step, queries: Axis, keys: Axis): ValueId {
  const rows = step.add("Unsqueeze", [placesOf(step, queries), step.int64("axes", [1])]);
  const earlier = step.add("Sub", [lengthOf(step, keys), lengthOf(step, queries)]);
  const last = step.add("Add", [rows, step.add("Cast", [earlier], { to: int32 })]);
  return step.add("LessOrEqual", [placesOf(step, keys), last]);
}

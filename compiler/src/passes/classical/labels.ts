import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";

/** Keys that lie further apart would make a large table of few values. */
const mostSpan = 2 ** 16;
/** Beyond, the place before a key is no exact number. */
const mostKey = 2 ** 52;

/** Integers become numbers by a table of all between the least key and the largest; what is no key, the default. */
function encode(step: Step): void {
  const keys = step.attributes.ints("keys_int64s");
  if (keys === undefined || keys.length === 0 || step.dtype(0) !== "int64")
    return step.refuse("only integers are looked up");
  const [least, largest] = [keys.reduce((x, y) => Math.min(x, y)), keys.reduce((x, y) => Math.max(x, y))]; // prettier-ignore
  if (least < -mostKey || largest > mostKey || largest - least > mostSpan)
    return step.refuse("its keys lie too far apart");
  // A place before and one behind stand for all that is outside.
  const first = least - 1;
  const bounds = [first, largest + 1].map((bound) => step.int64("bound", [bound], []));
  const inside = step.add("Clip", [operand(step, 0), ...bounds]);
  const place = step.add("Sub", [inside, step.int64("first", [first], [])]);
  const table = tableOf(step, keys, first, largest - least + 3);
  step.replaceBy(step.add("Gather", [table, place], { axis: attribute.int(0) }));
}

/** Of equal keys the first counts, as in onnxruntime's label_encoder.h. */
function tableOf(step: Step, keys: readonly number[], first: number, length: number): ValueId {
  const { attributes } = step;
  const integers = attributes.ints("values_int64s");
  const values = integers ?? attributes.floats("values_floats");
  if (values?.length !== keys.length) return step.refuse("its values are no numbers, or not as many as its keys"); // prettier-ignore
  const other = integers ? attributes.int("default_int64", -1) : attributes.float("default_float", -0); // prettier-ignore
  const table = Array.from({ length }, () => other);
  for (const [at, key] of [...keys.entries()].reverse()) table[key - first] = values[at] ?? other;
  const tensor = integers
    ? Tensor.int64(table, [length])
    : Tensor.of("float32", [length], Float32Array.from(table));
  return step.editor.constant("table", tensor, step.graph.body(step.node.body));
}

export const labelWords: Readonly<Record<string, (step: Step) => void>> = {
  "ai.onnx.ml::LabelEncoder": encode,
};

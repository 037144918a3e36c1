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
  const { attributes, editor, graph, node } = step;
  const integers = attributes.get("values_int64s");
  const floats = attributes.floats("values_floats") ?? [];
  const values = integers?.type === "ints" ? integers.value : floats;
  if (values.length !== keys.length) return step.refuse("its values are no numbers, or not as many as its keys"); // prettier-ignore
  const places = Array.from({ length }, () => -1);
  for (const [at, key] of [...keys.entries()].reverse()) places[key - first] = at;
  const [whole, other] = [attributes.get("default_int64"), attributes.float("default_float", -0)];
  const otherWhole = whole?.type === "int" ? whole.value : -1n;
  const tensor =
    integers?.type === "ints"
      ? Tensor.of("int64", [length], BigInt64Array.from(places, (at) => integers.value[at] ?? otherWhole)) // prettier-ignore
      : Tensor.of(
          "float32",
          [length],
          Float32Array.from(places, (at) => floats[at] ?? other),
        );
  return editor.constant("table", tensor, graph.body(node.body));
}

export const labelWords: Readonly<Record<string, (step: Step) => void>> = {
  "ai.onnx.ml::LabelEncoder": encode,
};

import { PareError, type Tensor as Dense } from "@pare/runtime/format";
import { unpack } from "../elements/arrays.js";
import type { AttributeReader } from "../schema/attributes.js";
import type { Some } from "../schema/cells.js";
import type { classicalSchemas } from "../schema/classical.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";

/**
 * Numbers become other numbers by a table of keys and values, as onnxruntime's label_encoder.h has it: of equal keys the
 * first counts, and what is none becomes the default. Whether NaN finds itself differs by version.
 */
function labels({ attributes, input }: EvaluateContext): Dense {
  const { dims } = input(0);
  const keys = numbersOf(attributes, "keys");
  const values = numbersOf(attributes, "values");
  if (keys.some(Number.isNaN))
    throw new PareError("UNSUPPORTED_OP", "A table with NaN as a key is not known.");
  const table = new Map<number | bigint, number | bigint>();
  for (const [at, key] of keys.entries()) {
    const value = values[at];
    if (value !== undefined && !table.has(key)) table.set(key, value);
  }
  const elements = unpack(input(0));
  if (attributes.has("values_int64s")) {
    const given = attributes.get("default_int64");
    const other = given?.type === "int" ? given.value : -1n;
    const data = BigInt64Array.from({ length: elements.length }, (_, at) =>
      BigInt(table.get(elements[at] ?? 0) ?? other),
    );
    return { type: "int64", dims, data };
  }
  const other = attributes.float("default_float", -0);
  const data = Float32Array.from({ length: elements.length }, (_, at) =>
    Number(table.get(elements[at] ?? 0) ?? other),
  );
  return { type: "float32", dims, data };
}

/** `keys_int64s`, `values_floats` and their like; text and tensors are left to the engine. */
function numbersOf(
  attributes: AttributeReader,
  what: "keys" | "values",
): readonly (number | bigint)[] {
  for (const ending of ["int64s", "floats"]) {
    const list = attributes.get(`${what}_${ending}`);
    if (list?.type === "ints" || list?.type === "floats") return list.value;
  }
  throw new PareError("UNSUPPORTED_OP", `A table without numbers as its ${what} is not known.`);
}

export const classicalReferences: Some<typeof classicalSchemas, Evaluation> = {
  "ai.onnx.ml::LabelEncoder": (context) => [labels(context)],
};

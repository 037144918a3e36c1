import { PareError, type Tensor as Dense } from "@pare/runtime/format";
import { Tensor } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

/** A resident tensor as evaluation takes it. @throws PareError UNSUPPORTED_OP when it is not resident */
export function resident(tensor: Tensor): Dense {
  if (tensor.data === undefined)
    throw new PareError("UNSUPPORTED_OP", "The tensor is not in memory.");
  return { type: tensor.dtype, dims: tensor.dims, data: tensor.data };
}

const values = [
  "value",
  "value_float",
  "value_floats",
  "value_int",
  "value_ints",
  "value_string",
  "value_strings",
];

/**
 * What a Constant node holds, in whichever attribute; undefined for a sparse one, for text that is no text, and for several:
 * the engine takes the one that the file has first.
 */
export function constantOf(attributes: AttributeReader): Tensor | undefined {
  const [found, ...others] = values.flatMap((name) => attributes.get(name) ?? []);
  if (others.length > 0) return undefined;
  switch (found?.type) {
    case "tensor":
      return found.value;
    case "float":
      return Tensor.float32([], [found.value]);
    case "floats":
      return Tensor.float32([found.value.length], found.value);
    case "int":
      return Tensor.of("int64", [], BigInt64Array.of(found.value));
    case "ints":
      return Tensor.of("int64", [found.value.length], BigInt64Array.from(found.value));
    case "string":
      return ofTexts([], [found.value]);
    case "strings":
      return ofTexts([found.value.length], found.value);
    default:
      return undefined;
  }
}

/** Undefined where bytes are among them that are no UTF-8. */
function ofTexts(
  dims: readonly number[],
  values: readonly (string | Uint8Array)[],
): Tensor | undefined {
  return values.every((value) => typeof value === "string")
    ? Tensor.of("string", dims, values)
    : undefined;
}

/** float32 zero where the attribute is left out. */
export function filling(attributes: AttributeReader): Dense {
  const value = attributes.get("value");
  return value?.type === "tensor"
    ? resident(value.value)
    : { type: "float32", dims: [1], data: Float32Array.of(0) };
}

import { PareError, type Tensor as Dense } from "@pare/runtime/format";
import type { Tensor } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

/** A resident tensor as evaluation takes it. @throws PareError UNSUPPORTED_OP when it is not resident */
function resident(tensor: Tensor): Dense {
  if (tensor.data === undefined)
    throw new PareError("UNSUPPORTED_OP", "The tensor is not in memory.");
  return { type: tensor.dtype, dims: tensor.dims, data: tensor.data };
}

/** What a Constant node holds, in whichever attribute; undefined for a sparse one. */
export function constantOf(attributes: AttributeReader): Dense | undefined {
  for (const name of [
    "value",
    "value_float",
    "value_floats",
    "value_int",
    "value_ints",
    "value_string",
    "value_strings",
  ]) {
    const found = attributes.get(name);
    switch (found?.type) {
      case "tensor":
        return resident(found.value);
      case "float":
        return { type: "float32", dims: [], data: Float32Array.of(found.value) };
      case "floats":
        return {
          type: "float32",
          dims: [found.value.length],
          data: Float32Array.from(found.value),
        };
      case "int":
        return { type: "int64", dims: [], data: BigInt64Array.of(found.value) };
      case "ints":
        return { type: "int64", dims: [found.value.length], data: BigInt64Array.from(found.value) };
      case "string":
        return { type: "string", dims: [], data: [textOf(found.value)] };
      case "strings":
        return { type: "string", dims: [found.value.length], data: found.value.map(textOf) };
      default:
    }
  }
  return undefined;
}

const textOf = (text: string | Uint8Array): string =>
  typeof text === "string" ? text : String.fromCharCode(...text);

/** float32 zero where the attribute is left out. */
export function filling(attributes: AttributeReader): Dense {
  const value = attributes.get("value");
  return value?.type === "tensor"
    ? resident(value.value)
    : { type: "float32", dims: [1], data: Float32Array.of(0) };
}

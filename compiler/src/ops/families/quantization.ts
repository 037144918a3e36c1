import type { Dtype } from "@pare/runtime/format";
import { dtypeOfCode } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

export function quantizedDtype(attributes: AttributeReader, zeroPoint: Dtype | undefined): Dtype {
  return zeroPoint ?? dtypeOfCode(attributes.int("output_dtype")) ?? "uint8";
}

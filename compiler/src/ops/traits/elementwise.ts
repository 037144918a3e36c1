import { binarySchemas } from "../schema/binary.js";
import { castSchemas } from "../schema/cast.js";
import { logicalSchemas } from "../schema/logical.js";
import { byKey } from "../schema/schemas.js";
import { unarySchemas } from "../schema/unary.js";
import { variadicSchemas } from "../schema/variadic.js";

/** Each element of the result is computed from those in its own place, of inputs that broadcast to one shape. */
export const elementwise = byKey(
  Object.fromEntries(
    Object.keys({
      ...unarySchemas,
      ...binarySchemas,
      ...logicalSchemas,
      ...variadicSchemas,
      ...castSchemas,
      "ai.onnx.ml::LabelEncoder": true,
    }).map((key) => [key, true as const]),
  ),
);

import { PareError } from "@pare/runtime/format";
import { NodeAttributes } from "./attributes.js";
import type { GraphModel, NamedTensor } from "./graph-model.js";
import type { DeclaredInput } from "./input-types.js";
import { dtypeOf, sizesOf } from "./protobuf-json.js";

/**
 * What placeholders say of the inputs that they are, and where one is silent, the signature. @throws PareError MODEL_INVALID
 * where an input is none
 */
export function placeholders(
  inputs: readonly NamedTensor[],
  nodes: GraphModel["nodes"],
): readonly DeclaredInput[] {
  return inputs.map(({ name, tensor, info }) => {
    const node = nodes.get(tensor.node);
    if (node?.op !== "Placeholder")
      throw new PareError(
        "MODEL_INVALID",
        `The input ${JSON.stringify(tensor.node)} is no placeholder.`,
        { where: tensor.node },
      );
    const attributes = new NodeAttributes(node);
    const fail = (): never => {
      throw new PareError(
        "MODEL_INVALID",
        `What the signature says of ${JSON.stringify(name)} is no shape.`,
        { where: name },
      );
    };
    return {
      name,
      dtype: attributes.dtype("dtype") ?? dtypeOf(info["dtype"]),
      shape: attributes.shape("shape") ?? sizesOf(info["tensorShape"], fail),
    };
  });
}

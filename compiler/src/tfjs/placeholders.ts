import { PareError } from "@pare/runtime/format";
import { NodeAttributes } from "./attributes.js";
import type { GraphModel, NamedTensor } from "./graph-model.js";
import type { DeclaredInput } from "./input-types.js";

/** What placeholders say of the inputs that they are. @throws PareError MODEL_INVALID where an input is none */
export function placeholders(
  inputs: readonly NamedTensor[],
  nodes: GraphModel["nodes"],
): readonly DeclaredInput[] {
  return inputs.map(({ name, tensor }) => {
    const node = nodes.get(tensor.node);
    if (node?.op !== "Placeholder")
      throw new PareError(
        "MODEL_INVALID",
        `The input ${JSON.stringify(tensor.node)} is no placeholder.`,
        { where: tensor.node },
      );
    const attributes = new NodeAttributes(node);
    return { name, dtype: attributes.dtype("dtype"), shape: attributes.shape("shape") };
  });
}

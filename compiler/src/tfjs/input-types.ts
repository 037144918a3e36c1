import { PareError } from "@pare/runtime/format";
import { type Dim, dim, tensorType, type TensorType } from "../ir/index.js";
import { NodeAttributes } from "./attributes.js";
import type { GraphModel, NamedTensor } from "./graph-model.js";

const axisNames: Readonly<Record<number, readonly string[]>> = {
  4: ["batch", "height", "width", "channels"],
  3: ["batch", "length", "features"],
};

/**
 * Types of inputs as their placeholders say. Samples of all inputs come in one batch; other free sizes are called by what
 * they mean, of several inputs that have some by the input's name besides.
 */
export function inputTypes(
  inputs: readonly NamedTensor[],
  nodes: GraphModel["nodes"],
): readonly TensorType[] {
  const shapes = inputs.map(({ tensor }) => {
    const node = nodes.get(tensor.node);
    if (node?.op !== "Placeholder")
      throw new PareError(
        "MODEL_INVALID",
        `The input ${JSON.stringify(tensor.node)} is no placeholder.`,
        {
          where: tensor.node,
        },
      );
    const attributes = new NodeAttributes(node);
    return { dtype: attributes.dtype("dtype"), shape: attributes.shape("shape") };
  });
  const isAlone = shapes.filter(({ shape }) => shape?.some(isFree)).length < 2;
  return shapes.map(({ dtype, shape }, at) => {
    const own = isAlone ? "" : `${inputs[at]?.name ?? at}_`;
    const dims = shape?.map((size, axis): Dim => {
      if (size !== -1) return size;
      const name = axisNames[shape.length]?.[axis] ?? `d${axis}`;
      return dim.symbol(axis === 0 ? "batch" : `${own}${name}`);
    });
    return tensorType(dtype, dims);
  });
}

function isFree(size: number, axis: number): boolean {
  return size === -1 && axis > 0;
}

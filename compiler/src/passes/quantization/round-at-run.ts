import { PareError } from "@pare/runtime/format";
import type { Editor, Graph, ValueId } from "../../ir/index.js";

export interface RoundedAtRun {
  readonly quantized: ValueId;
  readonly scale: ValueId;
  readonly zeroPoint: ValueId;
}

/** An activation in uint8 by the range that it turns out to have, at every run. */
export function roundAtRun(
  graph: Graph,
  editor: Editor,
  value: ValueId,
  nodeName?: string,
): RoundedAtRun {
  const { name } = graph.value(value);
  const [quantized, scale, zeroPoint] = editor.add(
    "DynamicQuantizeLinear",
    [value],
    {},
    {
      ...(nodeName === undefined ? {} : { name: nodeName }),
      outputs: [`${name}_quantized`, `${name}_scale`, `${name}_zero_point`],
    },
  );
  if (quantized === undefined || scale === undefined || zeroPoint === undefined)
    throw new PareError("INTERNAL", "DynamicQuantizeLinear was added without its three outputs.");
  return { quantized, scale, zeroPoint };
}

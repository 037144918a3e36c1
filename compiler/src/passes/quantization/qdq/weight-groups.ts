import type { WeightedNode } from "../../../analysis/weighted-node.js";
import type { ValueId } from "../../../ir/index.js";
import { guardedScales } from "../../../quantize/bias.js";
import { along, type IntegerFormat } from "../../../quantize/format.js";
import { forEachGroup, layoutOf } from "../../../quantize/layout.js";
import { chooseScales, type RangeMethod } from "../../../quantize/range.js";
import type { Scales } from "../../../quantize/scale.js";
import type { ActivationParameters } from "./activation-parameters.js";
import type { StaticPlan } from "./static-plan.js";

export interface WeightFormat {
  /** 8 where not given. */
  readonly bits?: 8 | 4;
  readonly granularity: "channel" | "tensor";
  readonly weightRanges: RangeMethod;
  /** See `IntegerFormat`; it is for 8 bits alone, of which products saturate. */
  readonly reduceRange: boolean;
}

/** Nodes that share a weight along the same axis: it is rounded once for all of them. */
export interface WeightGroup {
  readonly key: string;
  readonly first: WeightedNode;
  readonly nodes: readonly WeightedNode[];
}

export function weightGroups({ weighted }: StaticPlan): readonly WeightGroup[] {
  const groups = new Map<string, WeightedNode[]>();
  for (const one of weighted) {
    const key = `${one.weight} ${one.axis ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups].flatMap(([key, nodes]) => {
    const [first] = nodes;
    return first === undefined ? [] : [{ key, first, nodes }];
  });
}

export function weightFormat(
  { axis }: WeightedNode,
  { bits = 8, granularity, reduceRange }: WeightFormat,
): IntegerFormat {
  return {
    dtype: `int${bits}`,
    symmetric: true,
    granularity: along(granularity === "channel" ? axis : undefined),
    reduceRange: reduceRange && bits === 8,
  };
}

/**
 * Scales of a weight by its own values, widened to suit the bias of each node that reads it.
 * @param learned scales that a training found, in the place of those by the values
 */
export async function weightScales(
  { first, nodes }: WeightGroup,
  values: Float32Array,
  activations: ReadonlyMap<ValueId, ActivationParameters>,
  options: WeightFormat,
  learned?: Float32Array,
): Promise<Scales> {
  const { dims } = first.weightTensor;
  const format = weightFormat(first, options);
  const chosen =
    learned === undefined
      ? chooseScales(values, dims, format, options.weightRanges)
      : { scales: learned, zeroPoints: new Int16Array(learned.length) };
  let scales: Float32Array = Float32Array.from(chosen.scales);
  // What has no range has this scale, and hardly anything else.
  if (scales.includes(1))
    forEachGroup(layoutOf(dims, format.granularity), values, (elements, start, end, group) => {
      if (elements.subarray(start, end).every((value) => value === 0)) scales[group] = 0;
    });
  for (const { activation, bias } of nodes) {
    if (bias === null) continue;
    const inputScale = activations.get(activation)?.scale.scale ?? 1;
    scales = guardedScales(scales, inputScale, await bias.tensor.readFloat32());
  }
  return { ...chosen, scales: scales.map((scale) => scale || 1) };
}

import type { Dim } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { type Demand, differ, isAxis, isOne, isOther, noSuchAxis } from "./demand.js";

/** One scale, one for each place of an axis, or one for each block of it; zero points are as many. */
const steps: Demand = (context) => {
  const [x, scale] = [context.shape(0), context.shape(1)];
  if (x === undefined || scale === undefined) return undefined;
  const isSingle = isOne(context, 1);
  if (isSingle ? !isOne(context, 2) : isOther(context.shape(2), scale))
    return "it has not as many zero points as scales";
  const [axis, block] = [
    context.attributes.int("axis", 1),
    context.attributes.int("block_size", 0),
  ];
  if (isSingle && block === 0) return undefined;
  if (!isAxis(axis, x.length)) return noSuchAxis;
  if (block > 0) {
    const along = normalAxis(axis, x.length);
    const inBlocks = (size: Dim) =>
      typeof size === "number" ? Math.ceil(size / block) : undefined;
    const blocks = x.map((size, at) => (at === along ? inBlocks(size) : size));
    return isOther(scale, blocks) ? "its blocks do not fit its input" : undefined;
  }
  return scale.length === 1 && !differ(scale[0], x.at(axis))
    ? undefined
    : "its scales are neither one nor one for each place of its axis";
};

export const stepDemands = { QuantizeLinear: steps, DequantizeLinear: steps };

import { elementCount } from "@pare/runtime/format";
import { along, type Granularity } from "./format.js";

/** A tensor's elements under other dims, and how they are grouped there. */
export interface BlockView {
  readonly dims: readonly number[];
  readonly granularity: Granularity;
}

/**
 * Lays blocks into weights so that none spans two channels: as a matrix of two dims, along the longer of what lies
 * behind the channel axis and what lies before it. So a convolution's [outputs, inputs, …kernel] has blocks over
 * inputs and kernel together, and a matrix [inputs, outputs] has them down its columns. Where neither is longer than a
 * block a scale per channel is all there is to have; where there is no channel axis, blocks go over all elements in a
 * row.
 * @param axis of channels
 * @param size elements of a block
 */
export function blockView(
  dims: readonly number[],
  axis: number | undefined,
  size: number,
): BlockView {
  const block = (view: readonly number[], at: number): BlockView => ({
    dims: view,
    granularity: { kind: "block", axis: at, size },
  });
  const count = elementCount(dims);
  if (axis === undefined)
    return count > size ? block([count], 0) : { dims, granularity: along(undefined) };
  const before = elementCount(dims.slice(0, axis));
  const behind = elementCount(dims.slice(axis + 1));
  if (Math.max(before, behind) <= size) return { dims, granularity: along(axis) };
  return behind >= before ? block([count / behind, behind], 1) : block([before, count / before], 0);
}

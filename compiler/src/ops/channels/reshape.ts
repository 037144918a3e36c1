import { type Dim, isStatic, product } from "../../ir/index.js";
import type { reshapeSchemas } from "../schema/reshape.js";
import type { Some } from "../schema/cells.js";
import { broadcastCouplings } from "./elementwise.js";
import {
  type ChannelNode,
  type Channels,
  type Coupling,
  coupled,
  each,
  type Fit,
  input,
  type Kept,
  keptSize,
  output,
  type Port,
  tie,
  type Tie,
} from "./coupling.js";
import { sizesFit } from "./spatial.js";

/** Neighbouring axes of either shape that hold the same elements. */
interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Cuts both shapes, from their beginning, into the shortest runs of equal product. */
function leading(from: readonly Dim[], to: readonly Dim[]): readonly (readonly [number, number])[] {
  const ends: (readonly [number, number])[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const next = shortest(from.slice(i), to.slice(j));
    if (next === undefined) return ends;
    [i, j] = [i + next[0], j + next[1]];
    ends.push([i, j]);
  }
}

function shortest(from: readonly Dim[], to: readonly Dim[]): readonly [number, number] | undefined {
  for (let i = 1; i <= from.length; i += 1) {
    const size = product(from.slice(0, i));
    for (let j = 1; j <= to.length; j += 1) if (product(to.slice(0, j)) === size) return [i, j];
  }
  return undefined;
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

function blocksOf(from: readonly Dim[], to: readonly Dim[]): readonly Block[] {
  const found: Block[] = [];
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of leading(from, to)) {
    found.push({ from: range(i, nextI), to: range(j, nextJ) });
    [i, j] = [nextI, nextJ];
  }
  // What is not known to be equal from the beginning may be from the end.
  let [endI, endJ] = [from.length, to.length];
  const back = leading(from.slice(i).reverse(), to.slice(j).reverse());
  const [startI, startJ] = [endI, endJ];
  for (const [nextI, nextJ] of back) {
    found.push({
      from: range(startI - nextI, endI),
      to: range(startJ - nextJ, endJ),
    });
    [endI, endJ] = [startI - nextI, startJ - nextJ];
  }
  return found;
}

/** An axis within its block: how far apart its neighbouring places are. */
interface Side {
  readonly port: Port;
  readonly axis: number;
  readonly size: number;
  readonly stride: number;
}

function sides(port: Port, shape: readonly Dim[], axes: readonly number[]): readonly Side[] {
  let stride = 1;
  return axes
    .map((axis) => ({ axis, size: Number(shape[axis]) }))
    .reverse()
    .map(({ axis, size }) => {
      const side = { port, axis, size, stride };
      stride *= size;
      return side;
    });
}

/**
 * The places of a block are numbers whose digits are the axes', in either shape. Where the digits of both fall together
 * a channel may be one value of that digit. An axis that holds several of them can be cut by one alone, for what is
 * left must still be a whole number of each.
 */
function blockCouplings(
  block: Block,
  from: readonly Dim[],
  to: readonly Dim[],
  choice: number,
): readonly Coupling[] {
  const used = [
    ...block.from.map((axis) => from[axis] ?? 1),
    ...block.to.map((axis) => to[axis] ?? 1),
  ];
  if (!isStatic(used) || used.includes(0)) return [];
  const all = [...sides(input(0), from, block.from), ...sides(output(0), to, block.to)];
  const bounds = [...new Set(all.flatMap(({ size, stride }) => [stride, stride * size]))].sort(
    (a, b) => a - b,
  );
  if (bounds.some((bound, at) => at > 0 && bound % (bounds[at - 1] ?? 1) !== 0)) return [];
  return bounds.slice(1).map((high, at): Coupling => {
    const low = bounds[at] ?? 1;
    const ties: Tie[] = all
      .filter(({ size, stride }) => stride <= low && high <= stride * size)
      .map(({ port, axis, stride, size }) => {
        const [width, count] = [low / stride, high / low];
        return width === 1 && count === size
          ? each(port, axis)
          : tie(port, axis, (place) => Math.floor(place / width) % count);
      });
    return { ...coupled(...ties), choice };
  });
}

/** More axes than any model has: what is compared grows with the square. */
const mostAxes = 16;

/** Of one shape to another with the same elements in the same order. */
const reshape: Channels = {
  couplings(node) {
    const [from, to] = [node.shape(input(0)), node.shape(output(0))];
    if (from === undefined || to === undefined) return [];
    if (Math.max(from.length, to.length) > mostAxes) return [];
    return blocksOf(from, to).flatMap((block, at) => blockCouplings(block, from, to, at));
  },
};

const x = input(0);
const y = output(0);

function targetFit(node: ChannelNode, kept: Kept): readonly Fit[] {
  const target = node.integers(1);
  if (target === undefined) return [];
  // What is expanded may have more axes than its target, which says the last ones.
  const first = Math.max(0, (node.shape(y)?.length ?? 0) - target.length);
  const axes = target.map((_, at) => first + at);
  return sizesFit(
    1,
    target.map((size, at) => copied(node, kept, size, at)),
    node,
    kept,
    axes,
  );
}

/** A size of 0 copies that of the input's axis at its place; where this is cut otherwise, it is said. */
function copied(node: ChannelNode, kept: Kept, size: number, axis: number): number {
  const now = node.shape(y)?.[axis];
  if (size !== 0 || typeof now !== "number") return size;
  return keptSize(node, kept, x, axis) === keptSize(node, kept, y, axis) ? size : now;
}

/** Without axes all of one place go: also one of which a cut leaves one. */
function squeezeFit(node: ChannelNode, kept: Kept): readonly Fit[] {
  const shape = node.shape(x) ?? [];
  if (node.shape(input(1)) !== undefined) return [];
  if (!shape.some((_, axis) => kept.places(x, axis)?.length === 1)) return [];
  const integers = [...shape.keys()].filter((axis) => shape[axis] === 1);
  return [{ input: 1, integers }];
}

export const reshapeChannels: Some<typeof reshapeSchemas, Channels> = {
  Identity: { couplings: (node) => broadcastCouplings(node, [0]) },
  Reshape: {
    // What a computed target says cannot be said otherwise.
    couplings: (node) => (node.integers(1) === undefined ? [] : reshape.couplings(node)),
    fit: targetFit,
  },
  Flatten: reshape,
  Squeeze: { ...reshape, fit: squeezeFit },
  Unsqueeze: reshape,
  Expand: {
    couplings(node) {
      const [from, to] = [node.shape(input(0)), node.shape(output(0))];
      if (node.integers(1) === undefined || from === undefined || to === undefined) return [];
      // An axis that is repeated holds the same element everywhere.
      const added = to.length - from.length;
      return broadcastCouplings(node, [0]).filter(({ ties }) => ties.length > 1 || added < 0);
    },
    fit: targetFit,
  },
};

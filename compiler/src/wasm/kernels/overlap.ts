import { type Address, type Expression, f32, loadFloat, type Local } from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { add, both, choose, divide, less, multiply, subtract } from "../encode/scalar.js";
import { floatBytes, type Memory } from "./kernel.js";

/** How a box lies in memory. */
export interface BoxLayout {
  /** It is [x, y, width, height] about its centre, else [y, x, y, x] of any two opposite corners. */
  readonly centred: boolean;
  /** Bytes from one of its numbers to the next. */
  readonly step: number;
}

/** Along each of two directions where a box begins and ends, and its area. */
interface Edges<T> {
  readonly low: readonly [T, T];
  readonly high: readonly [T, T];
  readonly area: T;
}

type Float = Expression<"f32">;

const smaller = (x: Local<"f32">, y: Local<"f32">): Float => choose(less(y, x), y, x);
const larger = (x: Local<"f32">, y: Local<"f32">): Float => choose(less(x, y), y, x);

/** Locals for a box, and what writes those of the one at an address. */
export function boxIn(
  f: FunctionBuilder,
  { centred, step }: BoxLayout,
): { readonly edges: Edges<Local<"f32">>; readonly read: (at: Address) => void } {
  const pair = () => [f.local("f32"), f.local("f32")] as const;
  const edges = { low: pair(), high: pair(), area: f.local("f32") };
  const [p, q] = pair();
  const read = (at: Address): void => {
    for (const side of [0, 1] as const) {
      const [low, high] = [edges.low[side], edges.high[side]];
      f.set(p, loadFloat(at, side * step));
      f.set(q, loadFloat(at, (side + 2) * step));
      if (centred) f.set(q, multiply(q, f32(0.5)));
      f.set(low, centred ? subtract(p, q) : smaller(p, q));
      f.set(high, centred ? add(p, q) : larger(p, q));
    }
    const [height, width] = [0, 1].map((side) =>
      subtract(edges.high[side === 0 ? 0 : 1], edges.low[side === 0 ? 0 : 1]),
    );
    if (height !== undefined && width !== undefined) f.set(edges.area, multiply(height, width));
  };
  return { edges, read };
}

/**
 * Do two boxes have more in common than a share of what they cover together? A centred one may end before it begins: it has
 * nothing in common with any.
 */
export function overlap(
  f: FunctionBuilder,
  a: Edges<Local<"f32">>,
  b: Edges<Local<"f32">>,
  share: Float,
): Expression<"i32"> {
  const [height, common] = [f.local("f32"), f.local("f32")];
  const along = (side: 0 | 1): Float =>
    subtract(smaller(a.high[side], b.high[side]), larger(a.low[side], b.low[side]));
  f.set(height, along(0));
  f.set(common, multiply(height, along(1)));
  const covered = subtract(add(a.area, b.area), common);
  const isSome = both(less(f32(0), height), less(f32(0), common));
  return both(isSome, less(share, divide(common, covered)));
}

/** The box at an address, as references read it. */
export function boxAt({ floats }: Memory, at: number, { centred, step }: BoxLayout): Edges<number> {
  const along = (side: number): readonly [number, number] => {
    const p = floats[(at + side * step) / floatBytes] ?? 0;
    const q = floats[(at + (side + 2) * step) / floatBytes] ?? 0;
    const half = Math.fround(q * 0.5);
    return centred
      ? [Math.fround(p - half), Math.fround(p + half)]
      : [Math.min(p, q), Math.max(p, q)];
  };
  const [[top, bottom], [left, right]] = [along(0), along(1)];
  const area = Math.fround(Math.fround(bottom - top) * Math.fround(right - left));
  return { low: [top, left], high: [bottom, right], area };
}

export function overlaps(a: Edges<number>, b: Edges<number>, share: number): boolean {
  const along = (side: 0 | 1): number =>
    Math.fround(Math.min(a.high[side], b.high[side]) - Math.max(a.low[side], b.low[side]));
  const common = Math.fround(along(0) * along(1));
  const covered = Math.fround(Math.fround(a.area + b.area) - common);
  return along(0) > 0 && common > 0 && Math.fround(common / covered) > share;
}

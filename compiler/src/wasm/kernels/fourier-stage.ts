import {
  type Address,
  f32x4,
  i32,
  i32Add,
  i32Subtract,
  load,
  loadSplat,
  type Local,
  type Vector,
} from "../encode/expression.js";
import type { FunctionBuilder } from "../encode/function-builder.js";
import { choose, less } from "../encode/scalar.js";
import { floatBytes, vectorBytes } from "./kernel.js";
import { nest } from "./nest.js";

/** Of a complex number of four signals. */
export const pointBytes = 2 * vectorBytes;
/** Of a cosine and a sine. */
export const turnBytes = 2 * floatBytes;

/** A stage: transforms of so many points, `span` of them with equal turns, at `rest` different turns. */
export interface Stage {
  readonly radix: number;
  readonly span: number;
  readonly rest: number;
}

/** Fours, a two where one is left over, and the other primes: as many points as their product. */
export function stagesOf(points: number): readonly Stage[] {
  const stages: Stage[] = [];
  let rest = points;
  for (let radix = 4; rest > 1; radix = next(radix, rest))
    while (rest % radix === 0) {
      const span = points / rest;
      rest /= radix;
      stages.push({ radix, span, rest });
    }
  return stages;
}

/** 4, 2, 3, 5, 7, …; what has no smaller factor is a prime itself. */
function next(radix: number, rest: number): number {
  const following = radix === 4 ? 2 : radix === 2 ? 3 : radix + 2;
  return radix !== 4 && following * following > rest ? rest : following;
}

export interface StagePlaces {
  readonly source: Local<"i32">;
  readonly target: Local<"i32">;
  readonly turns: Local<"i32">;
  readonly points: number;
  /** Bytes of the turns from one to the next that is one of so many points. */
  readonly unit: number;
  readonly inverse: boolean;
}

const { add, subtract, multiply, negate } = f32x4;

interface Complex {
  readonly re: Vector;
  readonly im: Vector;
}

interface Held {
  readonly re: Local<"v128">;
  readonly im: Local<"v128">;
}

/**
 * y(q + span·(radix·p + k)) = turn(p·k·span) · Σ x(q + span·(p + rest·j)) · turn(j·k·points/radix), over j.
 * Loops: p › q.
 */
export function emitStage(f: FunctionBuilder, stage: Stage, places: StagePlaces): void {
  const { radix, span, rest } = stage;
  const [x, y, turn] = [f.local("i32"), f.local("i32"), f.local("i32")];
  f.set(x, places.source);
  f.set(y, places.target);
  f.set(turn, i32(0));
  const isSmall = radix === 4 || radix === 2;
  const turned = isSmall && rest > 1 ? Array.from({ length: radix - 1 }, () => held(f)) : [];
  const loops = { count: rest, steps: [span * pointBytes, span * radix * pointBytes, span * places.unit] }; // prettier-ignore
  nest(f, [loops], [x, y, turn], () => {
    let offset: Address = turn;
    for (const { re, im } of turned) {
      const at = i32Add(places.turns, offset);
      f.set(re, loadSplat(at));
      f.set(im, loadSplat(at, floatBytes));
      offset = i32Add(offset, turn);
    }
    const [movedX = 0, movedY = 0] = nest(
      f,
      [{ count: span, steps: [pointBytes, pointBytes] }],
      [x, y],
      () => {
        if (isSmall) butterfly(f, stage, x, y, turned, places.inverse);
        else sums(f, stage, x, y, turn, places);
      },
    );
    return [movedX, movedY, 0];
  });
}

function held(f: FunctionBuilder): Held {
  return { re: f.local("v128"), im: f.local("v128") };
}

function put(f: FunctionBuilder, at: Address, offset: number, { re, im }: Complex): void {
  f.store(at, offset, re);
  f.store(at, offset + vectorBytes, im);
}

function product(x: Complex, y: Complex): Complex {
  return {
    re: subtract(multiply(x.re, y.re), multiply(x.im, y.im)),
    im: add(multiply(x.re, y.im), multiply(x.im, y.re)),
  };
}

/** Of two or of four points. */
function butterfly(
  f: FunctionBuilder,
  { radix, span, rest }: Stage,
  x: Local<"i32">,
  y: Local<"i32">,
  turned: readonly Held[],
  inverse: boolean,
): void {
  const inputs = Array.from({ length: radix }, (_, j): Held => {
    const own = { re: f.scratch(`x${j} re`), im: f.scratch(`x${j} im`) };
    f.set(own.re, load(x, j * rest * span * pointBytes));
    f.set(own.im, load(x, j * rest * span * pointBytes + vectorBytes));
    return own;
  });
  const write = (k: number, value: Complex): void => {
    const by = turned[k - 1];
    const kept = { re: f.scratch("y re"), im: f.scratch("y im") };
    f.set(kept.re, value.re);
    f.set(kept.im, value.im);
    put(f, y, k * span * pointBytes, by === undefined ? kept : product(kept, by));
  };
  const [a, b, c, d] = inputs;
  if (a === undefined || b === undefined) return;
  if (c === undefined || d === undefined) {
    write(0, sum(a, b));
    write(1, difference(a, b));
    return;
  }
  const [even, odd] = [difference(a, c), difference(b, d)];
  write(0, sum(sum(a, c), sum(b, d)));
  write(2, difference(sum(a, c), sum(b, d)));
  write(1, sum(even, quarter(odd, inverse)));
  write(3, difference(even, quarter(odd, inverse)));
}

function sum(x: Complex, y: Complex): Complex {
  return { re: add(x.re, y.re), im: add(x.im, y.im) };
}

function difference(x: Complex, y: Complex): Complex {
  return { re: subtract(x.re, y.re), im: subtract(x.im, y.im) };
}

/** Times e^(∓πi/2). */
function quarter({ re, im }: Complex, inverse: boolean): Complex {
  return inverse ? { re: negate(im), im: re } : { re: im, im: negate(re) };
}

/** Of any number of points, by the definition. Loops: k › j. */
function sums(
  f: FunctionBuilder,
  { radix, span, rest }: Stage,
  x: Local<"i32">,
  y: Local<"i32">,
  turn: Local<"i32">,
  { turns, points, unit }: StagePlaces,
): void {
  const [total, value, by] = [held(f), held(f), held(f)];
  const [from, to, step, at, last] = [0, 0, 0, 0, 0].map(() => f.local("i32"));
  if (!from || !to || !step || !at || !last) return;
  const whole = points * unit;
  const readTurn = (offset: Address): void => {
    f.set(by.re, loadSplat(i32Add(turns, offset)));
    f.set(by.im, loadSplat(i32Add(turns, offset), floatBytes));
  };
  f.set(to, y);
  f.set(step, i32(0));
  f.set(last, i32(0));
  f.times(radix, () => {
    f.set(total.re, load(x));
    f.set(total.im, load(x, vectorBytes));
    f.set(from, x);
    f.set(at, i32(0));
    f.times(radix - 1, () => {
      f.advance(from, span * rest * pointBytes);
      f.set(at, i32Add(at, step));
      f.set(at, choose(less(at, i32(whole)), at, i32Subtract(at, i32(whole))));
      readTurn(at);
      f.set(value.re, load(from));
      f.set(value.im, load(from, vectorBytes));
      const { re, im } = sum(total, product(value, by));
      f.set(total.re, re);
      f.set(total.im, im);
    });
    if (rest > 1) {
      readTurn(last);
      put(f, to, 0, product(total, by));
      f.set(last, i32Add(last, turn));
    } else put(f, to, 0, total);
    f.advance(to, span * pointBytes);
    f.advance(step, (points / radix) * unit);
  });
}

import {
  type Expression,
  f32,
  i32,
  i32Add,
  i32Multiply,
  load,
  loadFloat,
  type Local,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import {
  add,
  both,
  choose,
  divide,
  less,
  lessOrEqual,
  multiply,
  subtract,
} from "../encode/scalar.js";
import { eachVector, storeTail } from "./across-lanes.js";
import { floatBytes, type Kernel, vectorBytes, vectorsOf } from "./kernel.js";
import { nest } from "./nest.js";
import { emitUnary } from "./unary.js";

/** Probabilities of classes from logits of each two of them: that the first is it, if one of the two is. */
export interface CouplePairsOptions {
  readonly samples: number;
  readonly classes: number;
  /** From a sample to the next: of logits and of probabilities, which lie without gaps. */
  readonly steps: readonly [logits: number, probabilities: number];
}

const rounds = 100;
/** No probability of a pair is nearer to 0 or 1. */
const margin = 1e-7;

/** Bytes of what is kept meanwhile: probabilities of pairs, the matrix Q, and its product with the probabilities. */
export function coupleRoom(classes: number): number {
  const pairs = vectorsOf((classes * (classes - 1)) / 2) * vectorBytes;
  return pairs + classes * (classes + 1) * floatBytes;
}

/**
 * Wu, Lin and Weng, Probability Estimates for Multi-class Classification by Pairwise Coupling, algorithm 2, as LIBSVM and
 * onnxruntime's ml_common.h have it: the p of sum 1 with the least pᵀQp, where Q has on its diagonal the sums of rⱼᵢ², and
 * elsewhere −rⱼᵢ·rᵢⱼ. Each round sets one p after another to where it is least; it ends when no derivative is far from the
 * others. As many roundings as there, in the same order, so that it ends in the same round.
 *
 * Loops: samples › rounds › classes › classes. Parameters: logits, probabilities, room.
 */
export const couplePairs: Kernel<CouplePairsOptions> = {
  name: "couple-pairs",
  emit({ samples, classes, steps }, engine) {
    const f = new FunctionBuilder(3);
    const [logits, shares, room] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const pairs = (classes * (classes - 1)) / 2;
    const matrix = vectorsOf(pairs) * vectorBytes;
    const products = matrix + classes * classes * floatBytes;
    const rowBytes = classes * floatBytes;
    const [i, j, round, at] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const [own, rest, sum] = [f.local("f32"), f.local("f32"), f.local("f32")];
    const [whole, change, largest] = [f.local("f32"), f.local("f32"), f.local("f32")];
    const x = f.local("v128");
    const share = (index: Local<"i32">) => pointer(shares, index, floatBytes);
    const inRoom = (index: Local<"i32">) => pointer(room, index, floatBytes);
    const cell = (row: Local<"i32">, column: Local<"i32">) =>
      i32Add(pointer(room, row, rowBytes), i32Multiply(column, i32(floatBytes)));
    const each = (index: Local<"i32">, body: () => void): void => {
      f.set(index, i32(0));
      f.times(classes, () => {
        body();
        f.advance(index, 1);
      });
    };
    const increase = (address: Expression<"i32">, by: Expression<"f32">): void =>
      f.storeFloat(address, matrix, add(loadFloat(address, matrix), by));
    const product = (index: Local<"i32">) => loadFloat(inRoom(index), products);

    const fill = (): void => {
      f.set(at, room);
      const moved = eachVector(f, pairs, [logits, at], (offset, tail) => {
        f.set(x, load(logits, offset));
        emitUnary(f, x, { kind: "sigmoid" }, engine.fused);
        storeTail(f, at, offset, x, tail, true);
      });
      f.advance(logits, -(moved[0] ?? 0));
      each(i, () => {
        f.storeFloat(share(i), 0, f32(Math.fround(1 / classes)));
        f.storeFloat(cell(i, i), matrix, f32(0));
      });
      f.set(at, room);
      each(i, () => {
        f.set(j, i32Add(i, i32(1)));
        f.repeatWhile(less(j, i32(classes)), () => {
          f.set(own, loadFloat(at));
          f.set(own, choose(less(own, f32(margin)), f32(margin), own));
          f.set(own, choose(less(f32(1 - margin), own), f32(1 - margin), own));
          f.set(rest, subtract(f32(1), own));
          increase(cell(i, i), multiply(rest, rest));
          increase(cell(j, j), multiply(own, own));
          f.set(own, subtract(f32(0), multiply(rest, own)));
          f.storeFloat(cell(i, j), matrix, own);
          f.storeFloat(cell(j, i), matrix, own);
          f.advance(at, floatBytes);
          f.advance(j, 1);
        });
      });
    };
    const measure = (): void => {
      f.set(whole, f32(0));
      each(i, () => {
        f.set(sum, f32(0));
        each(j, () => {
          f.set(sum, add(sum, multiply(loadFloat(cell(i, j), matrix), loadFloat(share(j)))));
        });
        f.storeFloat(inRoom(i), products, sum);
        f.set(whole, add(whole, multiply(loadFloat(share(i)), sum)));
      });
      f.set(largest, f32(0));
      each(i, () => {
        f.set(change, subtract(product(i), whole));
        f.set(change, choose(less(change, f32(0)), subtract(f32(0), change), change));
        f.set(largest, choose(less(largest, change), change, largest));
      });
    };
    const improve = (): void =>
      each(i, () => {
        f.set(own, loadFloat(cell(i, i), matrix));
        f.set(change, divide(subtract(whole, product(i)), own));
        f.storeFloat(share(i), 0, add(loadFloat(share(i)), change));
        f.set(rest, add(f32(1), change));
        const risen = multiply(change, add(multiply(change, own), multiply(f32(2), product(i))));
        f.set(whole, divide(divide(add(whole, risen), rest), rest));
        each(j, () => {
          const more = multiply(change, loadFloat(cell(i, j), matrix));
          f.storeFloat(inRoom(j), products, divide(add(product(j), more), rest));
          f.storeFloat(share(j), 0, divide(loadFloat(share(j)), rest));
        });
      });

    nest(f, [{ count: samples, steps }], [logits, shares], () => {
      fill();
      f.set(round, i32(rounds));
      measure();
      // Of what is no number nothing is far.
      const isFar = lessOrEqual(f32(leastError(classes)), largest);
      f.repeatWhile(both(less(i32(0), round), isFar), () => {
        improve();
        measure();
        f.advance(round, -1);
      });
    });
    return f;
  },

  reference({ samples, classes, steps }, { floats }, [logits = 0, shares = 0, room = 0]) {
    const { fround } = Math;
    const pairs = (classes * (classes - 1)) / 2;
    const [chances, matrix] = [room / floatBytes, room / floatBytes + vectorsOf(pairs) * 4];
    const products = matrix + classes * classes;
    const at = (index: number): number => floats[index] ?? 0;
    const cell = (row: number, column: number): number => matrix + row * classes + column;
    for (let sample = 0; sample < samples; sample += 1) {
      const [from, to] = [logits, shares].map((start, side) => (start + sample * (steps[side] ?? 0)) / floatBytes); // prettier-ignore
      if (from === undefined || to === undefined) return;
      floats.fill(0, chances, matrix);
      for (let pair = 0; pair < pairs; pair += 1)
        floats[chances + pair] = 1 / (1 + Math.exp(-at(from + pair)));
      for (let i = 0; i < classes; i += 1) {
        floats[to + i] = 1 / classes;
        floats[cell(i, i)] = 0;
      }
      for (let i = 0, pair = chances; i < classes; i += 1)
        for (let j = i + 1; j < classes; j += 1, pair += 1) {
          const own = fround(Math.min(Math.max(at(pair), fround(margin)), fround(1 - margin)));
          const rest = fround(1 - own);
          floats[cell(i, i)] = at(cell(i, i)) + fround(rest * rest);
          floats[cell(j, j)] = at(cell(j, j)) + fround(own * own);
          floats[cell(i, j)] = floats[cell(j, i)] = -fround(rest * own);
        }
      for (let round = 0; ; round += 1) {
        let whole = 0;
        for (let i = 0; i < classes; i += 1) {
          let sum = 0;
          for (let j = 0; j < classes; j += 1)
            sum = fround(sum + fround(at(cell(i, j)) * at(to + j)));
          floats[products + i] = sum;
          whole = fround(whole + fround(at(to + i) * sum));
        }
        let largest = 0;
        for (let i = 0; i < classes; i += 1) {
          const error = Math.abs(fround(at(products + i) - whole));
          if (error > largest) largest = error;
        }
        if (round === rounds || !(largest >= leastError(classes))) break;
        for (let i = 0; i < classes; i += 1) {
          const own = at(cell(i, i));
          const change = fround(fround(whole - at(products + i)) / own);
          floats[to + i] = at(to + i) + change;
          const rest = fround(1 + change);
          const risen = fround(
            change * fround(fround(change * own) + fround(2 * at(products + i))),
          );
          whole = fround(fround(fround(whole + risen) / rest) / rest);
          for (let j = 0; j < classes; j += 1) {
            const more = fround(change * at(cell(i, j)));
            floats[products + j] = fround(at(products + j) + more) / rest;
            floats[to + j] = at(to + j) / rest;
          }
        }
      }
    }
  },
};

/** How far a derivative may be from the others at the end. */
function leastError(classes: number): number {
  return Math.fround(Math.fround(0.005) / classes);
}

function pointer(base: Local<"i32">, index: Expression<"i32">, step: number): Expression<"i32"> {
  return i32Add(base, i32Multiply(index, i32(step)));
}

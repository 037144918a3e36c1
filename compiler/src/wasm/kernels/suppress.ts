import {
  type Expression,
  i32,
  i32Add,
  i32Multiply,
  loadFloat,
  loadInteger,
  loadLong,
  type Local,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { both, choose, divide, i64, less, toInteger, toLong } from "../encode/scalar.js";
import { endRows } from "./found-rows.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { nest, walk } from "./nest.js";
import { boxAt, boxIn, overlap, overlaps } from "./overlap.js";

/** Of each class of each batch, the best boxes that do not overlap. Steps are in bytes. */
export interface SuppressOptions {
  readonly batches: number;
  readonly classes: number;
  readonly boxes: number;
  /** Of the boxes those are there of which a run says how many; else all. */
  readonly countsBoxes: boolean;
  /** How many of a class are kept at most. */
  readonly limit: number;
  /** No more than a run says, either. */
  readonly readsLimit: boolean;
  /** Candidates are boxes above the threshold; where there is none, all of them, of whatever score. */
  readonly hasThreshold: boolean;
  /** Boxes are [x, y, width, height] about their centres, else [y, x, y, x] of any two opposite corners. */
  readonly centred: boolean;
  readonly boxSteps: readonly [batch: number, box: number, number: number];
  readonly scoreSteps: readonly [batch: number, classes: number, box: number];
  /** From a row to the next: a row is three 64-bit integers, its batch, class and box. */
  readonly rowStep: number;
}

const longBytes = 8;

/**
 * Of a class those boxes are candidates whose score is above the threshold, if any. They become a heap: none is better than the one
 * above it, and of equal scores the box that comes first is better. Each round puts one of them in its place: at first
 * those that have others below them, from the last to the top; then, the top having been taken out, the last of all, from
 * the top on down. What was taken out is the best of those that are left, and is kept unless a row of its class overlaps it
 * by more than the given share: sorted is only what may be kept. All numbers are floats, and the result is onnxruntime's to
 * the bit.
 *
 * Loops: batches › classes › boxes, then rounds › down the heap. Parameters: boxes, scores, the share and the threshold
 * (a float each), rows, their count (a 32-bit integer), room for a 32-bit integer of each box, how many boxes there are
 * (a 32-bit integer), and how many are kept of a class (a 64-bit integer).
 */
export const suppress: Kernel<SuppressOptions> = {
  name: "suppress",
  emit(options) {
    const { batches, classes, limit, boxSteps, scoreSteps, rowStep, hasThreshold } = options;
    const f = new FunctionBuilder(9);
    const [boxes, scores, rows] = [f.parameter(0), f.parameter(1), f.parameter(4)];
    const [batch, kind] = [f.local("i32"), f.local("i32")];
    const [first, row, end] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const most = f.local("i32");
    f.set(most, i32(limit));
    if (options.readsLimit) {
      const given = loadLong(f.parameter(8));
      f.when(less(given, i64(limit)), () => f.set(most, toInteger(given)));
      f.when(less(given, i64(0)), () => f.set(most, i32(0)));
    }
    const there = options.countsBoxes ? loadInteger(f.parameter(7)) : i32(options.boxes);
    const heap = new Heap(f, f.parameter(6), (box) =>
      loadFloat(i32Add(scores, i32Multiply(box, i32(scoreSteps[2])))),
    );
    const round = (): void => {
      f.when(heap.unplaced, heap.takeUnplaced, () => {
        heap.takeBest();
        keepBest();
      });
      heap.place();
    };
    const layout = { centred: options.centred, step: boxSteps[2] };
    const [own, kept] = [boxIn(f, layout), boxIn(f, layout)];
    const addressOf = (box: Expression<"i32">) => i32Add(boxes, i32Multiply(box, i32(boxSteps[1])));
    const keepBest = (): void => {
      const [other, stays] = [f.local("i32"), f.local("i32")];
      own.read(addressOf(heap.best));
      f.set(other, first);
      f.set(stays, i32(1));
      f.repeatWhile(both(stays, less(other, row)), () => {
        kept.read(addressOf(loadInteger(other, 2 * longBytes)));
        const isOver = overlap(f, own.edges, kept.edges, loadFloat(f.parameter(2)));
        f.when(isOver, () => f.set(stays, i32(0)));
        f.advance(other, rowStep);
      });
      f.when(stays, () => {
        for (const [at, value] of [batch, kind, heap.best].entries())
          f.storeLong(row, at * longBytes, toLong(value));
        f.advance(row, rowStep);
      });
    };

    f.set(row, rows);
    f.set(batch, i32(0));
    nest(f, [{ count: batches, steps: [boxSteps[0], scoreSteps[0]] }], [boxes, scores], () => {
      f.set(kind, i32(0));
      const [moved = 0] = nest(f, [{ count: classes, steps: [scoreSteps[1]] }], [scores], () => {
        const threshold = hasThreshold ? loadFloat(f.parameter(3)) : undefined;
        heap.collect(scores, there, scoreSteps[2], threshold);
        f.set(first, row);
        f.set(end, i32Add(first, i32Multiply(most, i32(rowStep))));
        f.repeatWhile(both(heap.isFilled, less(row, end)), round);
        f.advance(kind, 1);
      });
      f.advance(batch, 1);
      return [0, moved];
    });
    const numbers = [0, longBytes, 2 * longBytes];
    endRows(f, { rows, row, count: f.parameter(5), most: mostRows(options), rowStep, numbers });
    return f;
  },

  reference(options, memory, [boxes = 0, scores = 0, share = 0, threshold = 0, ...more]) {
    const { batches, classes, limit, boxSteps, scoreSteps, rowStep, centred } = options;
    const [rows = 0, counted = 0, , countedBoxes = 0, wanted = 0] = more;
    const { floats, longs, integers } = memory;
    const floatAt = (address: number): number => floats[address / floatBytes] ?? 0;
    const there = options.countsBoxes ? (integers[countedBoxes / floatBytes] ?? 0) : options.boxes;
    const given = options.readsLimit ? Number(longs[wanted / longBytes] ?? 0n) : limit;
    const most = Math.max(0, Math.min(limit, given));
    let row = rows;
    const write = (values: readonly bigint[]): void => {
      longs.set(values, row / longBytes);
      row += rowStep;
    };
    const box = (batch: number, index: number) =>
      boxAt(memory, boxes + batch * boxSteps[0] + index * boxSteps[1], { centred, step: boxSteps[2] }); // prettier-ignore
    const around = [batches, classes].map((count, at) => ({ count, steps: [+(at === 0), at] }));
    walk(around, [0, 0], ([batch = 0, kind = 0]) => {
      const start = scores + batch * scoreSteps[0] + kind * scoreSteps[1];
      const scoreOf = (index: number): number => floatAt(start + index * scoreSteps[2]);
      const candidates = Array.from({ length: there }, (_, index) => index)
        .filter((index) => !options.hasThreshold || scoreOf(index) > floatAt(threshold))
        .sort((a, b) => scoreOf(b) - scoreOf(a) || a - b);
      const kept: number[] = [];
      for (const index of candidates) {
        if (kept.length === most) break;
        const own = box(batch, index);
        if (kept.some((other) => overlaps(own, box(batch, other), floatAt(share)))) continue;
        kept.push(index);
        write([batch, kind, index].map(BigInt));
      }
    });
    const count = (row - rows) / rowStep;
    integers[counted / floatBytes] = count;
    const first = [...longs.subarray(rows / longBytes, rows / longBytes + 3)];
    const missing = count > 0 ? mostRows(options) - count : 0;
    for (let at = 0; at < missing; at += 1) write(first);
  },
};

function mostRows({ batches, classes, limit }: SuppressOptions): number {
  return batches * classes * limit;
}

/** What writes the steps of a heap of boxes by their scores. */
class Heap {
  /** How many boxes have others below them, and are not in their places yet. */
  readonly unplaced: Local<"i32">;
  /** What was taken out of the top. */
  readonly best: Local<"i32">;
  readonly #f: FunctionBuilder;
  readonly #at: Local<"i32">;
  readonly #scoreOf: (box: Expression<"i32">) => Expression<"f32">;
  readonly #size: Local<"i32">;
  /** The box that is to be placed, and from where on down. */
  readonly #box: Local<"i32">;
  readonly #slot: Local<"i32">;
  readonly #score: Local<"i32">;

  constructor(
    f: FunctionBuilder,
    at: Local<"i32">,
    scoreOf: (box: Expression<"i32">) => Expression<"f32">,
  ) {
    this.#f = f;
    this.#at = at;
    this.#scoreOf = scoreOf;
    [this.unplaced, this.best] = [f.local("i32"), f.local("i32")];
    [this.#size, this.#box] = [f.local("i32"), f.local("i32")];
    [this.#slot, this.#score] = [f.local("i32"), f.local("i32")];
  }

  get isFilled(): Expression<"i32"> {
    return less(i32(0), this.#size);
  }

  /** Begins anew, with the boxes whose scores, from an address on, are above a threshold; with all where there is none. */
  collect(
    scores: Local<"i32">,
    count: Expression<"i32">,
    step: number,
    threshold: Expression<"f32"> | undefined,
  ): void {
    const f = this.#f;
    f.set(this.#size, i32(0));
    f.set(this.#box, i32(0));
    f.set(this.#score, scores);
    f.repeatWhile(less(this.#box, count), () => {
      const take = (): void => {
        f.storeInteger(this.#entry(this.#size), 0, this.#box);
        f.advance(this.#size, 1);
      };
      if (threshold === undefined) take();
      else f.when(less(threshold, loadFloat(this.#score)), take);
      f.advance(this.#box, 1);
      f.advance(this.#score, step);
    });
    f.set(this.unplaced, divide(this.#size, i32(2)));
  }

  readonly takeUnplaced = (): void => {
    const f = this.#f;
    f.advance(this.unplaced, -1);
    f.set(this.#slot, this.unplaced);
    f.set(this.#box, loadInteger(this.#entry(this.#slot)));
  };

  /** The last is to be placed instead. */
  takeBest(): void {
    const f = this.#f;
    f.set(this.best, loadInteger(this.#at));
    f.advance(this.#size, -1);
    f.set(this.#slot, i32(0));
    f.set(this.#box, loadInteger(this.#entry(this.#size)));
  }

  /** What is better moves up, until the box lies above all that is not. */
  place(): void {
    const f = this.#f;
    const [below, next, beside, goes] = [0, 0, 0, 0].map(() => f.local("i32"));
    if (!below || !next || !beside || !goes) return;
    f.set(goes, i32(1));
    f.repeatWhile(goes, () => {
      f.set(below, i32Add(i32Add(this.#slot, this.#slot), i32(1)));
      f.set(goes, i32(0));
      f.when(less(below, this.#size), () => {
        f.set(next, loadInteger(this.#entry(below)));
        f.when(less(i32Add(below, i32(1)), this.#size), () => {
          f.set(beside, loadInteger(this.#entry(below), floatBytes));
          f.when(this.#isBetter(beside, next), () => {
            f.set(next, beside);
            f.advance(below, 1);
          });
        });
        f.set(goes, this.#isBetter(next, this.#box));
        f.when(goes, () => {
          f.storeInteger(this.#entry(this.#slot), 0, next);
          f.set(this.#slot, below);
        });
      });
    });
    f.storeInteger(this.#entry(this.#slot), 0, this.#box);
  }

  #isBetter(x: Expression<"i32">, y: Expression<"i32">): Expression<"i32"> {
    const f = this.#f;
    const [own, other] = [f.local("f32"), f.local("f32")];
    f.set(own, this.#scoreOf(x));
    f.set(other, this.#scoreOf(y));
    return choose(less(other, own), i32(1), choose(less(own, other), i32(0), less(x, y)));
  }

  #entry(at: Expression<"i32">): Expression<"i32"> {
    return i32Add(this.#at, i32Multiply(at, i32(floatBytes)));
  }
}

import { floats, load, loadLane, shuffle, type Vector } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { withTail } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { packedAt } from "./matrix.js";
import { type Axis, nest, walk } from "./nest.js";

/** Puts a matrix that is computed at run time into the panels that `matrix` reads as weights. */
export interface PackOptions {
  /** Matrices of a batch: steps of input, output. */
  readonly batch: readonly Axis[];
  readonly depth: number;
  readonly outputs: number;
  /** Of the input, from one step of the sum to the next, and from one output to the next. */
  readonly depthStep: number;
  readonly outputStep: number;
  readonly panel: number;
}

/** 4 × 4 floats, rows to columns: pairs of lanes first, then pairs of pairs. */
function transposed(rows: readonly Vector[]): {
  readonly pairs: readonly Vector[];
  readonly columns: (pairs: readonly Vector[]) => readonly Vector[];
} {
  const [a, b, c, d] = rows;
  if (!a || !b || !c || !d) return { pairs: [], columns: () => [] };
  return {
    pairs: [
      shuffle(a, b, [0, 4, 1, 5]),
      shuffle(a, b, [2, 6, 3, 7]),
      shuffle(c, d, [0, 4, 1, 5]),
      shuffle(c, d, [2, 6, 3, 7]),
    ],
    columns([low, high, low2, high2]) {
      if (!low || !high || !low2 || !high2) return [];
      return [
        shuffle(low, low2, [0, 1, 4, 5]),
        shuffle(low, low2, [2, 3, 6, 7]),
        shuffle(high, high2, [0, 1, 4, 5]),
        shuffle(high, high2, [2, 3, 6, 7]),
      ];
    },
  };
}

/**
 * Loops: batch › panels › steps of the sum. Outputs next to one another are copied a vector at a time; where steps of the
 * sum are next to one another, 4 × 4 at a time are transposed; what is left, and any other order, goes lane by lane.
 * Lanes beyond the last output become 0. Parameters: input, output.
 */
export const pack: Kernel<PackOptions> = {
  name: "pack",
  emit({ batch, depth, outputs, depthStep, outputStep, panel }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [rows, pairs, x] = [f.vectors(laneCount), f.vectors(laneCount), f.local("v128")];
    const total = vectorsOf(outputs);

    /** `count` panels of `vectors`; the last vector of each has `tail` lanes that count, 0 for all. */
    const panels = (count: number, vectors: number, tail: number): void => {
      const lanesOf = (v: number) => (v === vectors - 1 && tail > 0 ? tail : laneCount);
      const step = vectors * vectorBytes;
      const lanes = (v: number): void => {
        f.set(x, floats(0));
        for (let lane = 0; lane < lanesOf(v); lane += 1)
          f.set(x, loadLane(x, lane, input, (v * laneCount + lane) * outputStep));
      };
      const oneStep = (): void => {
        for (let v = 0; v < vectors; v += 1) {
          if (outputStep === floatBytes) {
            const isLast = v === vectors - 1;
            f.store(
              output,
              v * vectorBytes,
              withTail(load(input, v * vectorBytes), isLast ? tail : 0, 0),
            );
          } else {
            lanes(v);
            f.store(output, v * vectorBytes, x);
          }
        }
      };
      const fourSteps = (): void => {
        for (let v = 0; v < vectors; v += 1) {
          rows.forEach((row, lane) => {
            const isOne = lane < lanesOf(v);
            f.set(row, isOne ? load(input, (v * laneCount + lane) * outputStep) : floats(0));
          });
          const turned = transposed(rows);
          turned.pairs.forEach((pair, at) => f.set(pairs[at] ?? x, pair));
          turned
            .columns(pairs)
            .forEach((column, k) => f.store(output, k * step + v * vectorBytes, column));
        }
      };
      f.times(count, () => {
        const isTurned = depthStep === floatBytes && outputStep !== floatBytes;
        const blocks = isTurned ? Math.floor(depth / laneCount) : 0;
        const four = [{ count: blocks, steps: [laneCount * depthStep, laneCount * step] }];
        if (blocks > 0) nest(f, four, [input, output], fourSteps);
        const rest = depth - blocks * laneCount;
        if (rest > 0)
          nest(f, [{ count: rest, steps: [depthStep, step] }], [input, output], oneStep);
        f.advance(input, vectors * laneCount * outputStep - depth * depthStep);
      });
    };

    nest(f, batch, [input, output], () => {
      const tail = outputs % laneCount;
      const whole = Math.floor(total / panel);
      const rest = total % panel;
      const isLastPartial = tail > 0 && rest === 0;
      panels(isLastPartial ? whole - 1 : whole, panel, 0);
      if (isLastPartial) panels(1, panel, tail);
      if (rest > 0) panels(1, rest, tail);
      return [total * laneCount * outputStep, depth * total * vectorBytes];
    });
    return f;
  },

  reference({ batch, depth, outputs, depthStep, outputStep, panel }, { floats: memory }, at) {
    walk(batch, at, ([input = 0, output = 0]) => {
      for (let k = 0; k < depth; k += 1)
        for (let n = 0; n < vectorsOf(outputs) * laneCount; n += 1) {
          const from = (input + k * depthStep + n * outputStep) / floatBytes;
          const to = output / floatBytes + packedAt(k, n, depth, outputs, panel);
          memory[to] = n < outputs ? (memory[from] ?? 0) : 0;
        }
    });
  },
};

import {
  type Expression,
  f32x4,
  floats,
  i32Add,
  load,
  type Local,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { emitEpilogue, type Epilogue, evaluateEpilogue, usesOther } from "./epilogue.js";
import { floatBytes, type Kernel, laneCount } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

type Steps = readonly [row: number, column: number];

/** Y = P · X · Pᵀ of small square blocks whose elements are vectors of channels. */
export interface BlockTransformOptions {
  /** Blocks, and the vectors in which they lie side by side: steps of all four parameters. */
  readonly axes: readonly Axis[];
  /** P, by row: numbers of one size, or 0. */
  readonly matrix: readonly (readonly number[])[];
  /** Within a block. */
  readonly input: Steps;
  readonly output: Steps;
  readonly other: Steps;
  readonly bias: boolean;
  readonly epilogue: readonly Epilogue[];
}

/**
 * The columns of X first, each of whose vectors is read once, then the rows of what they become:
 *
 *     half[i][j] = Σ P[i][r] · X[r][j]        Y[i][k] = Σ P[k][j] · half[i][j]
 *
 * Loops: axes. Within a block pointers go on by steps in locals, so that code is the same for all shapes.
 * Parameters: input, output, bias, other.
 */
export const blockTransform: Kernel<BlockTransformOptions> = {
  name: "block-transform",
  emit({ axes, matrix, bias: hasBias, epilogue, ...steps }, engine) {
    const f = new FunctionBuilder(4);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [bias, other] = [f.parameter(2), f.parameter(3)];
    const width = matrix[0]?.length ?? 0;
    const column = f.vectors(width);
    const half = matrix.map(() => f.vectors(width));
    const sum = f.local("v128");
    const hasOther = usesOther(epilogue);
    const from = pathOf(f, steps.input[0], steps.input[1]);
    const to = pathOf(f, steps.output[1], steps.output[0]);
    const beside = hasOther ? pathOf(f, steps.other[1], steps.other[0]) : undefined;
    nest(f, axes, f.parameters.slice(0, hasOther ? 4 : hasBias ? 3 : 2), () => {
      from.start(input);
      for (let j = 0; j < width; j += 1) {
        for (const x of column) {
          f.set(x, load(from.at));
          from.next();
        }
        matrix.forEach((row, i) => combine(f, half[i]?.[j] ?? sum, row, (r) => column[r] ?? sum));
        from.turn();
      }
      to.start(output);
      beside?.start(other);
      for (const own of half) {
        for (const row of matrix) {
          combine(f, sum, row, (j) => own[j] ?? sum);
          if (hasBias) f.set(sum, f32x4.add(sum, load(bias)));
          emitEpilogue(f, sum, load(beside?.at ?? to.at), epilogue, engine.fused);
          f.store(to.at, 0, sum);
          to.next();
          beside?.next();
        }
        to.turn();
        beside?.turn();
      }
    });
    return f;
  },

  reference(options, { floats: memory }, at) {
    const { axes, matrix, input: from, output: to, other: beside, bias: hasBias } = options;
    const numberAt = (address: number): number => memory[address / floatBytes] ?? 0;
    walk(axes, at, ([input = 0, output = 0, bias = 0, other = 0]) => {
      for (let lane = 0; lane < laneCount * floatBytes; lane += floatBytes) {
        const half = matrix.map((row) =>
          (matrix[0] ?? []).map((_, j) =>
            row.reduce(
              (sum, by, r) => sum + by * numberAt(input + lane + r * from[0] + j * from[1]),
              0,
            ),
          ),
        );
        half.forEach((own, i) =>
          matrix.forEach((row, k) => {
            const start = hasBias ? numberAt(bias + lane) : 0;
            const sum = row.reduce((total, by, j) => total + by * (own[j] ?? 0), start);
            const operand = numberAt(other + lane + i * beside[0] + k * beside[1]);
            memory[(output + lane + i * to[0] + k * to[1]) / floatBytes] = evaluateEpilogue(
              sum,
              operand,
              options.epilogue,
            );
          }),
        );
      }
    });
  },
};

/** A pointer to the elements of a block, line by line. */
function pathOf(f: FunctionBuilder, alongBytes: number, acrossBytes: number) {
  const [line, at] = [f.local("i32"), f.local("i32")];
  const [along, across] = [f.number(alongBytes), f.number(acrossBytes)];
  const begin = (pointer: Expression<"i32">): void => {
    f.set(line, pointer);
    f.set(at, line);
  };
  return {
    at,
    start: begin,
    next: () => f.set(at, i32Add(at, along)),
    turn: () => begin(i32Add(line, across)),
  };
}

/** Σ by · x, what is added before what is taken off. */
function combine(
  f: FunctionBuilder,
  into: Local<"v128">,
  by: readonly number[],
  x: (at: number) => Vector,
): void {
  const terms = by.flatMap((factor, at) => (factor === 0 ? [] : [{ factor, at }]));
  const [first, ...rest] = terms.toSorted((a, b) => b.factor - a.factor);
  if (first === undefined) return f.set(into, floats(0));
  const start = first.factor < 0 ? f32x4.negate(x(first.at)) : x(first.at);
  const sum = rest.reduce(
    (total, { factor, at }) => (factor < 0 ? f32x4.subtract : f32x4.add)(total, x(at)),
    start,
  );
  const size = Math.abs(first.factor);
  f.set(into, size === 1 ? sum : f32x4.multiply(sum, f.splat(size)));
}

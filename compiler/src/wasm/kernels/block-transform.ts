import {
  type Expression,
  f32x4,
  i32,
  i32Add,
  i32Greater,
  i32Multiply,
  load,
  type Local,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { emitEpilogue, type Epilogue, evaluateEpilogue, usesOther } from "./epilogue.js";
import { floatBytes, type Kernel, vectorBytes } from "./kernel.js";
import { sharedLocals, transformed } from "./line-transform.js";

/** Bytes between two of a map's images, rows and columns. */
export type MapSteps = readonly [image: number, row: number, column: number];

/** Y = P · X · Pᵀ of small square blocks whose elements are vectors of channels. */
export interface BlockTransformOptions {
  /** P, by row. */
  readonly matrix: readonly (readonly number[])[];
  /**
   * Where blocks lie in a map: the input, or else the output. On the other side are matrices, one for each element of a block,
   * in which the vectors of one block follow on those of the one before.
   */
  readonly map: "input" | "output";
  /** Blocks: images, and rows and columns of each. */
  readonly counts: readonly [images: number, rows: number, columns: number];
  readonly vectors: number;
  /** Places from one block of a map to the next, and the last places at which one may begin: there it overlaps the one before. */
  readonly step: number;
  readonly last: readonly [row: number, column: number];
  readonly steps: MapSteps;
  /** Bytes between two matrices. */
  readonly each: number;
  /** The same of what the epilogue reads. */
  readonly other: MapSteps;
  readonly bias: boolean;
  readonly epilogue: readonly Epilogue[];
}

/** What all transforms have in locals of the same numbers, so that most of their code is the same. */
const mostWidth = 6;

/** Of a shape: its functions are long, and few in a module, where callers pass what shapes differ in. */
const mostNumbers = 13;

/**
 * The columns of X first, then the rows of what they become, each of whose vectors is read once; in between they are held in
 * `half`, which stays in the nearest cache:
 *
 *     half[i][j] = Σ P[i][r] · X[r][j]        Y[i][k] = Σ P[k][j] · half[i][j]
 *
 * Loops: images › rows › columns › vectors › columns of the block, and then its rows. Written out they would be
 * far more code. Pointers go on by steps in locals, so that code is the same for all shapes. Parameters: map, matrices,
 * `half`, bias, other.
 */
export const blockTransform: Kernel<BlockTransformOptions> = {
  name: "block-transform",
  emit({ matrix, map, counts, vectors, step, last, steps, each, other: besides, ...rest }, engine) {
    const { bias: hasBias, epilogue } = rest;
    const hasOther = usesOther(epilogue);
    const f = new FunctionBuilder(5, mostNumbers);
    const [images, matrices, half] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const bias = hasBias ? f.parameter(3) : undefined;
    const others = hasOther ? f.parameter(4) : undefined;
    const width = matrix[0]?.length ?? 0;
    const line = f.vectors(Math.max(width, mostWidth)).slice(0, width);
    for (const name of sharedLocals) f.scratch(name);
    const held = f.local("i32");
    const sum = f.local("v128");
    const [imageCount, rowCount, columnCount] = counts.map((count) => f.number(count));
    const vectorCount = f.number(vectors);
    const [lastRow, lastColumn] = last.map((place) => f.number(place));
    const mapSteps = steps.map((bytes) => f.number(bytes));
    const eachStep = f.number(each);
    const otherSteps = besides.map((bytes) => f.number(hasOther ? bytes : 0));
    const [wide, at, beside] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [down, across] = [f.local("i32"), f.local("i32")];
    const size = map === "input" ? matrix.length : width;
    f.set(wide, i32Multiply(eachStep, i32(size)));
    const ofMap = { along: mapSteps[1], across: mapSteps[2] };
    const ofOthers = { along: otherSteps[2], across: otherSteps[1] };
    const ofMatrices = { along: wide, across: eachStep };
    // By columns what is read, by rows what is written.
    const from = pathOf(f, map === "input" ? ofMap : ofMatrices);
    const to = pathOf(f, turned(map === "input" ? ofMatrices : ofMap));
    const besidePath = pathOf(f, ofOthers);
    const path = hasOther ? besidePath : undefined;

    const block = (): void => {
      from.start(map === "input" ? at : matrices);
      f.set(held, half);
      f.times(width, () => {
        for (const x of line) {
          f.set(x, load(from.at));
          from.next();
        }
        transformed(
          f,
          matrix,
          line,
          (i, value) => f.store(held, i * width * vectorBytes, value),
          engine.fused,
        );
        f.advance(held, vectorBytes);
        from.turn();
      });
      f.set(held, half);
      to.start(map === "input" ? matrices : at);
      path?.start(beside);
      f.times(matrix.length, () => {
        line.forEach((x, j) => f.set(x, load(held, j * vectorBytes)));
        const write = (_: number, value: Vector): void => {
          f.set(sum, bias === undefined ? value : f32x4.add(value, load(bias)));
          emitEpilogue(f, sum, load(path?.at ?? to.at), epilogue, engine.fused);
          f.store(to.at, 0, sum);
          to.next();
          path?.next();
        };
        transformed(f, matrix, line, write, engine.fused);
        f.advance(held, width * vectorBytes);
        to.turn();
        path?.turn();
      });
    };
    const placed = (start: Local<"i32">, by: readonly Local<"i32">[]): Expression<"i32"> => {
      const [, row = down, columnBytes = across] = by;
      return i32Add(start, i32Add(i32Multiply(down, row), i32Multiply(across, columnBytes)));
    };
    /** Calls `body` for each of some places, `step` apart, the last of which may be nearer. */
    const over = (place: Local<"i32">, count: Many, end: Many, body: () => void): void => {
      f.set(place, i32(0));
      f.times(
        Infinity,
        () => {
          body();
          f.set(place, i32Add(place, i32(step)));
          if (end !== undefined) f.when(i32Greater(place, end), () => f.set(place, end));
        },
        count,
      );
    };
    f.times(
      Infinity,
      () => {
        over(down, rowCount, lastRow, () =>
          over(across, columnCount, lastColumn, () => {
            f.set(at, placed(images, mapSteps));
            if (others !== undefined) f.set(beside, placed(others, otherSteps));
            const moving = [at, matrices, bias, hasOther ? beside : undefined].filter(
              (pointer) => pointer !== undefined,
            );
            const overVectors = (): void =>
              f.times(
                Infinity,
                () => {
                  block();
                  for (const pointer of moving) f.advance(pointer, vectorBytes);
                },
                vectorCount,
              );
            if (bias === undefined) overVectors();
            else f.keeping([bias], overVectors);
          }),
        );
        const [image] = mapSteps;
        if (image !== undefined) f.set(images, i32Add(images, image));
        const [other] = otherSteps;
        if (others !== undefined && other !== undefined) f.set(others, i32Add(others, other));
      },
      imageCount,
    );
    return f;
  },

  reference(options, { floats: memory }, parameters) {
    const { matrix, map, counts, vectors, step, last, steps, each, other: besides } = options;
    const [images = 0, matrices = 0] = parameters;
    const held = parameters[2] ?? 0;
    const [bias = 0, others = 0] = parameters.slice(3);
    const numberAt = (address: number): number => memory[address / floatBytes] ?? 0;
    const size = map === "input" ? matrix.length : (matrix[0]?.length ?? 0);
    const [imageCount, rowCount, columnCount] = counts;
    let block = matrices;
    for (let image = 0; image < imageCount; image += 1)
      for (let row = 0; row < rowCount; row += 1)
        for (let column = 0; column < columnCount; column += 1) {
          const [down, across] = [Math.min(row * step, last[0]), Math.min(column * step, last[1])];
          const placed = (by: MapSteps): number => image * by[0] + down * by[1] + across * by[2];
          for (let lane = 0; lane < vectors * vectorBytes; lane += floatBytes) {
            const inMap = (i: number, j: number): number =>
              images + placed(steps) + lane + i * steps[1] + j * steps[2];
            const inMatrices = (i: number, j: number): number =>
              block + lane + (i * size + j) * each;
            const [read, written] = map === "input" ? [inMap, inMatrices] : [inMatrices, inMap];
            const half = matrix.map((own) =>
              (matrix[0] ?? []).map((_, j) =>
                own.reduce((sum, by, r) => sum + by * numberAt(read(r, j)), 0),
              ),
            );
            half.flat().forEach((value, index) => {
              const place = held + index * vectorBytes + (lane % vectorBytes);
              memory[place / floatBytes] = value;
            });
            half.forEach((own, i) =>
              matrix.forEach((line, k) => {
                const start = options.bias ? numberAt(bias + lane) : 0;
                const sum = line.reduce((total, by, j) => total + by * (own[j] ?? 0), start);
                const beside = others + placed(besides) + lane + i * besides[1] + k * besides[2];
                memory[written(i, k) / floatBytes] = evaluateEpilogue(
                  sum,
                  numberAt(beside),
                  options.epilogue,
                );
              }),
            );
          }
          block += vectors * vectorBytes;
        }
  },
};

type Many = Local<"i32"> | undefined;

interface Path {
  readonly along: Many;
  readonly across: Many;
}

function turned({ along, across }: Path): Path {
  return { along: across, across: along };
}

/** A pointer to the elements of a block, line by line. */
function pathOf(f: FunctionBuilder, { along, across }: Path) {
  const [line, at] = [f.local("i32"), f.local("i32")];
  const begin = (pointer: Expression<"i32">): void => {
    f.set(line, pointer);
    f.set(at, line);
  };
  return {
    at,
    start: begin,
    next: () => f.set(at, i32Add(at, along ?? at)),
    turn: () => begin(i32Add(line, across ?? line)),
  };
}

import { floats, i32Add, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";

/** Zeros around maps whose rows follow on one another: those behind a row and before the next one are one run. */
export interface FrameOptions {
  readonly images: { readonly count: number; readonly step: number };
  readonly rows: number;
  /** Bytes of a row that stay as they are. */
  readonly inside: number;
  /** Vectors of zeros before the first row, between two of them, and behind the last one. */
  readonly before: number;
  readonly between: number;
  readonly behind: number;
}

/** Callers pass all that shapes differ in: of many frames that a network has, one function writes all. */
const numbers = 7;

/** Loops: images › rows › vectors. Parameter: the first zero. */
export const frame: Kernel<FrameOptions> = {
  name: "frame",
  emit({ images, rows, inside, before, between, behind }) {
    const f = new FunctionBuilder(1, numbers);
    const output = f.parameter(0);
    const at = f.local("i32");
    const [imageCount, imageStep] = [f.number(images.count), f.number(images.step)];
    const [rowCount, row] = [f.number(rows - 1), f.number(inside)];
    const [first, middle, last] = [before, between, behind].map((count) => f.number(count));
    const times = (count: Local<"i32"> | undefined, body: () => void): void => {
      if (count !== undefined) f.when(count, () => f.times(Infinity, body, count));
    };
    const write = (count: Local<"i32"> | undefined): void =>
      times(count, () => {
        f.store(at, 0, floats(0));
        f.advance(at, vectorBytes);
      });
    times(imageCount, () => {
      f.set(at, output);
      write(first);
      times(rowCount, () => {
        f.set(at, i32Add(at, row));
        write(middle);
      });
      f.set(at, i32Add(at, row));
      write(last);
      f.set(output, i32Add(output, imageStep));
    });
    return f;
  },

  reference({ images, rows, inside, before, between, behind }, { floats: memory }, [output = 0]) {
    for (let image = 0; image < images.count; image += 1) {
      let at = (output + image * images.step) / floatBytes;
      for (let row = 0; row <= rows; row += 1) {
        const vectors = row === 0 ? before : row < rows ? between : behind;
        memory.fill(0, at, at + vectors * laneCount);
        at += vectors * laneCount + inside / floatBytes;
      }
    }
  },
};

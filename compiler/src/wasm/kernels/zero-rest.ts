import { i32, i32Add, i32Multiply, loadInteger } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { less } from "../encode/scalar.js";
import { floatBytes, type Kernel } from "./kernel.js";

/** Rows behind those that are there. */
export interface ZeroRestOptions {
  /** Of a row. */
  readonly bytes: number;
  /** Of all rows that there may be. */
  readonly all: number;
}

/** Writes zeros behind the last row. Loops: rest. Parameters: how many rows there are (a 32-bit integer), the first. */
export const zeroRest: Kernel<ZeroRestOptions> = {
  name: "zero-rest",
  emit({ bytes, all }) {
    const f = new FunctionBuilder(2);
    const [at, end] = [f.local("i32"), f.local("i32")];
    const isOfWords = bytes % floatBytes === 0 && all % floatBytes === 0;
    f.set(at, i32Add(f.parameter(1), i32Multiply(loadInteger(f.parameter(0)), i32(bytes))));
    f.set(end, i32Add(f.parameter(1), i32(all)));
    f.repeatWhile(less(at, end), () => {
      if (isOfWords) f.storeInteger(at, 0, i32(0));
      else f.storeByte(at, 0, i32(0));
      f.advance(at, isOfWords ? floatBytes : 1);
    });
    return f;
  },

  reference({ bytes, all }, memory, [count = 0, rows = 0]) {
    const there = memory.integers[count / floatBytes] ?? 0;
    memory.bytes.fill(0, rows + there * bytes, rows + all);
  },
};

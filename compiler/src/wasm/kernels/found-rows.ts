import { type Expression, i32, i32Add, i32Subtract, loadLong, type Local } from "../encode/expression.js"; // prettier-ignore
import type { FunctionBuilder } from "../encode/function-builder.js";
import { both, divide, less } from "../encode/scalar.js";

/** Rows of 64-bit integers that a kernel has found, one behind the other. */
export interface FoundRows {
  /** The first. */
  readonly rows: Local<"i32">;
  /** Behind the last; moved. */
  readonly row: Local<"i32">;
  /** Where their count belongs. */
  readonly count: Expression<"i32">;
  readonly most: number;
  /** From a row to the next, in bytes. */
  readonly rowStep: number;
  /** Of a row's numbers, where they are in it. */
  readonly numbers: readonly number[];
}

/**
 * Says how many rows were found. Those that are not there repeat the first, so that nothing new is computed of them; where
 * there is none they stay as they are.
 */
export function endRows(f: FunctionBuilder, found: FoundRows): void {
  const { rows, row, count, most, rowStep, numbers } = found;
  const end = f.local("i32");
  f.storeInteger(count, 0, divide(i32Subtract(row, rows), i32(rowStep)));
  f.set(end, i32Add(rows, i32(most * rowStep)));
  f.repeatWhile(both(less(rows, row), less(row, end)), () => {
    for (const at of numbers) f.storeLong(row, at, loadLong(rows, at));
    f.advance(row, rowStep);
  });
}

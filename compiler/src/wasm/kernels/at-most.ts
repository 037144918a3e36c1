import { i32, loadInteger } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { less } from "../encode/scalar.js";
import { floatBytes, type Kernel } from "./kernel.js";

/** A count, and a number where that is smaller. Parameters: the count, and what is made of it (32-bit integers). */
export const atMost: Kernel<{ readonly most: number }> = {
  name: "at-most",
  emit({ most }) {
    const f = new FunctionBuilder(2);
    const count = loadInteger(f.parameter(0));
    f.storeInteger(f.parameter(1), 0, i32(most));
    f.when(less(count, i32(most)), () => f.storeInteger(f.parameter(1), 0, count));
    return f;
  },
  reference({ most }, { integers }, [count = 0, own = 0]) {
    integers[own / floatBytes] = Math.min(most, integers[count / floatBytes] ?? 0);
  },
};

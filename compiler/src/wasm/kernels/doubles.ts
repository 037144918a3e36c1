import { f64x2, load, loadSome } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { nest } from "./nest.js";

/** What a model takes or gives in float64, read or written; a module computes with floats. */
export interface DoublesOptions {
  readonly count: number;
  readonly to: "floats" | "others";
}

const doubleBytes = 8;

/** Rounds to the nearest, widens exactly. Loops: pairs, then one that is left. Parameters: input, output, without gaps. */
export const doubles: Kernel<DoublesOptions> = {
  name: "doubles",
  emit({ count, to }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const two = f.local("v128");
    const [read, write] = to === "floats" ? [doubleBytes, floatBytes] : [floatBytes, doubleBytes];
    const convert = (elements: 1 | 2): void => {
      const lanes = (elements * read) / floatBytes;
      const given = lanes === 4 ? load(input) : loadSome(lanes, input);
      f.set(two, to === "floats" ? f64x2.toFloats(given) : f64x2.fromFloats(given));
      f.storeLanes(output, 0, two, (elements * write) / floatBytes);
    };
    const pairs = { count: Math.floor(count / 2), steps: [2 * read, 2 * write] };
    nest(f, [pairs], f.parameters, () => convert(2));
    if (count % 2 === 1) convert(1);
    return f;
  },

  reference({ count, to }, { bytes, floats }, [input = 0, output = 0]) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < count; at += 1)
      if (to === "floats")
        floats[output / floatBytes + at] = view.getFloat64(input + at * doubleBytes, true);
      else view.setFloat64(output + at * doubleBytes, floats[input / floatBytes + at] ?? 0, true);
  },
};

import { bits, extractFloat, f32x4, floats, load, loadSplat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { toInteger } from "../encode/scalar.js";
import { roundHalfEven } from "../../ops/reference/round-half-even.js";
import { eachVector, joinLanes, withTail } from "./across-lanes.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** The range of floats, as the scale and the zero point of bytes that span it. */
export interface RangeI8Options {
  /** Around the lanes: steps of the input. */
  readonly axes: readonly Axis[];
  /** Floats next to one another. */
  readonly lanes: number;
}

/**
 * Zero is within the range: scale = (high − low) / 255, zero point = round(−low / scale). Of zeros alone the scale is 1, as
 * onnxruntime has it. Loops: axes › vectors. Parameters: input, scale, zero point.
 */
export const rangeI8: Kernel<RangeI8Options> = {
  name: "range-i8",
  emit({ axes, lanes }) {
    const f = new FunctionBuilder(3);
    const [input, scaleAt, zeroAt] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const [low, high, x] = [f.local("v128"), f.local("v128"), f.local("v128")];
    f.set(low, floats(0));
    f.set(high, floats(0));
    nest(f, axes, [input], () =>
      eachVector(f, lanes, [input], (offset, tail) => {
        // Alone, a lane is read as four of itself: what lies behind it need not be there.
        const isAlone = tail === 1;
        f.set(x, isAlone ? loadSplat(input, offset) : withTail(load(input, offset), tail, 0));
        f.set(low, f32x4.smaller(low, x));
        f.set(high, f32x4.larger(high, x));
      }),
    );
    joinLanes(f, low, "min");
    joinLanes(f, high, "max");
    f.set(x, f32x4.divide(f32x4.subtract(high, low), floats(255)));
    f.set(x, bits.select(floats(1), x, f32x4.equal(x, floats(0))));
    f.storeFloat(scaleAt, 0, extractFloat(x, 0));
    const zero = f32x4.divide(f32x4.negate(low), x);
    const bounded = f32x4.larger(f32x4.smaller(zero, floats(255)), floats(0));
    f.storeByte(zeroAt, 0, toInteger(extractFloat(f32x4.nearest(bounded), 0)));
    return f;
  },

  reference({ axes, lanes }, { floats: memory, bytes }, [input = 0, scaleAt = 0, zeroAt = 0]) {
    let [low, high] = [0, 0];
    walk(axes, [input], ([at = 0]) => {
      for (let lane = 0; lane < lanes; lane += 1) {
        const x = memory[at / floatBytes + lane] ?? 0;
        if (x < low) low = x;
        if (x > high) high = x;
      }
    });
    const scale = Math.fround(Math.fround(high - low) / 255) || 1;
    memory[scaleAt / floatBytes] = scale;
    bytes[zeroAt] = roundHalfEven(Math.min(Math.fround(-low / scale), 255));
  },
};

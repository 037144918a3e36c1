import { f32x4, floats, load, loadSplat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel, laneCount } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitBytes, emitRounded, roundedByte, type Rounding } from "./rounding-i8.js";

/** Floats to bytes: round(x / scale) + zero point, within bounds. */
export interface QuantizeI8Options {
  /** Around the lanes: steps of input, output. */
  readonly axes: readonly Axis[];
  /** Floats next to one another in the input. */
  readonly lanes: number;
  /** Bytes from one of them to the next in the output. */
  readonly step: number;
  readonly scale: number;
  readonly rounding: Rounding;
}

/** Loops: axes › vectors. Parameters: input, output. */
export const quantizeI8: Kernel<QuantizeI8Options> = {
  name: "quantize-i8",
  emit({ axes, lanes, step, scale, rounding }) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const x = f.local("v128");
    const vector = (count: number): void => {
      // Alone, a lane is read as four of itself: what lies behind it need not be there.
      f.set(x, f32x4.divide(count === 1 ? loadSplat(input) : load(input), floats(scale)));
      emitRounded(f, x, rounding);
      emitBytes(f, x, [x], rounding);
      if (step === 1) f.storeBytes(output, 0, x, count);
      else for (let i = 0; i < count; i += 1) f.storeByteLane(output, i * step, x, i);
    };
    nest(f, axes, f.parameters, () => {
      const whole = Math.floor(lanes / laneCount);
      const steps = [laneCount * floatBytes, laneCount * step];
      const moved = nest(f, [{ count: whole, steps }], f.parameters, () => vector(laneCount));
      if (lanes % laneCount > 0) vector(lanes % laneCount);
      return moved;
    });
    return f;
  },

  reference({ axes, lanes, step, scale, rounding }, { floats: memory, bytes }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      for (let i = 0; i < lanes; i += 1) {
        const x = memory[input / floatBytes + i] ?? 0;
        bytes[output + i * step] = roundedByte(Math.fround(x / Math.fround(scale)), rounding);
      }
    });
  },
};

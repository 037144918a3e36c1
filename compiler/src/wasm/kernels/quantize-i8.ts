import {
  f32x4,
  floats,
  i32x4,
  load,
  loadByte,
  loadSplat,
  type Vector,
} from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { shuffleBytes } from "../encode/integer-vectors.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
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
  /**
   * Of two to four channels, whose lanes are pixels: how many, and bytes from one's floats to the next one's. Their bytes lie
   * next to one another, and `step` is their number.
   */
  readonly channels?: { readonly count: number; readonly step: number };
  /** Or, where only a run knows it, by an address; the zero point by another one, and `rounding` has 0 for it. */
  readonly scale: number | "given";
  readonly rounding: Rounding;
}

/**
 * Loops: axes › vectors. Of several channels four pixels are rounded at once, each in a vector of its own, and put in order:
 *
 *     r₀r₁r₂r₃ g₀g₁g₂g₃ b₀b₁b₂b₃   as   r₀g₀b₀ r₁g₁b₁ r₂g₂b₂ r₃g₃b₃
 *
 * Parameters: input, output; and where they are given scale, zero point.
 */
export const quantizeI8: Kernel<QuantizeI8Options> = {
  name: "quantize-i8",
  emit({ axes, lanes, step, channels, scale, rounding }) {
    const f = new FunctionBuilder(scale === "given" ? 4 : 2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const { count: together, step: apart } = channels ?? { count: 1, step: 0 };
    const rounded = f.vectors(together);
    const [x = f.scratch("x")] = rounded;
    const given = scale === "given" ? givenSteps(f) : undefined;
    const divisor = given?.scale ?? floats(Number(scale));
    const order = Array.from(
      { length: vectorBytes },
      (_, at) => (at % together) * laneCount + (Math.floor(at / together) % laneCount),
    );
    const vector = (count: number): void => {
      rounded.forEach((own, channel) => {
        const at = channel * apart;
        // Alone, a lane is read as four of itself: what lies behind it need not be there.
        const read = count === 1 ? loadSplat(input, at) : load(input, at);
        f.set(own, f32x4.divide(read, divisor));
        emitRounded(f, own, rounding);
        if (given !== undefined) f.set(own, i32x4.add(own, given.zeroPoint));
      });
      emitBytes(f, x, rounded, rounding);
      if (together > 1) {
        f.set(x, shuffleBytes(x, x, order));
        f.storeBytes(output, 0, x, count * together);
      } else if (step === 1) f.storeBytes(output, 0, x, count);
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

  reference({ axes, lanes, step, channels, scale, rounding }, { floats: memory, bytes }, at) {
    const [, , scaleAt = 0, zeroAt = 0] = at;
    const [divisor, own] =
      scale === "given"
        ? [memory[scaleAt / floatBytes] ?? 1, { ...rounding, zeroPoint: bytes[zeroAt] ?? 0 }]
        : [Math.fround(scale), rounding];
    const { count: together, step: apart } = channels ?? { count: 1, step: 0 };
    walk(axes, at, ([input = 0, output = 0]) => {
      for (let i = 0; i < lanes; i += 1)
        for (let channel = 0; channel < together; channel += 1) {
          const x = memory[(input + channel * apart) / floatBytes + i] ?? 0;
          const byte = roundedByte(Math.fround(x / divisor), own);
          bytes[output + i * step + channel] = byte;
        }
    });
  },
};

/** Scale and zero point of a run, in lanes. */
function givenSteps(f: FunctionBuilder): { readonly scale: Vector; readonly zeroPoint: Vector } {
  const [scale, zeroPoint] = [f.local("v128"), f.local("v128")];
  f.set(scale, loadSplat(f.parameter(2)));
  f.set(zeroPoint, i32x4.splat(loadByte(f.parameter(3))));
  return { scale, zeroPoint };
}

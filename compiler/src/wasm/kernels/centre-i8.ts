import { f32x4, i32x4, load, loadSplat, type Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector } from "./across-lanes.js";
import { floatBytes, type Kernel } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { scaled } from "./rounding-i8.js";
import type { Factors } from "./terms-i8.js";

/**
 * Takes the zero points of weights off sums that were made without them: Σ (w − z)·(x − zₓ) is Σ w·(x − zₓ) less
 * z·Σ (x − zₓ), and this last sum lies behind a place's channels, as one more. Floats are that times factors.
 */
export interface CentreI8Options {
  /** Steps of sums, zero points, factors, output. */
  readonly axes: readonly Axis[];
  readonly channels: number;
  /** None gives the integers. */
  readonly factors: Factors;
}

/** Loops: axes › vectors of channels. Parameters: sums, zero points, factors, output. */
export const centreI8: Kernel<CentreI8Options> = {
  name: "centre-i8",
  emit({ axes, channels, factors }) {
    const f = new FunctionBuilder(4);
    const [sums, zeros, factor, output] = f.parameters;
    if (sums === undefined || zeros === undefined || factor === undefined || output === undefined)
      return f;
    const [whole, x, scale] = [f.local("v128"), f.local("v128"), f.local("v128")];
    if (factors === "one") f.set(scale, loadSplat(factor));
    const moving: readonly Local<"i32">[] =
      factors === "each" ? [sums, zeros, output, factor] : [sums, zeros, output];
    const inOrder = ({ count, steps: [from = 0, zero = 0, by = 0, to = 0] }: Axis): Axis => ({
      count,
      steps: [from, zero, to, by].slice(0, moving.length),
    });
    nest(f, axes.map(inOrder), moving, () => {
      f.set(whole, loadSplat(sums, channels * floatBytes));
      return eachVector(f, channels, moving, (offset, tail) => {
        const taken = i32x4.multiply(load(zeros, offset), whole);
        f.set(x, i32x4.subtract(load(sums, offset), taken));
        if (factors === "each") f.set(scale, load(factor, offset));
        if (factors !== "none") f.set(x, f32x4.multiply(f32x4.fromIntegers(x), scale));
        if (tail === 0) f.store(output, offset, x);
        else f.storeLanes(output, offset, x, tail);
      });
    });
    return f;
  },

  reference({ axes, channels, factors }, { integers, floats }, at) {
    walk(axes, at, (places) => {
      const [sums = 0, zeros = 0, factor = 0, output = 0] = places.map((p) => p / floatBytes);
      const whole = integers[sums + channels] ?? 0;
      for (let c = 0; c < channels; c += 1) {
        const taken = Math.imul(integers[zeros + c] ?? 0, whole);
        const x = ((integers[sums + c] ?? 0) - taken) | 0;
        if (factors === "none") integers[output + c] = x;
        else floats[output + c] = scaled(x, floats[factor + (factors === "one" ? 0 : c)] ?? 0);
      }
    });
  },
};

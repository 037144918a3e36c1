import { bits, f32x4, floats, load, type Local, type Vector } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector, foldRun, joinLanes, storeTail, withTail } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitExp } from "./exponential.js";
import { emitUnary } from "./unary.js";

/** Softmax, or its logarithm, along the lanes. */
export interface SoftmaxOptions {
  /** Steps of input, output. */
  readonly axes: readonly Axis[];
  readonly lanes: number;
  readonly logarithm: boolean;
  /** What is behind the last lane, up to a whole vector, is the output's own. It becomes 0. */
  readonly padded: boolean;
}

/**
 * Three times over each run: its largest, so that nothing overflows; exponentials, stored, and their sum; their shares.
 * Of the logarithm, exponentials are summed and not stored. Parameters: input, output.
 */
export const softmax: Kernel<SoftmaxOptions> = {
  name: "softmax",
  emit({ axes, lanes, logarithm, padded }, engine) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [largest, sum, x] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const shifted = (value: Vector): Vector => f32x4.subtract(value, largest);
    nest(f, axes, f.parameters, () => {
      f.set(largest, floats(-Infinity));
      const [back = 0] = foldRun(f, largest, lanes, input, "max");
      joinLanes(f, largest, "max");
      f.advance(input, -back);
      f.set(sum, floats(0));
      const moving = logarithm ? [input] : [input, output];
      const moved = eachVector(f, lanes, moving, (offset, tail) => {
        f.set(x, shifted(load(input, offset)));
        emitPart(f, x, engine.fused);
        if (!logarithm) storeTail(f, output, offset, x, tail, padded);
        f.set(sum, f32x4.add(sum, withTail(x, tail, 0)));
      });
      joinLanes(f, sum, "sum");
      if (logarithm) emitUnary(f, sum, { kind: "log" });
      else f.set(sum, f32x4.divide(floats(1), sum));
      moving.forEach((pointer, at) => f.advance(pointer, -(moved[at] ?? 0)));
      const ended = eachVector(f, lanes, logarithm ? [input, output] : [output], (offset, tail) => {
        const share = logarithm
          ? f32x4.subtract(shifted(load(input, offset)), sum)
          : f32x4.multiply(load(output, offset), sum);
        f.set(x, share);
        storeTail(f, output, offset, x, tail, padded);
      });
      return logarithm ? ended : [0, ended[0] ?? 0];
    });
    return f;
  },

  reference({ axes, lanes, logarithm, padded }, { floats: memory }, at) {
    walk(axes, at, ([input = 0, output = 0]) => {
      const [from, to] = [input / floatBytes, output / floatBytes];
      const run = memory.slice(from, from + lanes);
      const largest = run.reduce((most, x) => Math.max(most, x), -Infinity);
      const sum = run.reduce((total, x) => total + Math.exp(x - largest), 0);
      run.forEach((x, lane) => {
        memory[to + lane] = logarithm ? x - largest - Math.log(sum) : Math.exp(x - largest) / sum;
      });
      if (padded) memory.fill(0, to + lanes, to + vectorsOf(lanes) * laneCount);
    });
  },
};

/** A smaller one counts as 0: its share could be less than the smallest normal float, with which processors are slow. */
const leastPart = 2 ** -115;

/** eˣ for x up to 0, as a part of a sum that is at least 1. Where a mask lowers what is not to be seen, most are 0. */
export function emitPart(f: FunctionBuilder, x: Local<"v128">, fused: boolean): void {
  emitExp(f, x, fused);
  f.set(x, bits.select(floats(0), x, f32x4.less(x, f.splat(leastPart))));
}

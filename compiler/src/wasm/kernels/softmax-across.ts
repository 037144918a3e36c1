import { f32x4, floats, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel, laneCount } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitPart } from "./softmax.js";
import { emitUnary } from "./unary.js";

/** Softmax, or its logarithm, along an axis other than the lanes: four at a time. */
export interface SoftmaxAcrossOptions {
  /** Vectors of lanes among them: steps of input, output. */
  readonly axes: readonly Axis[];
  /** Along which it is: steps of input, output. */
  readonly along: Axis;
  readonly logarithm: boolean;
}

/** As `softmax`, three times along the axis. Parameters: input, output. */
export const softmaxAcross: Kernel<SoftmaxAcrossOptions> = {
  name: "softmax-across",
  emit({ axes, along, logarithm }, engine) {
    const f = new FunctionBuilder(2);
    const [input, output] = [f.parameter(0), f.parameter(1)];
    const [largest, sum, x] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const back = along.steps.map((step) => -step * along.count);
    nest(f, axes, f.parameters, () => {
      f.set(largest, floats(-Infinity));
      nest(f, [along], [input], () => f.set(largest, f32x4.larger(load(input), largest)));
      f.advance(input, back[0] ?? 0);
      f.set(sum, floats(0));
      nest(f, [along], f.parameters, () => {
        f.set(x, f32x4.subtract(load(input), largest));
        emitPart(f, x, engine.fused);
        if (!logarithm) f.store(output, 0, x);
        f.set(sum, f32x4.add(sum, x));
      });
      if (logarithm) emitUnary(f, sum, { kind: "log" });
      else f.set(sum, f32x4.divide(floats(1), sum));
      f.advance(input, back[0] ?? 0);
      f.advance(output, back[1] ?? 0);
      return nest(f, [along], f.parameters, () => {
        const share = logarithm
          ? f32x4.subtract(f32x4.subtract(load(input), largest), sum)
          : f32x4.multiply(load(output), sum);
        f.store(output, 0, share);
      });
    });
    return f;
  },

  reference({ axes, along, logarithm }, { floats: memory }, at) {
    walk(axes, at, (pointers) => {
      for (let lane = 0; lane < laneCount; lane += 1) {
        const places: [number, number][] = [];
        walk([along], pointers, ([from = 0, to = 0]) =>
          places.push([from / floatBytes + lane, to / floatBytes + lane]),
        );
        const run = places.map(([from]) => memory[from] ?? 0);
        const largest = Math.max(...run);
        const sum = run.reduce((total, value) => total + Math.exp(value - largest), 0);
        places.forEach(([, to], at) => {
          const value = (run[at] ?? 0) - largest;
          memory[to] = logarithm ? value - Math.log(sum) : Math.exp(value) / sum;
        });
      }
    });
  },
};

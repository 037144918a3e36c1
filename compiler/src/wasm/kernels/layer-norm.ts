import { f32x4, floats, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector, foldRun, joinLanes, storeTail } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** y = γ·(x − mean) / √(variance + ε) + β along the lanes. */
export interface LayerNormOptions {
  /** Steps of input, output. */
  readonly axes: readonly Axis[];
  readonly lanes: number;
  readonly epsilon: number;
  readonly shift: boolean;
  /** What is behind the last lane, up to a whole vector, is the output's own. It becomes 0. */
  readonly padded: boolean;
}

/** Three times over each run: mean, variance, result. Parameters: input, γ, β, output. */
export const layerNorm: Kernel<LayerNormOptions> = {
  name: "layer-norm",
  emit({ axes, lanes, epsilon, shift, padded }) {
    const f = new FunctionBuilder(4);
    const [input, scale, bias, output] = [0, 1, 2, 3].map((at) => f.parameter(at));
    if (!input || !scale || !bias || !output) return f;
    const [mean, variance, x] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const spread = axes.map(({ count, steps: [from = 0, to = 0] }) => ({
      count,
      steps: [from, 0, 0, to],
    }));
    nest(f, spread, f.parameters, () => {
      f.set(mean, floats(0));
      const [back = 0] = foldRun(f, mean, lanes, input, "sum");
      joinLanes(f, mean, "sum");
      f.set(mean, f32x4.multiply(mean, floats(1 / lanes)));
      f.advance(input, -back);
      f.set(variance, floats(0));
      foldRun(f, variance, lanes, input, "sum-of-squares", (value) => f32x4.subtract(value, mean));
      joinLanes(f, variance, "sum");
      f.advance(input, -back);
      const root = f32x4.squareRoot(
        f32x4.add(f32x4.multiply(variance, floats(1 / lanes)), floats(epsilon)),
      );
      f.set(variance, f32x4.divide(floats(1), root));
      return eachVector(f, lanes, f.parameters, (offset, tail) => {
        const centred = f32x4.subtract(load(input, offset), mean);
        const scaled = f32x4.multiply(f32x4.multiply(centred, variance), load(scale, offset));
        f.set(x, shift ? f32x4.add(scaled, load(bias, offset)) : scaled);
        storeTail(f, output, offset, x, tail, padded);
      });
    });
    return f;
  },

  reference({ axes, lanes, epsilon, shift, padded }, { floats: memory }, at) {
    const [input = 0, scale = 0, bias = 0, output = 0] = at.map((address) => address / floatBytes);
    const inFloats = axes.map(({ count, steps }) => ({
      count,
      steps: steps.map((step) => step / floatBytes),
    }));
    walk(inFloats, [input, output], ([from = 0, to = 0]) => {
      const run = memory.slice(from, from + lanes);
      const mean = run.reduce((sum, x) => sum + x, 0) / lanes;
      const variance = run.reduce((sum, x) => sum + (x - mean) ** 2, 0) / lanes;
      run.forEach((x, lane) => {
        const unit = (x - mean) / Math.sqrt(variance + epsilon);
        const offset = shift ? (memory[bias + lane] ?? 0) : 0;
        memory[to + lane] = unit * (memory[scale + lane] ?? 0) + offset;
      });
      if (padded) memory.fill(0, to + lanes, to + vectorsOf(lanes) * laneCount);
    });
  },
};

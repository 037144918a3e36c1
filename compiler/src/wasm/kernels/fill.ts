import { f32, floats } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Writes one number: the zeros around an input of a convolution, the constant of a Pad. */
export interface FillOptions {
  /** Steps of the output. */
  readonly axes: readonly Axis[];
  /** Floats next to one another. */
  readonly run: number;
  readonly value: number;
}

/** Loops: axes › run. Parameter: the output. */
export const fill: Kernel<FillOptions> = {
  name: "fill",
  emit({ axes, run, value }) {
    const f = new FunctionBuilder(1);
    const output = f.parameter(0);
    nest(f, axes, [output], () => {
      const moved = eachVector(f, run - (run % laneCount), [output], (offset) =>
        f.store(output, offset, floats(value)),
      );
      for (let i = 0; i < run % laneCount; i += 1) f.storeFloat(output, i * floatBytes, f32(value));
      return moved;
    });
    return f;
  },

  reference({ axes, run, value }, { floats: memory }, at) {
    walk(axes, at, ([output = 0]) => {
      memory.fill(value, output / floatBytes, output / floatBytes + run);
    });
  },
};

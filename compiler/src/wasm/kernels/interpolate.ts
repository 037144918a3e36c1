import { f32x4, floats, i32Add, load, loadInteger, loadSplat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel, laneCount, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Along one axis, every place is a weighted sum of places of the input: linear and cubic resizing, one axis at a time. */
export interface InterpolateOptions {
  /** Around the axis: steps of input, output. */
  readonly axes: readonly Axis[];
  /** Places along the axis, and the output's step. */
  readonly places: { readonly count: number; readonly step: number };
  /** Places of the input that each is a sum of. */
  readonly taps: number;
  /** Whole vectors next to one another, which are summed alike. */
  readonly vectors: number;
}

/**
 * Loops: axes › places › vectors. The table holds, place by place, the offsets of its taps in bytes, then their weights.
 * Parameters: input, output, table.
 */
export const interpolate: Kernel<InterpolateOptions> = {
  name: "interpolate",
  emit({ axes, places, taps, vectors }) {
    const f = new FunctionBuilder(3);
    const [input, output, table] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const at = f.local("i32");
    const from = Array.from({ length: taps }, () => f.local("i32"));
    const weights = f.vectors(taps);
    const sum = f.local("v128");
    nest(f, axes, [input, output], () => {
      f.set(at, table);
      const place = { count: places.count, steps: [places.step, 2 * taps * floatBytes] };
      const [moved = 0] = nest(f, [place], [output, at], () => {
        from.forEach((pointer, tap) =>
          f.set(pointer, i32Add(input, loadInteger(at, tap * floatBytes))),
        );
        weights.forEach((weight, tap) => f.set(weight, loadSplat(at, (taps + tap) * floatBytes)));
        const pointers = [output, ...from];
        const vector = { count: vectors, steps: pointers.map(() => vectorBytes) };
        const [written = 0] = nest(f, [vector], pointers, () => {
          f.set(sum, floats(0));
          from.forEach((pointer, tap) => {
            const weight = weights[tap];
            if (weight === undefined) return;
            f.set(sum, f32x4.add(sum, f32x4.multiply(load(pointer), weight)));
          });
          f.store(output, 0, sum);
        });
        return [written, 0];
      });
      return [0, moved];
    });
    return f;
  },

  reference({ axes, places, taps, vectors }, { floats: memory, integers }, at) {
    const [, , table = 0] = at;
    walk(axes, at.slice(0, 2), ([input = 0, output = 0]) => {
      for (let place = 0; place < places.count; place += 1)
        for (let lane = 0; lane < vectors * laneCount; lane += 1) {
          let sum = 0;
          for (let tap = 0; tap < taps; tap += 1) {
            const entry = table / floatBytes + place * 2 * taps + tap;
            const from = (input + (integers[entry] ?? 0)) / floatBytes + lane;
            sum += (memory[from] ?? 0) * (memory[entry + taps] ?? 0);
          }
          memory[(output + place * places.step) / floatBytes + lane] = sum;
        }
    });
  },
};

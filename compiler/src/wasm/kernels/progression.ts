import { FunctionBuilder } from "../encode/function-builder.js";
import { add } from "../encode/scalar.js";
import { elementBytes } from "./element.js";
import { elementAt, loadElement, setElement, storeElement } from "./element-access.js";
import type { Kernel } from "./kernel.js";
import { nest } from "./nest.js";

/** Numbers that are equally far apart, next to one another. */
export interface ProgressionOptions {
  readonly element: "f32" | "i32" | "i64";
  readonly count: number;
}

/** One loop. Parameters: the first number, the distance, the output. Floats are summed up too, as onnxruntime does. */
export const progression: Kernel<ProgressionOptions> = {
  name: "progression",
  emit({ element, count }) {
    const f = new FunctionBuilder(3);
    const [first, distance, output] = [f.parameter(0), f.parameter(1), f.parameter(2)];
    const [value, step] = [f.local(element), f.local(element)];
    f.set(value, loadElement(element, first));
    f.set(step, loadElement(element, distance));
    nest(f, [{ count, steps: [elementBytes[element]] }], [output], () => {
      storeElement(f, element, output, 0, value);
      f.set(value, add(value, step));
    });
    return f;
  },

  reference({ element, count }, memory, [first = 0, distance = 0, output = 0]) {
    const step = elementAt(memory, element, distance);
    let value = elementAt(memory, element, first);
    for (let i = 0; i < count; i += 1) {
      setElement(memory, element, output + i * elementBytes[element], value);
      const next = added(value, step);
      value = element === "f32" ? Math.fround(Number(next)) : next;
    }
  },
};

function added(x: number | bigint, y: number | bigint): number | bigint {
  return typeof x === "bigint" && typeof y === "bigint" ? x + y : Number(x) + Number(y);
}

import { constant } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { i64, scalar } from "../encode/scalar.js";
import { eachVector } from "./across-lanes.js";
import { type Element, elementBytes, lanesOf } from "./element.js";
import { setElement, storeElement, typeOf } from "./element-access.js";
import { type Kernel, laneCount, type Memory, memoryOver, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Writes one number: the zeros around an input of a convolution, the constant of a Pad. */
export interface FillOptions {
  readonly element: Element;
  /** Steps of the output. */
  readonly axes: readonly Axis[];
  /** Elements next to one another. */
  readonly run: number;
  readonly value: number | bigint;
}

/** Loops: axes › run. Parameter: the output. */
export const fill: Kernel<FillOptions> = {
  name: "fill",
  emit({ element, axes, run, value }) {
    const f = new FunctionBuilder(1);
    const output = f.parameter(0);
    const perVector = lanesOf(element);
    const vectors = Math.floor(run / perVector);
    const image = memoryOver(new ArrayBuffer(vectorBytes));
    fillRun(image, element, 0, perVector, value);
    nest(f, axes, [output], () => {
      const moved = eachVector(f, vectors * laneCount, [output], (offset) =>
        f.store(output, offset, constant(image.bytes)),
      );
      for (let i = 0; i < run % perVector; i += 1) {
        const number = typeof value === "bigint" ? i64(value) : scalar(typeOf(element), value);
        storeElement(f, element, output, i * elementBytes[element], number);
      }
      return moved;
    });
    return f;
  },

  reference({ element, axes, run, value }, memory, at) {
    walk(axes, at, ([output = 0]) => fillRun(memory, element, output, run, value));
  },
};

function fillRun(
  memory: Memory,
  element: Element,
  at: number,
  count: number,
  value: number | bigint,
): void {
  for (let i = 0; i < count; i += 1)
    setElement(memory, element, at + i * elementBytes[element], value);
}

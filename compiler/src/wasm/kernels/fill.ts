import { constant, type Expression, i32Add } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { i64, scalar } from "../encode/scalar.js";
import { type Element, elementBytes, lanesOf } from "./element.js";
import { setElement, storeElement, typeOf } from "./element-access.js";
import { type Kernel, type Memory, memoryOver, vectorBytes } from "./kernel.js";
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

/** Its counts, steps and value are passed: halos of all sizes are few functions. */
const numbers = 8;

/**
 * Loops: axes › run, in vectors, of which the last one ends where the run does and may lie over the one before it.
 * Parameter: the output.
 */
export const fill: Kernel<FillOptions> = {
  name: "fill",
  emit({ element, axes, run, value }) {
    const f = new FunctionBuilder(1, numbers);
    const output = f.parameter(0);
    const number = (figure: number): Expression<"i32"> => f.figure(figure);
    const perVector = lanesOf(element);
    const vectors = Math.floor(run / perVector);
    const image = memoryOver(new ArrayBuffer(vectorBytes));
    fillRun(image, element, 0, perVector, value);
    const [low = 0, ...others] = image.integers;
    const isEqual = others.every((lane) => lane === low);
    const vector = isEqual ? f.spread("value", low) : constant(image.bytes);
    const last = f.local("i32");
    const overRun = (): readonly number[] => {
      if (vectors === 0) {
        for (let i = 0; i < run; i += 1) {
          const one = typeof value === "bigint" ? i64(value) : scalar(typeOf(element), value);
          storeElement(f, element, output, i * elementBytes[element], one);
        }
        return [0];
      }
      f.set(last, i32Add(output, number(run * elementBytes[element] - vectorBytes)));
      f.times(
        vectors,
        () => {
          f.store(output, 0, vector);
          f.advance(output, vectorBytes);
        },
        number(vectors),
      );
      f.store(last, 0, vector);
      return [vectors * vectorBytes];
    };
    nest(f, axes, [output], overRun, number);
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

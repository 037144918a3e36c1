import * as fc from "fast-check";
import { attribute, type Graph } from "../ir/index.js";
import { type Declared, graphOf } from "./rule-case.test.support.js";

export type Shape = readonly (number | string)[];

/** A graph of one Einsum; text is a free size. */
export function einsum(
  equation: string,
  shapes: readonly Shape[],
  dtype: "float32" | "float16" | "float64" | "int64" = "float32",
): Graph {
  const inputs = shapes.map((shape, at): [string, Declared] => [`x${at}`, [dtype, ...shape]]);
  return graphOf(Object.fromEntries(inputs), (input, b) => ({
    y: b.add(
      "Einsum",
      inputs.map(([name]) => input(name)),
      { equation: attribute.string(equation) },
    ),
  }));
}

/** Letters with sizes of their own; an operand may have 1 in the place of each. */
const sizes: Readonly<Record<string, number>> = { a: 2, b: 3, c: 4, d: 1, E: 2, f: 3 };
const letters = Object.keys(sizes);

const operand = fc.record({
  labels: fc.shuffledSubarray(letters, { maxLength: 4 }),
  dotsAt: fc.option(fc.nat(4), { freq: 3 }),
  ones: fc.array(fc.nat(7), { minLength: 6, maxLength: 6 }),
});

/** Of dots for axes of their number in all operands, and implied results without capitals: the engine knows no others. */
export const drawnEquation = fc
  .record({
    operands: fc.array(operand, { minLength: 1, maxLength: 4 }),
    order: fc.shuffledSubarray(letters, { minLength: letters.length }),
    isImplied: fc.boolean(),
    dots: fc.constantFrom([], [2], [3, 2]),
    dotsAt: fc.nat(6),
    kept: fc.array(fc.boolean(), { minLength: letters.length, maxLength: letters.length }),
  })
  .map(({ operands, order, isImplied, dots, dotsAt, kept }) => {
    const made = operands.map((one) => {
      const dims = one.labels.map((label) => sizes[label] ?? 1);
      const text = [...one.labels];
      if (one.dotsAt !== null) {
        dims.splice(one.dotsAt, 0, ...dots);
        text.splice(one.dotsAt, 0, "...");
      }
      const shape = dims.map((size, axis) => (one.ones[axis] === 0 ? 1 : size));
      return { text: text.join(""), shape };
    });
    const left = made.map(({ text }) => text).join(",");
    const result = order.filter((label, at) => kept[at] && left.includes(label));
    if (left.includes("...")) result.splice(dotsAt, 0, "...");
    const equation = isImplied ? left.replaceAll("E", "e") : `${left}->${result.join("")}`;
    return { equation, shapes: made.map(({ shape }) => shape) };
  });

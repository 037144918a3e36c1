import type { Dim } from "../../ir/index.js";
import { broadcastShapes } from "../families/broadcast.js";
import { larger } from "../families/symbolic.js";

/** One operand or the result: letters before and after an ellipsis; without one, all are before. */
interface Subscripts {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly ellipsis: boolean;
}

function subscripts(text: string): Subscripts {
  const [before = "", after] = text.split("...");
  return {
    before: before.split(""),
    after: (after ?? "").split(""),
    ellipsis: after !== undefined,
  };
}

/**
 * The shape that an Einsum gives. What "..." stands for is broadcast; without "->" the result has the letters that
 * occur once, in the alphabet's order. Undefined where a shape is not known or does not fit.
 */
export function einsumShape(
  equation: string,
  shapes: readonly (readonly Dim[] | undefined)[],
): readonly Dim[] | undefined {
  const [left = "", right] = equation.replaceAll(" ", "").split("->");
  const operands = left.split(",").map(subscripts);
  if (operands.length !== shapes.length) return undefined;
  const sizes = new Map<string, Dim>();
  const spread: (readonly Dim[])[] = [];
  for (const [index, { before, after, ellipsis }] of operands.entries()) {
    const shape = shapes[index];
    const extra = shape === undefined ? -1 : shape.length - before.length - after.length;
    if (shape === undefined || extra < 0 || (extra > 0 && !ellipsis)) return undefined;
    spread.push(shape.slice(before.length, before.length + extra));
    [...before, ...after].forEach((letter, at) => {
      const size = shape[at < before.length ? at : at + extra] ?? 1;
      const known = sizes.get(letter);
      sizes.set(letter, known === undefined || known === 1 ? size : common(known, size));
    });
  }
  const middle = broadcastShapes(spread);
  const result = right === undefined ? implied(operands) : subscripts(right);
  const found = [...result.before, ...result.after].map((letter) => sizes.get(letter));
  if (middle === undefined || !found.every((size) => size !== undefined)) return undefined;
  return [
    ...found.slice(0, result.before.length),
    ...(result.ellipsis ? middle : []),
    ...found.slice(result.before.length),
  ];
}

/** Of two sizes of one letter: equal, unless one is 1 and is spread. A number says more than a symbol. */
function common(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (typeof a === "number") return a;
  return typeof b === "number" ? b : larger(a, b);
}

function implied(operands: readonly Subscripts[]): Subscripts {
  const letters = operands.flatMap(({ before, after }) => [...before, ...after]);
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  const ellipsis = operands.some((operand) => operand.ellipsis);
  return { before: [], after: once.sort(), ellipsis };
}

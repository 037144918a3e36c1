import { attribute, type ValueId } from "../../ir/index.js";
import { einsumLabels } from "../families/einsum.js";
import type { Backward } from "./backward.js";

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");

/**
 * Each operand gets the cotangent times all others, summed over the labels that it does not have. What it alone has was
 * summed over: the same number goes to every place.
 */
export function einsum(backward: Backward): readonly (ValueId | null)[] {
  const { emit, node, attributes } = backward;
  const equation = attributes.string("equation", "");
  const dims = node.inputs.map((_, index) => backward.dims(index));
  const labels = einsumLabels(equation, dims.map(({ length }) => length)); // prettier-ignore
  const unknown = () => backward.unsupported(`no rule is written for ${equation}`);
  if (labels === undefined) throw unknown();
  const { operands, result } = labels;
  const sizes = new Map<string, number>();
  for (const [index, own] of operands.entries())
    for (const [axis, label] of own.entries()) {
      const size = dims[index]?.[axis] ?? 1;
      if (own.indexOf(label) !== axis || (sizes.get(label) ?? size) !== size) throw unknown();
      sizes.set(label, size);
    }
  const letterOf = new Map([...sizes.keys()].map((label, at) => [label, letters[at]]));
  if (letterOf.size > letters.length) throw unknown();
  const term = (own: readonly string[]) => own.map((label) => letterOf.get(label)).join("");
  return operands.map((own, index) =>
    backward.where(index, () => {
      const others = operands.flatMap((labelled, at) =>
        at === index ? [] : [{ labelled, value: backward.input(at) }],
      );
      const given = [{ labelled: result, value: backward.cotangent() }, ...others];
      const known = new Set(given.flatMap(({ labelled }) => labelled));
      const summed = own.filter((label) => !known.has(label));
      if (summed.length > 0) {
        const shape = summed.map((label) => sizes.get(label) ?? 1);
        const ones = emit.shift(emit.zeros(shape, backward.input(index)), 1);
        given.push({ labelled: summed, value: ones });
      }
      const left = given.map(({ labelled }) => term(labelled)).join(",");
      const back = { equation: attribute.string(`${left}->${term(own)}`) };
      return emit.node("Einsum", given.map(({ value }) => value), back); // prettier-ignore
    }),
  );
}

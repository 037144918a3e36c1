import { attribute, type ValueId } from "../../ir/index.js";
import type { Translate, Translation } from "../translation.js";
import { fusedOf } from "./fused.js";

/** A product of matrices, of which each may be taken turned. */
const product =
  (turnA: string, turnB: string): Translate =>
  (at) => {
    const a = turned(at, at.input(0), at.attributes.flag(turnA));
    const b = turned(at, at.input(1), at.attributes.flag(turnB));
    const made = at.add("MatMul", [a, b]);
    const { bias, after } = fusedOf(at, 2);
    return after(bias === undefined ? made : at.add("Add", [made, bias]));
  };

function turned(at: Translation, value: ValueId, isTurned: boolean): ValueId {
  if (!isTurned) return value;
  const rank = at.rank(value);
  const outer = Array.from({ length: rank - 2 }, (_, axis) => axis);
  return at.transpose(value, [...outer, rank - 1, rank - 2]);
}

export const matrices: Readonly<Record<string, Translate>> = {
  BatchMatMul: product("adj_x", "adj_y"),
  BatchMatMulV2: product("adj_x", "adj_y"),
  Einsum: (at) =>
    at.add("Einsum", at.inputs, {
      equation: attribute.string(at.attributes.text("equation") ?? at.invalid("has no equation")),
    }),
  MatMul: product("transpose_a", "transpose_b"),
  Transpose: (at) => at.transpose(at.input(0), at.numbers(1, "axes")),
  _FusedMatMul: product("transpose_a", "transpose_b"),
};

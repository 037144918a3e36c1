import { elementCount } from "@pare/runtime/format";
import { attribute, type ValueId } from "../../ir/index.js";
import type { Some } from "../schema/cells.js";
import type { matrixSchemas } from "../schema/matrix.js";
import type { Backward } from "./backward.js";
import { unbroadcast } from "./broadcast.js";
import { einsum } from "./einsum.js";
import type { Gradient } from "./gradient.js";

/** Y = A · B: dA = dY · Bᵀ and dB = Aᵀ · dY, summed over the batch axes that were broadcast. */
function product(backward: Backward): readonly (ValueId | null)[] {
  const { emit } = backward;
  const aDims = backward.dims(0);
  const bDims = backward.dims(1);
  // A vector is a row on the left and a column on the right, and its 1 is missing in Y.
  const a = aDims.length === 1 ? emit.reshape(backward.input(0), [1, ...aDims]) : backward.input(0);
  const b = bDims.length === 1 ? emit.reshape(backward.input(1), [...bDims, 1]) : backward.input(1);
  const rows = emit.shape(a).at(-2) ?? 1;
  const inner = emit.shape(a).at(-1) ?? 1;
  const columns = emit.shape(b).at(-1) ?? 1;
  const given = backward.cotangent();
  const batch = emit
    .shape(given)
    .slice(
      0,
      emit.shape(given).length - Math.min(1, aDims.length - 1) - Math.min(1, bDims.length - 1),
    );
  const dY = emit.reshape(given, [...batch, rows, columns]);
  const left = () => {
    const full = emit.node("MatMul", [dY, emit.swap(b)]);
    return emit.reshape(unbroadcast(emit, full, emit.shape(a)), aDims);
  };
  const right = () => {
    if (
      emit.shape(b).length === 2 &&
      elementCount(emit.shape(a)) === elementCount(batch) * rows * inner
    ) {
      // One product over all rows instead of one for each of the batch and a sum.
      const count = elementCount(batch) * rows;
      const all = [emit.reshape(a, [count, inner]), emit.reshape(dY, [count, columns])];
      return emit.reshape(emit.node("Gemm", all, { transA: attribute.int(1) }), bDims);
    }
    const full = emit.node("MatMul", [emit.swap(a), dY]);
    return emit.reshape(unbroadcast(emit, full, emit.shape(b)), bDims);
  };
  return [backward.where(0, left), backward.where(1, right)];
}

/** Y = α · A′ · B′ + β · C, where ′ may be a transposition. */
function gemm(backward: Backward): readonly (ValueId | null)[] {
  const { emit, attributes } = backward;
  const dY = backward.cotangent();
  const transA = attributes.int("transA", 0) !== 0;
  const transB = attributes.int("transB", 0) !== 0;
  const times = (left: ValueId, right: ValueId, leftTurned: boolean, rightTurned: boolean) =>
    emit.node("Gemm", [left, right], {
      transA: attribute.int(leftTurned ? 1 : 0),
      transB: attribute.int(rightTurned ? 1 : 0),
      alpha: attribute.float(attributes.float("alpha", 1)),
    });
  const [a, b] = [backward.input(0), backward.input(1)];
  return [
    backward.where(0, () => (transA ? times(b, dY, transB, true) : times(dY, b, false, !transB))),
    backward.where(1, () => (transB ? times(dY, a, true, transA) : times(a, dY, !transA, false))),
    backward.where(2, () =>
      emit.scale(unbroadcast(emit, dY, backward.dims(2)), attributes.float("beta", 1)),
    ),
  ];
}

export const matrixGradients: Some<typeof matrixSchemas, Gradient> = {
  MatMul: product,
  Gemm: gemm,
  Einsum: einsum,
};

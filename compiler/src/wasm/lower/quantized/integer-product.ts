import { inFours } from "../../kernels/kernel.js";
import { packedI8At, packedI8Length } from "../../kernels/matrix-i8.js";
import { type Axis, collapsed } from "../../kernels/nest.js";
import { rowMajor, sizeAt, stepAt } from "../../plan/view.js";
import { joinedAxes } from "../image.js";
import type { LoweringRow } from "../lowering-row.js";
import { blockOf } from "./blocks.js";
import { byteWeights, refuseIntegers, weightOf } from "./byte-weights.js";
import { planIntegerSum } from "./integer-sum.js";
import { denseRows } from "./product.js";

/** Rows of bytes, of which only a run knows the zero point, times a constant matrix of bytes. */
export const integerProductRow: LoweringRow = {
  types: ["uint8", "int32"],
  refuse(node) {
    const [a, b] = [node.dims(0), node.dims(1)];
    if (b.length !== 2 || a.length < 2 || node.outputDims().length !== a.length)
      return "it is compiled where the weights are one matrix, and multiply rows";
    if (a.at(-1) !== b[0]) return "its matrices do not fit";
    return refuseIntegers(node, b[1] ?? 1);
  },
  lower(node, l) {
    const weights = byteWeights(node, l, 1);
    const rank = node.outputDims().length;
    const x = denseRows(l, node.required(0));
    const run = inFours(weights.depth);
    planIntegerSum(node, l, weights, {
      groups: 1,
      order: rowMajor(rank),
      channel: rank - 1,
      seen: (result) => result,
      sums: (y, outputs) => {
        const packed = new Int8Array(packedI8Length(run, outputs));
        for (let k = 0; k < weights.depth; k += 1)
          for (let n = 0; n < outputs; n += 1)
            packed[packedI8At(k, n, run, outputs)] = weightOf(weights, 1, 0, n, k);
        const loops = collapsed(
          rowMajor(rank - 1).map((axis): Axis => ({
            count: sizeAt(y, axis),
            steps: [stepAt(x, axis), stepAt(y, axis), 0],
          })),
        );
        const [rows, columns] = joinedAxes(loops.slice(-2));
        const batch = loops.slice(0, -2).map(({ count, steps: [from = 0, to = 0] }) => ({
          count,
          steps: [from, 0, 0, to, 0],
        }));
        return {
          input: x.place,
          weights: packed,
          loops: { batch, rows, columns, taps: [], run },
          block: blockOf(rows, columns, packed.length),
        };
      },
    });
  },
};

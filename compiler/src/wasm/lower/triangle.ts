import { elementCount } from "@pare/runtime/format";
import { lowerMap } from "./elementwise.js";
import type { LoweringRow } from "./lowering-row.js";
import type { NodeFacts } from "./node-facts.js";

/** Each element of a matrix has a truth value: of the mask of 4,096 places by as many, 64 MB. */
const mostTruths = 2 ** 24;

/** Trilu: what lies on one side of a diagonal, by truth values that are known; the rest is 0. */
export const triangleRow: LoweringRow = {
  types: ["float32", "bool", "int32"],
  constantBytes: (node) => Int32Array.BYTES_PER_ELEMENT * elementCount(matrixOf(node)),
  refuse(node) {
    if (elementCount(matrixOf(node)) > mostTruths)
      return `matrices of more than ${mostTruths} elements are not compiled`;
    const isOpen = node.input(1) !== undefined && node.numbers(1) === undefined;
    return isOpen ? "which diagonal must be constant" : undefined;
  },
  lower(node, l) {
    const [rows = 1, columns = 1] = matrixOf(node);
    const diagonal = node.numbers(1)?.[0] ?? 0;
    const isUpper = node.attributes.int("upper", 1) !== 0;
    const kept = Int32Array.from({ length: rows * columns }, (_, at) => {
      const distance = (at % columns) - Math.floor(at / columns) - diagonal;
      return (isUpper ? distance >= 0 : distance <= 0) ? 1 : 0;
    });
    const truths = { numbers: kept, dims: [rows, columns] };
    const choice = { choice: { input: 1 }, x: { input: 0 }, y: { constant: 0 } };
    lowerMap(l, node.output(), [node.required(0), truths], [choice]);
  },
};

function matrixOf(node: NodeFacts): readonly number[] {
  return node.dims(0).slice(-2);
}

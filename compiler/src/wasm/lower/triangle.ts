import { lowerMap } from "./elementwise.js";
import type { LoweringRow } from "./lowering-row.js";

/** Trilu: what lies on one side of a diagonal, by truth values that are known; the rest is 0. */
export const triangleRow: LoweringRow = {
  types: ["float32", "bool", "int32"],
  refuse(node) {
    const isOpen = node.input(1) !== undefined && node.numbers(1) === undefined;
    return isOpen ? "which diagonal must be constant" : undefined;
  },
  lower(node, l) {
    const [rows = 1, columns = 1] = node.dims(0).slice(-2);
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

import type { LoweringRow } from "../lowering-row.js";
import type { Lowering } from "../lowering.js";
import { dtypeOf, type NodeFacts } from "../node-facts.js";

/** A row for floats whose work is done on bytes where these are what it reads. @param lower says whether it did it */
export function onBytes(
  row: LoweringRow,
  lower: (node: NodeFacts, l: Lowering) => boolean,
): LoweringRow {
  return {
    ...row,
    lower(node, l) {
      if (!lower(node, l)) row.lower(node, l);
    },
  };
}

/** A row for floats, and another one where the operator itself takes and gives bytes. */
export function ofBytes(row: LoweringRow, bytes: LoweringRow): LoweringRow {
  const rowOf = (node: NodeFacts): LoweringRow =>
    dtypeOf(node.graph, node.required(0)) === "uint8" ? bytes : row;
  return {
    types: [...(row.types ?? ["float32"]), "uint8"],
    refuse: (node) => rowOf(node).refuse?.(node),
    lower: (node, l) => rowOf(node).lower(node, l),
  };
}

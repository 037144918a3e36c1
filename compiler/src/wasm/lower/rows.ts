import type { Node, ValueId } from "../../ir/index.js";

/** An axis of rows of which only a run knows how many there are. */
export interface Rows {
  /** The node that counts them. */
  readonly source: Node["id"];
  readonly axis: number;
  /** How many elements along it are of a row. */
  readonly each: number;
}

/** By value. */
export type RowsOf = ReadonlyMap<ValueId, Rows>;

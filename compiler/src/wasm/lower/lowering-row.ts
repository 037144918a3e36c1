import type { Dtype } from "@pare/runtime/format";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import type { RowRule } from "./row-rules.js";
import type { Rows } from "./rows.js";

/** How an operator is compiled. A new operator is a row in `lowerings.ts`. */
export interface LoweringRow {
  /** Types of what it computes with and gives; float32 alone where not given. What is constant is left to `refuse`. */
  readonly types?: readonly Dtype[];
  /** Why a node of known shapes cannot be; undefined where it can. */
  readonly refuse?: (node: NodeFacts) => string | undefined;
  /** Whether rows of which only a run knows how many there are pass through it; absent where they never do. */
  readonly rows?: RowRule;
  /** Whether it makes of them something that has a size of its own; absent where it never does. */
  readonly endsRows?: (node: NodeFacts, rows: Rows) => boolean;
  /** Of constants that it makes of nothing but sizes: as many as a file asks for. Absent where it makes none to speak of. */
  readonly constantBytes?: (node: NodeFacts) => number;
  /** Plans the node's work, and says where its outputs lie. It was not refused. */
  readonly lower: (node: NodeFacts, l: Lowering) => void;
}

import type { Graph } from "../../ir/index.js";
import { type BoundedForm, boundRows } from "./bounded-rows.js";
import { integerForm, type IntegerForm } from "./quantized/integer-form.js";

/** A graph as it is lowered, with what is known of it besides. */
export interface LoweredForm extends IntegerForm, BoundedForm {}

/** A simplified graph in the form in which it is lowered: itself, where it holds no integers and counts no rows. */
export async function loweredForm(graph: Graph): Promise<LoweredForm> {
  const integers = await integerForm(graph);
  return { ...integers, ...boundRows(integers.graph) };
}

import { keyOf } from "../../ops/index.js";
import type { Plan } from "../plan/plan.js";
import { placeInput, placeOutput } from "./boundary.js";
import { earlyNodes } from "./early-nodes.js";
import { otherFloatsOutput } from "./other-floats.js";
import { Lowering } from "./lowering.js";
import { lowerings } from "./lowerings.js";
import { type Arrays, NodeFacts } from "./node-facts.js";
import type { LoweredForm } from "./lowered-form.js";
import { absorbFunctions } from "./quantized/table.js";
import { loweringOrder } from "./order.js";
import { textOutput } from "./text-output.js";

/**
 * A simplified graph as calls of kernels. Nothing stands against it: `refusals` is empty.
 * @param arrays the elements of its constants
 */
export function lower({ graph, stored, rows }: LoweredForm, arrays: Arrays): Plan {
  const l = new Lowering(graph, arrays, stored, rows, earlyNodes(graph, rows));
  absorbFunctions(l);
  for (const id of graph.main.inputs) {
    // One with a constant has a default: it is fixed to that.
    if (graph.constant(id) === undefined) placeInput(l, id);
  }
  for (const id of graph.main.outputs) {
    const converted = textOutput(graph, id) ?? otherFloatsOutput(graph, id);
    if (converted !== undefined) l.absorbed.add(converted.node);
  }
  for (const node of loweringOrder(graph)) {
    if (l.absorbed.has(node)) continue;
    const plan = (): void => lowerings.get(keyOf(node))?.lower(new NodeFacts(graph, node), l);
    if (l.early.has(node)) l.plan.atStart(plan);
    else plan();
  }
  for (const id of graph.main.outputs) placeOutput(l, id);
  return l.plan.plan();
}

import type { Graph } from "../../ir/index.js";
import { floatBytes } from "../kernels/kernel.js";
import type { Plan } from "../plan/plan.js";
import { isDense, rowMajor, type View, viewOf } from "../plan/view.js";
import { Lowering } from "./lowering.js";
import { lowerings } from "./lowerings.js";
import { type Arrays, NodeFacts, shapeOf } from "./node-facts.js";

/**
 * A simplified graph as calls of kernels. Nothing stands against it: `refusals` is empty.
 * @param arrays the elements of its constants
 */
export function lower(graph: Graph, arrays: Arrays): Plan {
  const l = new Lowering(graph, arrays);
  for (const id of graph.main.inputs) {
    const { name, constant } = graph.value(id);
    if (constant !== undefined) continue; // a default: it is fixed to that
    const dims = l.dims(id);
    const { steps, bytes } = denseSteps(dims);
    const place = { in: l.plan.buffer(bytes, name), offset: 0 };
    l.plan.input({ name, type: "float32", dims: ownDims(graph, id), place });
    l.set(id, viewOf(place, dims, steps));
  }
  for (const node of graph.order()) {
    if (l.absorbed.has(node)) continue;
    lowerings.get(node.op)?.lower(new NodeFacts(graph, node), l);
  }
  for (const id of graph.main.outputs) {
    const view = outputView(l, l.view(id));
    const { name } = graph.value(id);
    l.plan.output({ name, type: "float32", dims: ownDims(graph, id), place: view.place });
  }
  return l.plan.plan();
}

/** An output is row-major without gaps, in memory that holds nothing else afterwards. */
function outputView(l: Lowering, view: View): View {
  const isInput = l.plan.inputs.some(({ place }) => place.in === view.place.in);
  if (view.place.in.kind === "buffer" && !isInput && isDense(view)) return view;
  return l.copied(view, { order: rowMajor(view.dims.length), padded: false, halo: [] });
}

function ownDims(graph: Graph, id: Parameters<Graph["value"]>[0]): readonly number[] {
  return (shapeOf(graph, id) ?? []).map(Number);
}

function denseSteps(dims: readonly number[]): {
  readonly steps: readonly number[];
  readonly bytes: number;
} {
  let bytes = floatBytes;
  const steps = [...dims].reverse().map((size) => {
    const step = bytes;
    bytes *= size;
    return step;
  });
  return { steps: steps.reverse(), bytes };
}

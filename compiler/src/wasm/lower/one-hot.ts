import { normalAxis } from "../../ops/families/indexing.js";
import type { Elements } from "../kernels/element.js";
import { rowMajor, sliced, type View, viewOf } from "../plan/view.js";
import { planIntegerMap } from "./integers.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { planMap } from "./map-views.js";
import { dtypeOf, type NodeFacts } from "./node-facts.js";

/** Each has a place in a table. */
const mostDepth = 2 ** 20;

/** Along a new axis one value where an index says, and another elsewhere. An index below 0 counts from the end. */
export const oneHotRow: LoweringRow = {
  types: ["float32", "int32", "int64"],
  refuse(node) {
    if (dtypeOf(node.graph, node.required(0)) === "float32")
      return "indices that are floats are not compiled";
    if (depthOf(node) > mostDepth) return `more than ${mostDepth} values are not told apart`;
    return node.isConstant(2) ? undefined : "its two values must be constant";
  },
  lower(node, l) {
    const dims = node.outputDims();
    const axis = axisOf(node);
    const depth = depthOf(node);
    const layout = { order: rowMajor(dims.length), padded: false, halo: [] };
    const truths = (): View => l.temporary(dims, layout, "truths", "i32");
    const indices = widenedAt(l.view(node.required(0)), axis, dims.length);
    const places = (from: number): View => {
      const numbers = Array.from({ length: depth }, (_, at) => from + at);
      const own = dims.map((size, at) => (at === axis ? size : 1));
      return l.constantView(integersOf(indices, numbers), own);
    };
    const [fromStart, fromEnd, chosen] = [truths(), truths(), truths()];
    planIntegerMap(l, fromStart, "equal", [indices, places(0)]);
    planIntegerMap(l, fromEnd, "equal", [indices, places(-depth)]);
    const either = { logic: "or" as const, x: { input: 0 }, y: { input: 1 } };
    planMap(l, [fromStart, fromEnd], chosen, [either]);
    lowerChoice(node, l, chosen);
  },
};

function axisOf(node: NodeFacts): number {
  return normalAxis(node.attributes.int("axis", -1), node.outputDims().length);
}

function depthOf(node: NodeFacts): number {
  return node.outputDims()[axisOf(node)] ?? 1;
}

/** With an axis of one element among its own. A scalar has but this. */
function widenedAt(view: View, axis: number, rank: number): View {
  if (view.dims.length === rank) return view;
  const into = <T>(list: readonly T[], one: T): readonly T[] => [
    ...list.slice(0, axis),
    one,
    ...list.slice(axis),
  ];
  const { element } = view;
  return viewOf(view.place, into(view.dims, 1), into(view.steps, 0), { element });
}

function integersOf({ element }: View, numbers: readonly number[]): Elements {
  return element === "i64" ? BigInt64Array.from(numbers.map(BigInt)) : Int32Array.from(numbers);
}

function lowerChoice(node: NodeFacts, l: Lowering, chosen: View): void {
  const id = node.output();
  const y = l.allocate(id, rowMajor(node.outputDims().length), { exact: true });
  const values = node.required(2);
  if (y.element === "f32") {
    const [off = 0, on = 1] = l.floats(values) ?? [];
    const choice = { choice: { input: 0 }, x: { constant: on }, y: { constant: off } };
    return planMap(l, [chosen], y, [choice]);
  }
  const [on, off] = [1, 0].map((at) => sliced(l.view(values), 0, at, 1));
  if (on !== undefined && off !== undefined) planIntegerMap(l, y, "choose", [chosen, on, off]);
}

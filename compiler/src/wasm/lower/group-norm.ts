import type { Instruction } from "../kernels/map.js";
import { orderOf, reshaped, rowMajor, sizeAt, type View } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import type { Lowering } from "./lowering.js";
import { planMap } from "./map-views.js";
import { planMove } from "./move.js";
import type { NodeFacts } from "./node-facts.js";
import { reducedView } from "./reduction.js";

/**
 * GroupNormalization and InstanceNormalization, whose groups are single channels: y = scale · (x − mean) / √(variance + ε)
 * + bias, mean and variance of a group's channels and all their places. A group is an axis of its own in a view of the
 * input: [N, groups, channels of a group, places…].
 */
export const groupNormRow: LoweringRow = {
  refuse(node) {
    const [, channels = 1] = node.dims(0);
    const fits = [1, 2].every((at) => {
      const [count = 1, ...more] = node.dims(at);
      return node.isConstant(at) && more.length === 0 && count === channels;
    });
    return fits ? undefined : "scale and bias must be constant, a number for each channel";
  },
  lower(node, l) {
    const [batch = 1, channels = 1, ...places] = node.dims(0);
    const groups = groupsOf(node);
    const dims = [batch, groups, channels / groups, ...places];
    const given = l.laned(l.view(node.required(0)));
    const y = l.allocate(node.output(), orderOf(given), { exact: true });
    // An axis is split where it lies: that always can be.
    const x = l.laned(l.withDims(given, dims));
    const plain = { order: rowMajor(dims.length), padded: false, halo: [] };
    const there = reshaped(y, dims) ?? y;
    // One channel behind others that it is joined with has no lanes there.
    const result = there.lanes >= 0 ? there : l.temporary(dims, plain, "normalized");
    const axes = rowMajor(dims.length).slice(2);
    const count = axes.reduce((product, axis) => product * sizeAt(x, axis), 1);
    const layout = { order: orderOf(result), padded: false, halo: [] };
    const rows = x.lanes === result.lanes ? x : l.withLanes(x, result.lanes);

    const mean = reducedView(l, x, axes, "sum", [{ kind: "scale", by: 1 / count }]);
    const centered = l.temporary(dims, layout, "centered");
    const operands = [rows, spreadable(l, mean, centered)];
    planMap(l, operands, centered, [{ binary: "subtract", x: { input: 0 }, y: { input: 1 } }]);
    const factor = reducedView(l, centered, axes, "sum-of-squares", [
      { kind: "scale", by: 1 / count },
      { kind: "offset", by: node.attributes.float("epsilon", 1e-5) },
      { kind: "square-root" },
      { kind: "reciprocal" },
    ]);
    const parameter = (at: number): View => {
      const numbers = l.floats(node.required(at)) ?? new Float32Array();
      const own = dims.map((size, axis) => (axis === 1 || axis === 2 ? size : 1));
      return l.constantView(numbers, own, layout.order);
    };
    const program: readonly Instruction[] = [
      { binary: "multiply", x: { input: 0 }, y: { input: 1 } },
      { binary: "multiply", x: { result: 0 }, y: { input: 2 } },
      { binary: "add", x: { result: 1 }, y: { input: 3 } },
    ];
    const inputs = [centered, spreadable(l, factor, result), parameter(1), parameter(2)];
    planMap(l, inputs, result, program);
    if (result !== there) planMove(l.plan, result.place, result.steps, there);
  },
};

function groupsOf(node: NodeFacts): number {
  const [, channels = 1] = node.dims(0);
  return node.node.op === "InstanceNormalization"
    ? channels
    : node.attributes.int("num_groups", channels);
}

/** A view to be read beside others: its lanes lie along the result's, or are one. */
function spreadable(l: Lowering, view: View, result: View): View {
  return sizeAt(view, result.lanes) === 1 ? view : l.withLanes(view, result.lanes);
}

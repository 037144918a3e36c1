import { normalAxis } from "../../ops/families/indexing.js";
import { elementBytes } from "../kernels/element.js";
import { gather, type GatherOptions } from "../kernels/gather.js";
import { floatBytes } from "../kernels/kernel.js";
import { type Axis, collapsed } from "../kernels/nest.js";
import type { Run } from "../kernels/run.js";
import { rowMajor, sizeAt, stepAt, type View } from "../plan/view.js";
import { heldTypes } from "./element-of-type.js";
import type { LoweringRow } from "./lowering-row.js";
import { gatheredRows, placedRows } from "./row-rules.js";
import type { Lowering } from "./lowering.js";
import { planMove } from "./move.js";
import { mostMoved, moveByAxes } from "./movement.js";
import { dtypeOf, type NodeFacts } from "./node-facts.js";

/** Elements that are known are views or one copy, where each axis moves by itself; others are looked up when the model runs. */
export const gatherRow: LoweringRow = {
  rows: gatheredRows,
  types: heldTypes,
  lower(node, l) {
    const isKnown = node.isConstant(1) && !node.isConstant(0) && isSmall(node);
    if (isKnown && moveByAxes(node, l)) return;
    const [table, indices] = [l.view(node.required(0)), l.view(node.required(1))];
    const axis = axisOf(node, table.dims.length);
    const rows = rowsOf(node, l);
    // A scalar of indices counts as one element, and adds no axis.
    const rank = node.outputDims().length - (table.dims.length - 1);
    const added = rowMajor(Math.max(0, rank));
    planGather(l, indices, table, rows, {
      axes: [
        ...rowMajor(axis).map((at) => ({
          count: sizeAt(table, at),
          steps: [0, stepAt(table, at), stepAt(rows, at)],
        })),
        ...added.map((at) => ({
          count: sizeAt(indices, at),
          steps: [stepAt(indices, at), 0, stepAt(rows, axis + at)],
        })),
      ],
      tuple: [{ size: sizeAt(table, axis), step: stepAt(table, axis) }],
      tupleStep: 0,
      inner: rowMajor(table.dims.length)
        .slice(axis + 1)
        .map((at) => inside(table, rows, at, at + rows.dims.length - table.dims.length)),
      direction: "read",
      join: "none",
    });
  },
};

function isSmall(node: NodeFacts): boolean {
  return [node.dims(0), node.outputDims()].every(
    (dims) => dims.reduce((product, size) => product * size, 1) <= mostMoved,
  );
}

/** Each element from its own place along one axis. */
export const gatherElementsRow: LoweringRow = {
  types: heldTypes,
  lower(node, l) {
    const [table, indices] = [l.view(node.required(0)), l.view(node.required(1))];
    const rows = rowsOf(node, l);
    planGather(l, indices, table, rows, alongOne(node, indices, table, rows, "read", "none"));
  },
};

/** Parts of a tensor by indices of its first axes, after those that are as many in both. */
export const gatherNdRow: LoweringRow = {
  rows: placedRows,
  types: heldTypes,
  lower(node, l) {
    const [table, indices] = [l.view(node.required(0)), l.view(node.required(1))];
    const batch = node.attributes.int("batch_dims", 0);
    const rows = rowsOf(node, l);
    planGather(l, indices, table, rows, byTuples(indices, table, rows, batch, "read", "none"));
  },
};

function scatterRow(
  optionsOf: (node: NodeFacts, indices: View, table: View, rows: View, join: Joined) => Given,
): LoweringRow {
  return {
    types: heldTypes,
    refuse(node) {
      const join = joinOf(node);
      if (join === undefined) return "its reduction is not known";
      return join !== "none" && dtypeOf(node.graph, node.output()) !== "float32"
        ? "only floats are joined with what is there"
        : undefined;
    },
    lower(node, l) {
      const [data, indices, rows] = [0, 1, 2].map((at) => l.view(node.required(at)));
      if (data === undefined || indices === undefined || rows === undefined) return;
      const table = rowsOf(node, l);
      planMove(l.plan, data.place, data.steps, table);
      const join = joinOf(node);
      if (join === undefined) throw node.fault("joins in a way that is not known");
      const options = optionsOf(node, indices, table, rows, join);
      planGather(l, indices, table, rows, options);
    },
  };
}

/** The input with updates written over parts of it, the later over the earlier. */
export const scatterElementsRow = scatterRow((node, indices, table, rows, join) =>
  alongOne(node, indices, table, rows, "write", join),
);

export const scatterNdRow = scatterRow((_, indices, table, rows, join) =>
  byTuples(indices, table, rows, 0, "write", join),
);

type Joined = GatherOptions["join"];
type Given = Omit<GatherOptions, "index" | "run">;

const joins: Readonly<Record<string, Joined>> = {
  none: "none",
  add: "add",
  mul: "multiply",
  min: "min",
  max: "max",
};

function joinOf(node: NodeFacts): Joined | undefined {
  return joins[node.attributes.string("reduction", "none")];
}

function axisOf(node: NodeFacts, rank: number): number {
  return normalAxis(node.attributes.int("axis", 0), rank);
}

function rowsOf(node: NodeFacts, l: Lowering): View {
  return l.allocate(node.output(), rowMajor(node.outputDims().length), { exact: true });
}

function inside(table: View, rows: View, tableAxis: number, rowAxis: number): Axis {
  return {
    count: sizeAt(table, tableAxis),
    steps: [stepAt(table, tableAxis), stepAt(rows, rowAxis)],
  };
}

function alongOne(
  node: NodeFacts,
  indices: View,
  table: View,
  rows: View,
  direction: "read" | "write",
  join: Joined,
): Given {
  const axis = axisOf(node, table.dims.length);
  const steps = table.steps.map((step, at) => (at === axis ? 0 : step));
  return {
    axes: rowMajor(indices.dims.length).map((at) => ({
      count: sizeAt(indices, at),
      steps: [stepAt(indices, at), steps[at] ?? 0, stepAt(rows, at)],
    })),
    tuple: [{ size: sizeAt(table, axis), step: stepAt(table, axis) }],
    tupleStep: 0,
    inner: [],
    direction,
    join,
  };
}

function byTuples(
  indices: View,
  table: View,
  rows: View,
  batch: number,
  direction: "read" | "write",
  join: Joined,
): Given {
  const last = indices.dims.length - 1;
  const count = sizeAt(indices, last);
  const components = rowMajor(count).map((at) => batch + at);
  return {
    axes: rowMajor(last).map((at) => ({
      count: sizeAt(indices, at),
      steps: [stepAt(indices, at), at < batch ? stepAt(table, at) : 0, stepAt(rows, at)],
    })),
    tuple: components.map((at) => ({ size: sizeAt(table, at), step: stepAt(table, at) })),
    tupleStep: stepAt(indices, last),
    inner: rowMajor(table.dims.length)
      .slice(batch + count)
      .map((at) => inside(table, rows, at, last + at - batch - count)),
    direction,
    join,
  };
}

/** What lies next to one another in the table and the rows is moved as one run. */
function planGather(l: Lowering, indices: View, table: View, rows: View, given: Given): void {
  const bytes = elementBytes[rows.element];
  const unit = bytes === 1 ? 1 : floatBytes;
  const inner = collapsed(given.inner);
  const last = inner.at(-1);
  const isRun = given.join === "none" && last?.steps.every((step) => step === bytes) === true;
  const run: Run = { unit, units: ((isRun ? last.count : 1) * bytes) / unit, zeros: 0 };
  const options: GatherOptions = {
    ...given,
    axes: collapsed(given.axes),
    index: indices.element === "i64" ? "i64" : "i32",
    inner: isRun ? inner.slice(0, -1) : inner,
    run,
  };
  l.plan.step(gather, options, [indices.place, table.place, rows.place]);
}

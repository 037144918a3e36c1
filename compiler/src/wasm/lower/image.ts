import { type Axis, collapsed } from "../kernels/nest.js";
import { noHalo, type View, viewOf } from "../plan/view.js";

function four<T>([n, c, l]: readonly T[], one: T): readonly T[] {
  return [n ?? one, c ?? one, one, l ?? one];
}

/** [N, C, L] as [N, C, 1, L]. */
export function asImage(view: View): View {
  if (view.dims.length !== 3) return view;
  return viewOf(view.place, four(view.dims, 1), four(view.steps, 0), {
    element: view.element,
    padded: view.padded,
    halo: four(view.halo, noHalo),
    lanes: view.lanes === 2 ? 3 : view.lanes,
  });
}

/** Rows that follow on one another are one row: more columns to cut tiles from. */
export function joinedAxes(rowsAndColumns: readonly Axis[]): readonly [rows: Axis, columns: Axis] {
  const none = { count: 1, steps: [0, 0, 0] };
  const [first, second] = collapsed(rowsAndColumns);
  if (first === undefined) return [none, none];
  return second === undefined ? [none, first] : [first, second];
}

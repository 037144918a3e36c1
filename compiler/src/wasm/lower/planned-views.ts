import type { Element } from "../kernels/element.js";
import { type Place, placeAt, PlanBuilder } from "../plan/plan.js";
import {
  hasWholeVectors,
  laidOut,
  type Layout,
  noHalo,
  orderOf,
  reshaped,
  rowMajor,
  sizeAt,
  type View,
  viewOf,
} from "../plan/view.js";
import { fillHalo } from "./fill-halo.js";
import { planMove } from "./move.js";

/** Views in the memory of a plan: new ones, and others' elements as somebody wants to read them. */
export class PlannedViews {
  readonly plan = new PlanBuilder();
  readonly #copies = new Map<Place["in"], Map<string, View>>();

  /** New memory; halos are filled with zeros here and now. */
  temporary(dims: readonly number[], layout: Layout, name: string, element: Element = "f32"): View {
    const { steps, bytes, first } = laidOut(dims, layout, element);
    const halo = dims.map((_, axis) => layout.halo[axis] ?? noHalo);
    const place = placeAt(this.plan.memory(bytes, name), first);
    const lanes = layout.order.at(-1) ?? -1;
    const view = viewOf(place, dims, steps, { element, padded: layout.padded, halo, lanes });
    fillHalo(this.plan, view, layout.order);
    return view;
  }

  /** A view's elements in another layout; copied once however often it is asked for. */
  copied(source: View, layout: Layout): View {
    const copies = this.#copies.get(source.place.in) ?? new Map<string, View>();
    this.#copies.set(source.place.in, copies);
    const { element, place, dims, steps } = source;
    const key = JSON.stringify([element, place.offset, dims, steps, layout]);
    const before = copies.get(key);
    if (before !== undefined) return before;
    const target = this.onceWith(source, () => this.copy(source, layout));
    copies.set(key, target);
    return target;
  }

  /** A view's elements in another layout, copied here and now. */
  copy({ element, place, dims, steps }: View, layout: Layout): View {
    const target = this.temporary(dims, layout, "copy", element);
    planMove(this.plan, place, steps, target);
    return target;
  }

  /** Plans what depends on a view alone: of one that is there before a run, when the module is started. */
  onceWith<Result>({ place }: View, build: () => Result): Result {
    return place.in.kind === "prepared" ? this.plan.atStart(build) : build();
  }

  /** A view's elements, row-major, under other dims: where they lie, or put in order first. */
  withDims(view: View, dims: readonly number[]): View {
    const there = reshaped(view, dims);
    if (there !== undefined) return there;
    const order = rowMajor(view.dims.length);
    const dense = this.copied(view, { order, padded: false, halo: [] });
    return reshaped(dense, dims) ?? dense;
  }

  /** A view whose lanes lie along an axis, copied where they do not. */
  withLanes(view: View, axis: number, whole = false): View {
    const isRight = view.lanes === axis;
    if (isRight ? !whole || hasWholeVectors(view) : !whole && sizeAt(view, axis) === 1) return view;
    const order = [...orderOf(view).filter((other) => other !== axis), axis];
    return this.copied(view, { order, padded: whole, halo: [] });
  }

  /** A view that has lanes: row-major where it has none. */
  laned(view: View): View {
    if (view.lanes >= 0) return view;
    return this.copied(view, { order: rowMajor(view.dims.length), padded: false, halo: [] });
  }
}

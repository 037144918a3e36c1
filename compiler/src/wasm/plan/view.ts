import { type Element, elementBytes, lanesOf } from "../kernels/element.js";
import type { Axis } from "../kernels/nest.js";
import { type Place, placeAt } from "./plan.js";

/** What is written beyond an axis' ends: zeros, so many before and behind. */
export type Halo = readonly [before: number, after: number];

/**
 * A value as it lies in memory: elements of one kind, by a step in bytes for each axis. Transposing, slicing and most
 * reshaping is another view of the same memory.
 */
export interface View {
  readonly element: Element;
  /** Of the first element. */
  readonly place: Place;
  readonly dims: readonly number[];
  readonly steps: readonly number[];
  /** The axis whose elements lie next to one another, as many as fit to a vector; −1 where there is none. */
  readonly lanes: number;
  /** What is behind the last lane, up to a whole vector, is this value's own and finite wherever its elements are. */
  readonly padded: boolean;
  /** By axis. */
  readonly halo: readonly Halo[];
}

export const noHalo: Halo = [0, 0];

/** What else is known of a view; its elements are floats unless it says so. */
export interface ViewFacts {
  readonly element?: Element;
  readonly padded?: boolean;
  readonly halo?: readonly Halo[];
  /** Where not given, the last axis of more than one element without gaps. */
  readonly lanes?: number;
}

export function viewOf(
  place: Place,
  dims: readonly number[],
  steps: readonly number[],
  { element = "f32", padded = false, halo, lanes }: ViewFacts = {},
): View {
  const along = lanes ?? denseAxis(dims, steps, element);
  return {
    element,
    place,
    dims,
    steps,
    lanes: along,
    padded: padded && along >= 0,
    halo: halo ?? dims.map(() => noHalo),
  };
}

function denseAxis(dims: readonly number[], steps: readonly number[], element: Element): number {
  if (dims.every((size) => size === 1)) return dims.length - 1;
  return dims.findLastIndex((size, axis) => size > 1 && steps[axis] === elementBytes[element]);
}

export function sizeAt(view: Pick<View, "dims">, axis: number): number {
  return view.dims[axis] ?? 1;
}

export function stepAt(view: Pick<View, "steps">, axis: number): number {
  return view.steps[axis] ?? 0;
}

/** Whole vectors may be read and written along the lanes. */
export function hasWholeVectors(view: View): boolean {
  return view.lanes >= 0 && (view.padded || sizeAt(view, view.lanes) % lanesOf(view.element) === 0);
}

/** How a new value is to lie in memory. */
export interface Layout {
  /** Axes, the outermost in memory first; lanes are the last. */
  readonly order: readonly number[];
  readonly padded: boolean;
  readonly halo: readonly Halo[];
}

export function rowMajor(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** Images as convolutions want them: channels innermost. */
export function channelsLast(rank: number): readonly number[] {
  return rank < 3 ? rowMajor(rank) : [0, ...rowMajor(rank).slice(2), 1];
}

/** The memory order in which a view lies; axes of one element come first, but for the lanes. */
export function orderOf(view: View): readonly number[] {
  const weight = (axis: number): number =>
    axis === view.lanes ? -1 : sizeAt(view, axis) === 1 ? Infinity : Math.abs(stepAt(view, axis));
  return [...rowMajor(view.dims.length)].sort((a, b) => {
    const [x, y] = [weight(a), weight(b)];
    return x === y ? a - b : x > y ? -1 : 1;
  });
}

/** Steps of a layout in new memory, how many bytes it takes, and where the first element is. */
export function laidOut(
  dims: readonly number[],
  { order, padded, halo }: Layout,
  element: Element = "f32",
): { readonly steps: readonly number[]; readonly bytes: number; readonly first: number } {
  const steps: number[] = dims.map(() => 0);
  const vector = lanesOf(element);
  let [step, first] = [elementBytes[element], 0];
  [...order].reverse().forEach((axis, depth) => {
    const [before, after] = halo[axis] ?? noHalo;
    steps[axis] = step;
    first += before * step;
    const size = before + (dims[axis] ?? 1) + after;
    step *= depth === 0 && padded ? Math.ceil(size / vector) * vector : size;
  });
  return { steps, bytes: step, first };
}

/** The elements of a view as loops, in an order of axes: steps of several views of the same dims. */
export function axesOf(
  views: readonly Pick<View, "dims" | "steps">[],
  order: readonly number[],
): Axis[] {
  return order.map((axis) => ({
    count: views.some((view) => sizeAt(view, axis) === 0)
      ? 0
      : Math.max(1, ...views.map((view) => sizeAt(view, axis))),
    steps: views.map((view) => (sizeAt(view, axis) === 1 ? 0 : stepAt(view, axis))),
  }));
}

/** Is it row-major without gaps? */
export function isDense(view: View): boolean {
  let step = elementBytes[view.element];
  for (let axis = view.dims.length - 1; axis >= 0; axis -= 1) {
    if (sizeAt(view, axis) > 1 && stepAt(view, axis) !== step) return false;
    step *= sizeAt(view, axis);
  }
  return true;
}

/**
 * The same elements under other dims, where steps allow it: each group of axes that is split or joined must lie as one.
 * Undefined where elements would have to be moved.
 */
export function reshaped(view: View, dims: readonly number[]): View | undefined {
  const old = rowMajor(view.dims.length).filter((axis) => sizeAt(view, axis) > 1);
  const steps: number[] = dims.map(() => 0);
  let [from, to] = [0, 0];
  while (from < old.length) {
    const group = [old[from] ?? 0];
    const made: number[] = [];
    let [has, wants] = [sizeAt(view, old[from] ?? 0), 1];
    from += 1;
    while (has !== wants || made.length === 0) {
      if (wants < has || made.length === 0) {
        if (to >= dims.length) return undefined;
        wants *= dims[to] ?? 1;
        made.push(to);
        to += 1;
      } else {
        const next = old[from];
        if (next === undefined) return undefined;
        has *= sizeAt(view, next);
        group.push(next);
        from += 1;
      }
    }
    for (let at = 0; at + 1 < group.length; at += 1) {
      const [outer = 0, inner = 0] = [group[at], group[at + 1]];
      if (stepAt(view, outer) !== stepAt(view, inner) * sizeAt(view, inner)) return undefined;
    }
    const last = group.at(-1) ?? 0;
    let step = stepAt(view, last);
    for (const axis of made.reverse()) {
      steps[axis] = step;
      step *= dims[axis] ?? 1;
    }
  }
  const made = viewOf(view.place, dims, steps, { element: view.element });
  return { ...made, padded: view.padded && sameLanes(made, view) };
}

function sameLanes(a: View, b: View): boolean {
  const size = sizeAt(a, a.lanes);
  return a.lanes >= 0 && b.lanes >= 0 && size > 1 && size === sizeAt(b, b.lanes);
}

export function permuted(view: View, permutation: readonly number[]): View {
  return viewOf(
    view.place,
    permutation.map((axis) => sizeAt(view, axis)),
    permutation.map((axis) => stepAt(view, axis)),
    {
      element: view.element,
      padded: view.padded,
      halo: permutation.map((axis) => view.halo[axis] ?? noHalo),
      lanes: permutation.indexOf(view.lanes),
    },
  );
}

/** A part of a view: along one axis, from an element on. The halo of the axis is lost, and lanes lie among others. */
export function sliced(view: View, axis: number, start: number, size: number): View {
  const endsWithIt = start % lanesOf(view.element) === 0 && start + size === sizeAt(view, axis);
  return viewOf(
    placeAt(view.place, start * stepAt(view, axis)),
    view.dims.map((whole, at) => (at === axis ? size : whole)),
    view.steps,
    {
      element: view.element,
      padded: view.padded && (axis !== view.lanes || endsWithIt),
      halo: view.halo.map((halo, at) => (at === axis ? noHalo : halo)),
      lanes: view.lanes,
    },
  );
}

/** With axes of one element before its own. */
export function widened(view: View, rank: number): View {
  const added = Array.from({ length: rank - view.dims.length }, () => 1);
  return viewOf(view.place, [...added, ...view.dims], [...added.map(() => 0), ...view.steps], {
    element: view.element,
    padded: view.padded,
    halo: [...added.map(() => noHalo), ...view.halo],
    lanes: view.lanes < 0 ? -1 : view.lanes + added.length,
  });
}

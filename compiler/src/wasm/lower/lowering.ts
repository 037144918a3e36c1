import type { TypedArray } from "@pare/runtime/format";
import type { Graph, Node, ValueId } from "../../ir/index.js";
import {
  type Element,
  elementBytes,
  elementOf,
  type Elements,
  elementsOf,
  lanesOf,
} from "../kernels/element.js";
import { floatBytes } from "../kernels/kernel.js";
import type { Place } from "../plan/plan.js";
import {
  hasWholeVectors,
  laidOut,
  reshaped,
  rowMajor,
  sizeAt,
  sliced,
  stepAt,
  type View,
  viewOf,
  widened,
} from "../plan/view.js";
import { elementOfType } from "./element-of-type.js";
import { type Arrays, dimsOf, dtypeOf } from "./node-facts.js";
import { packedFloats } from "./packed-floats.js";
import { type Packing, packedIntegers } from "./packed-integers.js";
import { PartsOfConcats } from "./part-of-concat.js";
import { PlannedViews } from "./planned-views.js";
import { rearranged } from "./rearranged.js";
import type { Rows, RowsOf } from "./rows.js";
import type { StoredConstants } from "./stored-constants.js";
import { layoutFor, type Wish } from "./value-layout.js";

/**
 * A graph on its way to a plan: where every value lies, and what has been planned so far. Values whose elements are only
 * reshaped, and cannot be where they lie, are put in order when somebody asks for them.
 */
export class Lowering extends PlannedViews {
  readonly graph: Graph;
  /** Nodes whose work another one's kernel does as well. */
  readonly absorbed = new Set<Node>();
  /** What is computed when the module is started. */
  readonly early: ReadonlySet<Node>;
  /** What constants were stored as. */
  readonly stored: StoredConstants;
  /** The byte around images, by where they lie: itself, or where a run finds it. */
  readonly borders = new Map<Place["in"], number | Place>();
  readonly #rows: RowsOf;
  readonly #counts = new Map<Node["id"], Place>();
  readonly #arrays: Arrays;
  readonly #views = new Map<ValueId, View>();
  readonly #pending = new Map<ValueId, View>();
  readonly #later = new Map<ValueId, () => View>();
  readonly #joined = new Map<ValueId, { readonly view: View; readonly order: readonly number[] }>();
  readonly #parts: PartsOfConcats;

  constructor(
    graph: Graph,
    arrays: Arrays,
    stored: StoredConstants,
    rows: RowsOf,
    early: ReadonlySet<Node>,
  ) {
    super();
    this.graph = graph;
    this.#arrays = arrays;
    this.early = early;
    this.stored = stored;
    this.#rows = rows;
    this.#parts = new PartsOfConcats(graph, this.absorbed);
  }

  /** Says where a node wrote how many rows there are in a buffer. */
  count(source: Node["id"], buffer: Place["in"], count: Place): void {
    this.#counts.set(source, count);
    this.plan.counted(buffer, count);
  }

  /** Of a value of which only a run knows how many rows it has: which, and where their count is. */
  rows(id: ValueId): (Rows & { readonly count: Place }) | undefined {
    const rows = this.#rows.get(id);
    const count = rows && this.#counts.get(rows.source);
    return count && { ...rows, count };
  }

  /** Are these rows that the node finds itself? */
  findsRows(node: Node): boolean {
    return node.outputs.some((id) => id !== null && this.#rows.get(id)?.source === node.id);
  }

  dims(id: ValueId): readonly number[] {
    return dimsOf(this.graph, id);
  }

  array(id: ValueId): TypedArray | undefined {
    return this.#arrays.get(id);
  }

  /** What the value's elements are in memory. */
  element(id: ValueId): Element {
    const dtype = dtypeOf(this.graph, id);
    return (dtype && elementOfType(dtype)) ?? "f32";
  }

  isConstant(id: ValueId): boolean {
    return this.#arrays.has(id);
  }

  /** Is it there before a run, as constants are and what is computed of them when the module is started? */
  isEarly(id: ValueId): boolean {
    const producer = this.graph.producer(id);
    return this.isConstant(id) || (producer !== undefined && this.early.has(producer));
  }

  /** float32 elements of a constant. */
  floats(id: ValueId): Float32Array | undefined {
    const array = this.#arrays.get(id);
    return array instanceof Float32Array ? array : undefined;
  }

  /**
   * A constant's floats as a kernel reads them.
   * @param factor of all of them
   */
  packed(id: ValueId, pack: Packing, factor = 1): Place {
    const numbers = this.floats(id) ?? new Float32Array();
    if (factor !== 1) return packedFloats(this.plan, pack(numbers.map((value) => value * factor)));
    const stored = this.stored.get(id);
    return (
      (stored && packedIntegers(this.plan, stored, pack)) ?? packedFloats(this.plan, pack(numbers))
    );
  }

  /** The number of a constant of one element, of any type. */
  scalar(id: ValueId): number | undefined {
    const array = this.#arrays.get(id);
    return array?.length === 1 ? Number(array[0]) : undefined;
  }

  /** Is it known where the value lies, or is it a constant? */
  has(id: ValueId): boolean {
    const isPlanned = this.#views.has(id) || this.#pending.has(id) || this.#later.has(id);
    return isPlanned || this.isConstant(id);
  }

  /** A value that is made when somebody first asks where it lies. */
  setLater(id: ValueId, make: () => View): void {
    this.#later.set(id, make);
  }

  set(id: ValueId, view: View): void {
    this.#views.set(id, view);
  }

  /** The same elements, row-major, under this value's dims. Where they lie so already, nothing is planned. */
  setReshaped(id: ValueId, source: View): void {
    const view = reshaped(source, this.dims(id));
    if (view === undefined) this.#pending.set(id, source);
    else this.#views.set(id, view);
  }

  /** What a value that is only reshaped is made of; undefined where it lies as it is. */
  pending(id: ValueId): View | undefined {
    return this.#pending.get(id);
  }

  view(id: ValueId): View {
    const known = this.#views.get(id);
    if (known !== undefined) return known;
    const source = this.#pending.get(id);
    if (source !== undefined) {
      const view = this.withDims(source, this.dims(id));
      this.#views.set(id, view);
      return view;
    }
    const make = this.#later.get(id);
    if (make !== undefined) {
      const view = make();
      this.#views.set(id, view);
      return view;
    }
    const constant = this.#elements(id);
    if (constant !== undefined) return this.constantView(constant, this.dims(id), undefined, id);
    throw new RangeError(`Value ${id} is read before it is made.`);
  }

  /**
   * A constant as it is to lie: row-major unless an order is given.
   * @param id the value whose numbers these are, if they are one's
   */
  constantView(
    numbers: Elements,
    dims: readonly number[],
    order: readonly number[] = rowMajor(dims.length),
    id?: ValueId,
  ): View {
    const element = elementOf(numbers);
    const lanes = order.at(-1) ?? 0;
    const layout = { order, padded: (dims[lanes] ?? 1) > 1, halo: [] };
    const { steps, bytes } = laidOut(dims, layout, element);
    const facts = { element, padded: layout.padded, lanes };
    const place =
      id === undefined || element !== "f32"
        ? this.plan.constant(rearranged(numbers, dims, steps, bytes))
        : this.packed(id, (floats) => asFloats(rearranged(floats, dims, steps, bytes)));
    return viewOf(place, dims, steps, facts);
  }

  /** Memory for a value that a kernel is about to write: its own, or its part of what it will be joined into. */
  allocate(id: ValueId, order: readonly number[], wish: Wish = {}): View {
    const view = this.#memoryFor(id, order, wish);
    this.#markRows(id, view);
    this.#views.set(id, view);
    return view;
  }

  /** Memory of its own for a value that a kernel is about to write under other dims of its elements. */
  allocateAs(
    id: ValueId,
    dims: readonly number[],
    order: readonly number[] = rowMajor(dims.length),
    padded = false,
  ): View {
    const layout = { order, padded, halo: [] };
    const view = this.temporary(dims, layout, this.#name(id), this.element(id));
    this.#markRows(id, view);
    this.setReshaped(id, view);
    return view;
  }

  /** The memory into which a Concat's inputs are written, if one of them was. */
  joined(id: ValueId): View | undefined {
    return this.#joined.get(id)?.view;
  }

  /** A value to be read beside others: its axes from the right, its lanes where theirs are, or the same for all of them. */
  operand(id: ValueId, rank: number, order: readonly number[]): View {
    const own = this.dims(id);
    const dims = [...Array.from({ length: rank - own.length }, () => 1), ...own];
    const lanes = order.at(-1) ?? 0;
    const constant = this.#elements(id);
    if (constant !== undefined) return this.constantView(constant, dims, order, id);
    const wide = widened(this.view(id), rank);
    const isDense = stepAt(wide, lanes) === elementBytes[wide.element];
    if (sizeAt(wide, lanes) === 1 || isDense) return wide;
    return this.withLanes(wide, lanes);
  }

  /** A constant's elements as they lie in memory. */
  #elements(id: ValueId): Elements | undefined {
    const array = this.#arrays.get(id);
    return array === undefined ? undefined : elementsOf(array, this.element(id));
  }

  #markRows(id: ValueId, { place }: View): void {
    const count = this.rows(id)?.count;
    if (count !== undefined) this.plan.counted(place.in, count);
  }

  #name(id: ValueId): string {
    return this.graph.value(id).name;
  }

  #memoryFor(id: ValueId, order: readonly number[], wish: Wish): View {
    const part = this.#partOfConcat(id, order, wish);
    if (part !== undefined) return part;
    const layout = layoutFor(this.graph, this.absorbed, id, order, wish);
    return this.temporary(this.dims(id), layout, this.#name(id), this.element(id));
  }

  #partOfConcat(id: ValueId, order: readonly number[], wish: Wish): View | undefined {
    // What is there before a run is written by nothing else, so that what is equal can be there once.
    if (this.plan.isAtStart) return undefined;
    const at = this.#parts.of(id);
    if (at === undefined) return undefined;
    // Whole vectors that are written at a part's end must not reach into the next.
    const vector = lanesOf(this.element(id));
    const isApart = at.start % vector === 0 && (at.size % vector === 0 || at.isLast);
    if (at.axis === order.at(-1) && !isApart) return undefined;
    const known = this.#joined.get(at.whole);
    if (known !== undefined && known.order.join() !== order.join()) return undefined;
    const target = known?.view ?? this.#memoryFor(at.whole, order, wish);
    this.#joined.set(at.whole, { view: target, order });
    const part = sliced(target, at.axis, at.start, at.size);
    if (wish.whole === true && !hasWholeVectors(part)) return undefined;
    // What lies behind its last lane may be another part's.
    return wish.exact === true ? { ...part, padded: false } : part;
  }
}

function asFloats({ buffer, byteOffset, byteLength }: Elements): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / floatBytes);
}

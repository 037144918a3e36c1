import { attribute, type ValueId } from "../../ir/index.js";
import type { Translate, Translation } from "../translation.js";

/** As a place in a Slice: further than any size. */
export const toTheEnd = Number.MAX_SAFE_INTEGER;

/** From a place, so many; -1 is all that is left. */
const slice: Translate = (at) => {
  const [begins, counts] = [at.knownNumbers(1), at.knownNumbers(2)];
  if (begins !== undefined && counts !== undefined) {
    const ends = counts.map((count, axis) => (count === -1 ? toTheEnd : (begins[axis] ?? 0) + count)); // prettier-ignore
    const axes = begins.map((_, axis) => axis);
    return at.add("Slice", [at.input(0), ...[begins, ends, axes].map((all) => at.integers(all))]);
  }
  if (counts?.includes(-1) !== false) return at.refuse("where it ends is known only when it runs");
  const begin = at.sizes(1);
  return at.add("Slice", [at.input(0), begin, at.add("Add", [begin, at.sizes(2)])]);
};

/** What one part of a specification like `x[2, ..., ::3, newaxis]` says of its axis. */
interface Part {
  readonly kind: "range" | "one" | "new" | "rest";
  readonly at: number;
}

/**
 * Python's slices, as tensorflow/core/util/strided_slice_op.cc reads them: bits of five masks say of each part whether its
 * begin or end counts, whether it stands for all axes that are left, for a new axis, or for a single place.
 */
const stridedSlice: Translate = (at) => {
  const value = at.input(0);
  const strides = at.numbers(3, "steps");
  const [begins, ends] = [at.knownNumbers(1), at.knownNumbers(2)];
  const mask = (name: string): ((part: number) => boolean) => {
    const bits = at.attributes.number(name, 0);
    return (part) => Math.floor(bits / 2 ** part) % 2 === 1;
  };
  const [beginMask, endMask, ellipsis, newAxis, shrink] = [
    mask("begin_mask"),
    mask("end_mask"),
    mask("ellipsis_mask"),
    mask("new_axis_mask"),
    mask("shrink_axis_mask"),
  ];
  const parts = strides.map((_, part): Part => {
    const kind = ellipsis(part) ? "rest" : newAxis(part) ? "new" : shrink(part) ? "one" : "range";
    return { kind, at: part };
  });
  const named = parts.filter(({ kind }) => kind === "range" || kind === "one").length;
  const rest = parts.some(({ kind }) => kind === "rest") ? at.rank(value) - named : 0;
  const cuts: { axis: number; begin: ValueId; end: ValueId; stride: number }[] = [];
  const [squeezed, inserted]: [number[], number[]] = [[], []];
  let [axis, made] = [0, 0];
  for (const { kind, at: part } of parts) {
    const stride = strides[part] ?? 1;
    switch (kind) {
      case "rest":
        axis += rest;
        made += rest;
        break;
      case "new":
        inserted.push(made);
        made += 1;
        break;
      case "one": {
        const begin = begins?.[part];
        const end = begin === undefined ? undefined : begin === -1 ? toTheEnd : begin + 1;
        const from = placeOf(at, 1, part, begin);
        cuts.push({
          axis,
          begin: from,
          end: end === undefined ? at.add("Add", [from, at.integers([1])]) : at.integers([end]),
          stride: 1,
        });
        squeezed.push(axis);
        axis += 1;
        break;
      }
      case "range": {
        const first = beginMask(part) ? (stride < 0 ? toTheEnd : 0) : begins?.[part];
        const last = endMask(part) ? (stride < 0 ? -toTheEnd : toTheEnd) : ends?.[part];
        if (!(first === 0 && last === toTheEnd && stride === 1))
          cuts.push({
            axis,
            begin: placeOf(at, 1, part, first),
            end: placeOf(at, 2, part, last),
            stride,
          });
        axis += 1;
        made += 1;
        break;
      }
      default:
        kind satisfies never;
    }
  }
  const joined = (values: readonly ValueId[]): ValueId =>
    at.add("Concat", values, { axis: attribute.int(0) });
  const cut =
    cuts.length === 0
      ? value
      : at.add("Slice", [
          value,
          joined(cuts.map(({ begin }) => begin)),
          joined(cuts.map(({ end }) => end)),
          at.integers(cuts.map((one) => one.axis)),
          at.integers(cuts.map(({ stride }) => stride)),
        ]);
  const less = squeezed.length === 0 ? cut : at.add("Squeeze", [cut, at.integers(squeezed)]);
  return inserted.length === 0 ? less : at.add("Unsqueeze", [less, at.integers(inserted)]);
};

/** A place as a list of one: as a number where it is known, else out of the input that has it. */
function placeOf(at: Translation, input: number, part: number, known: number | undefined): ValueId {
  if (known !== undefined) return at.integers([known]);
  return at.add("Slice", [at.sizes(input), at.integers([part]), at.integers([part + 1])]);
}

const gather: Translate = (at) => {
  const axis = at.inputs.length > 2 ? at.number(2, "axis") : 0;
  const batch = at.attributes.number("batch_dims", 0);
  const [from, places] = [at.input(0), at.input(1)];
  if (batch === 0) return at.add("Gather", [from, places], { axis: attribute.int(axis) });
  if (axis !== batch) return at.refuse("it gathers behind another axis than those of its batch");
  const each = at.add("Unsqueeze", [at.cast(places, "int64"), at.integers([-1])]);
  return at.add("GatherND", [from, each], { batch_dims: attribute.int(batch) });
};

/** Numbers at places, all others zero: sums where a place comes twice, as tfjs-core/src/ops/scatter_nd.ts says. */
const scatter: Translate = (at) => {
  const zero = at.numberLike(at.input(1), 0);
  const base = at.add("Expand", [zero, at.sizes(2)]);
  return at.add("ScatterND", [base, at.cast(at.input(0), "int64"), at.input(1)], {
    reduction: attribute.string("add"),
  });
};

/** Of places, sizes, numbers, and what stands elsewhere. */
const sparseToDense: Translate = (at) => {
  const base = at.add("Expand", [at.input(3), at.sizes(1)]);
  const places = at.cast(at.input(0), "int64");
  const [rank, axes] = [at.rank(places), at.shapeOf(at.sizes(1))?.[0]];
  if (rank === 0) return at.refuse("its place is a single number");
  // A list of places counts along one axis, or is one place for each row.
  const rows = rank === 1 ? at.add("Unsqueeze", [places, at.integers([-1])]) : places;
  if (rank === 1 && axes !== 1) return at.refuse("its places are no rows");
  const count = at.add("Shape", [rows]);
  const each = at.add("Slice", [count, at.integers([0]), at.integers([-1])]);
  return at.add("ScatterND", [base, rows, at.add("Expand", [at.input(2), each])]);
};

const reverse: Translate = (at) => {
  const axes = at.numbers(1, "axes");
  const all = (number: number): ValueId => at.integers(axes.map(() => number));
  return at.add("Slice", [at.input(0), all(-1), all(-toTheEnd), at.integers(axes), all(-1)]);
};

export const slices: Readonly<Record<string, Translate>> = {
  Gather: gather,
  GatherNd: (at) => at.add("GatherND", [at.input(0), at.cast(at.input(1), "int64")]),
  GatherV2: gather,
  ReverseV2: reverse,
  ScatterNd: scatter,
  Slice: slice,
  SparseToDense: sparseToDense,
  StridedSlice: stridedSlice,
  TensorScatterUpdate: (at) =>
    at.add("ScatterND", [at.input(0), at.cast(at.input(1), "int64"), at.input(2)]),
};

import type { ValueId } from "../../ir/index.js";
import { byAxis, padded } from "../families/pad.js";
import type { Some } from "../schema/cells.js";
import type { padSchemas } from "../schema/pad.js";
import type { Backward } from "./backward.js";
import type { Emitter } from "./emitter.js";
import type { Gradient } from "./gradient.js";
import { placed } from "./placement.js";

/** What negative pads cut off. */
const cut = (counts: readonly number[]): readonly number[] =>
  counts.map((count) => Math.max(0, -count));

/** Constants around: what lies inside is kept, the rest is the constant's. Negative pads cut. */
function constantPad(
  backward: Backward,
  before: readonly number[],
  after: readonly number[],
): readonly (ValueId | null)[] {
  const { emit } = backward;
  const dims = backward.dims(0);
  const dY = backward.cotangent();
  const axes = [...dims.keys()];
  const size = emit.shape(dY);
  const inside = emit.slice(
    dY,
    axes,
    before.map((count) => Math.max(0, count)),
    axes.map((axis) => (size[axis] ?? 0) - Math.max(0, after[axis] ?? 0)),
    axes.map(() => 1),
  );
  return [
    backward.where(0, () => emit.pad(inside, cut(before), cut(after))),
    null,
    backward.where(2, () => {
      const whole = emit.subtract(emit.sum(dY, axes), emit.sum(inside, axes));
      return emit.reshape(whole, backward.dims(2));
    }),
    null,
  ];
}

/** Neighbouring places that read elements of which each is `step` behind the one before: 1, −1 or 0, or only one is read. */
interface Run {
  readonly from: number;
  readonly count: number;
  /** The element that its first place reads. */
  readonly first: number;
  readonly step: number;
}

/** Before the first place. */
const endless = 2 ** 31;

function runsOf(indices: Int32Array): readonly Run[] {
  const runs: Run[] = [];
  const stepAt = (at: number): number => (indices[at + 1] ?? Infinity) - (indices[at] ?? 0);
  let from = 0;
  while (from < indices.length) {
    const step = stepAt(from);
    let last = from;
    while (Math.abs(step) <= 1 && stepAt(last) === step) last += 1;
    runs.push({ from, count: last + 1 - from, first: indices[from] ?? 0, step });
    from = last + 1;
  }
  return runs;
}

/** What the places of a run get goes to the elements that they read. */
function putBack(
  emit: Emitter,
  cotangent: ValueId,
  axis: number,
  { from, count, first, step }: Run,
  size: number,
): ValueId {
  if (step === -1) {
    // An end of −1 would be the last place.
    const end = from === 0 ? -endless : from - 1;
    const turned = emit.slice(cotangent, [axis], [from + count - 1], [end], [-1]);
    return placed(emit, turned, axis, counted(first - count + 1, count), size);
  }
  const read = emit.slice(cotangent, [axis], [from], [from + count], [1]);
  return step === 0
    ? placed(emit, emit.sum(read, [axis], true), axis, [first], size)
    : placed(emit, read, axis, counted(first, count), size);
}

const counted = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => first + at);

/** Margins and what lies between are a few runs; more come of margins longer than the axis, where engines differ. */
const mostRuns = 8;

export const padGradients: Some<typeof padSchemas, Gradient> = {
  Pad(backward) {
    const { emit, attributes } = backward;
    const dims = backward.dims(0);
    const axes = backward.integers(3) ?? [...dims.keys()];
    const pads = byAxis(backward.integers(1) ?? [], axes, dims.length);
    const mode = attributes.string("mode", "constant");
    const counts = (side: "before" | "after") =>
      dims.map((_, axis) => Number(pads.find((pad) => pad.axis === axis)?.[side] ?? 0));
    if (mode === "constant") return constantPad(backward, counts("before"), counts("after"));
    // Elements that were repeated get what all their copies get, axis by axis.
    const dX = pads.reduce<ValueId>((value, pad) => {
      const size = dims[pad.axis] ?? 1;
      if (pad.before === 0 && pad.after === 0) return value;
      const { indices } = padded([size], [{ ...pad, axis: 0 }], mode);
      const runs = runsOf(indices);
      if (runs.length === 0 || runs.length > mostRuns)
        throw backward.unsupported("its pads are more than the axis is long");
      return runs
        .map((run) => putBack(emit, value, pad.axis, run, size))
        .reduce((sum, part) => emit.add(sum, part));
    }, backward.cotangent());
    return [dX];
  },
};

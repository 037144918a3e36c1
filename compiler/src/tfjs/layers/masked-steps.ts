import { attribute, Tensor, type ValueId } from "../../ir/index.js";
import type { LayerTranslation } from "./layer-translation.js";

/** Only the steps that count, for a cell that is told how many those are. */
export interface MaskedSteps {
  /** Those that count first, in their order. */
  readonly steps: ValueId;
  /** How many of each sample. */
  readonly counts: ValueId;
  /** What the cell gave for them, at every step: where one does not count, what was there before. */
  spread(rows: ValueId, initial: ValueId | undefined): ValueId;
  /** A state after the last step that counts. */
  last(state: ValueId, initial: ValueId | undefined): ValueId;
}

/**
 * A step that does not count leaves the state as it is. So a cell over those that count alone ends in the same state, and
 * what it gives after as many of them as there were up to a step is what is given there.
 */
export function maskedSteps(at: LayerTranslation, value: ValueId, mask: ValueId): MaskedSteps {
  const [one, alongSteps] = [at.integers([1]), at.constant(Tensor.int64([1], []))];
  const count = at.cast(mask, "int64");
  const seen = at.add("CumSum", [count, alongSteps]);
  const all = at.add("Expand", [one, at.add("Shape", [count])]);
  // Earlier steps are larger; those that do not count are all 0.
  const left = at.add("CumSum", [all, alongSteps], { reverse: attribute.int(1) });
  const steps = at.add("Shape", [count], { start: attribute.int(1) });
  const [, order] = at.addAll("TopK", [at.add("Mul", [count, left]), steps], 2);
  if (order === undefined) return at.invalid("has no steps");
  const counts = at.add("ReduceSum", [count, one], { keepdims: attribute.int(0) });
  const hasSome = (number: ValueId): ValueId =>
    at.add("Unsqueeze", [at.add("Greater", [number, at.integers([0])]), at.integers([-1])]);
  return {
    steps: pick(at, value, order),
    counts: at.cast(counts, "int32"),
    spread(rows, initial) {
      const before = at.add("Max", [at.add("Sub", [seen, one]), at.integers([0])]);
      const none =
        initial === undefined ? at.numberLike(rows, 0) : at.add("Unsqueeze", [initial, one]);
      return at.add("Where", [hasSome(seen), pick(at, rows, before), none]);
    },
    last: (state, initial) =>
      at.add("Where", [hasSome(counts), state, initial ?? at.numberLike(state, 0)]),
  };
}

/** Of each sample the steps at the given places. */
function pick(at: LayerTranslation, value: ValueId, places: ValueId): ValueId {
  const each = at.add("Unsqueeze", [places, at.integers([-1])]);
  return at.add("GatherND", [value, each], { batch_dims: attribute.int(1) });
}

/** The steps of [batch, steps, …] from the last to the first. */
export function reversedInTime(at: LayerTranslation, value: ValueId): ValueId {
  const places = [-1, -Number.MAX_SAFE_INTEGER, 1, -1].map((place) => at.integers([place]));
  return at.add("Slice", [value, ...places]);
}

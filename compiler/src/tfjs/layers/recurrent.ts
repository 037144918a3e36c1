import { attribute, type ValueId } from "../../ir/index.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";
import { reversedInTime } from "./masked-steps.js";
import { runCell } from "./recurrent-cell.js";

/** What it gives at every step or after the last, and then its states where it is asked for them. */
const recurrent: TranslateLayer = (at) => {
  const { config } = at;
  const [value, ...initial] = at.inputs;
  if (value === undefined) return at.invalid("reads nothing");
  const isBackward = config.flag("go_backwards", false);
  const { asTaken, states } = runCell(at, value, {
    config,
    isBackward,
    inside: undefined,
    initial,
  });
  const hasSteps = config.flag("return_sequences", false);
  const made = hasSteps ? asTaken() : states[0];
  if (made === undefined) return at.invalid("has no state");
  const mask = at.masks.of(value);
  if (hasSteps && mask !== undefined) at.masks.give(made, mask);
  return config.flag("return_state", false) ? [made, ...states] : made;
};

/** A layer forward and again backward: tfjs-layers/src/layers/wrappers.ts. */
const bidirectional: TranslateLayer = (at) => {
  const config = at.layer.wrapped?.config ?? at.invalid("wraps no layer");
  if (at.config.has("backward_layer")) return at.refuse("its directions are of different layers");
  const [value, ...initial] = at.inputs;
  if (value === undefined) return at.invalid("reads nothing");
  const half = initial.length / 2;
  const startsBackward = config.flag("go_backwards", false);
  const runs = ["forward", "backward"].map((direction, index) =>
    runCell(at, value, {
      config,
      isBackward: (index === 1) !== startsBackward,
      inside: `${direction}_${config.name}`,
      initial: initial.slice(index * half, (index + 1) * half),
    }),
  );
  const hasSteps = config.flag("return_sequences", false);
  // What the second gives is turned round, whichever way it went.
  const parts = runs.map(({ asTaken, inTime, states }, index) => {
    if (!hasSteps) return states[0] ?? at.invalid("has no state");
    if (index === 0) return asTaken();
    return startsBackward ? reversedInTime(at, asTaken()) : inTime();
  });
  const merged = mergedDirections(at, parts);
  const mask = at.masks.of(value);
  for (const one of merged) if (hasSteps && mask !== undefined) at.masks.give(one, mask);
  return config.flag("return_state", false)
    ? [...merged, ...runs.flatMap(({ states }) => states)]
    : merged;
};

function mergedDirections(at: LayerTranslation, parts: readonly ValueId[]): readonly ValueId[] {
  const { config } = at;
  const word = config.isNull("merge_mode") ? undefined : (config.word("merge_mode") ?? "concat");
  switch (word) {
    case undefined:
      return parts;
    case "concat":
      return [at.add("Concat", parts, { axis: attribute.int(-1) })];
    case "sum":
      return [at.add("Add", parts)];
    case "mul":
      return [at.add("Mul", parts)];
    case "ave": {
      const sum = at.add("Add", parts);
      return [at.add("Mul", [sum, at.numberLike(sum, 0.5)])];
    }
    default:
      return at.refuse(`its directions are merged by ${JSON.stringify(word)}`);
  }
}

export const recurrentLayers: Readonly<Record<string, TranslateLayer>> = {
  Bidirectional: bidirectional,
  GRU: recurrent,
  LSTM: recurrent,
  SimpleRNN: recurrent,
};

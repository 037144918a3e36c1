import { attribute, type ValueId } from "../../ir/index.js";
import type { LayerTranslation, TranslateLayer } from "./layer-translation.js";

/** Steps whose features are all of one value count for nothing. */
const masking: TranslateLayer = (at) => {
  const value = at.input;
  const nothing = at.numberLike(value, at.config.number("mask_value", 0));
  const isSomething = at.cast(at.add("Not", [at.add("Equal", [value, nothing])]), "float32");
  const steps = at.add("ReduceMax", [isSomething, at.integers([-1])]);
  const kept = at.add("Mul", [value, at.cast(steps, at.dtypeOf(value) ?? "float32")]);
  at.masks.give(kept, at.cast(at.add("Squeeze", [steps, at.integers([-1])]), "bool"));
  return kept;
};

/** Numbers are taken as places: what comes as floats is cut to integers. */
const embedding: TranslateLayer = (at) => {
  const places = at.cast(at.input, "int32");
  const found = at.add("Gather", [at.weight("embeddings", 2), places]);
  if (at.config.flag("mask_zero", false)) {
    const isZero = at.add("Equal", [at.input, at.numberLike(at.input, 0)]);
    at.masks.give(found, at.add("Not", [isZero]));
  }
  return found;
};

/** Each step by itself, which a sample is to all layers: steps of all samples are one batch. */
const timeDistributed: TranslateLayer = (at) => {
  const value = at.input;
  const { wrapped } = at.layer;
  if (wrapped?.kind === "Dense" || wrapped?.kind === "Activation") return at.applyWrapped([value]);
  const [, steps, ...rest] = at.shapeOf(value) ?? [];
  const sizes = rest.filter((size) => typeof size === "number");
  if (sizes.length !== rest.length || rest.length === 0)
    return at.refuse("the sizes of its steps are known only when it runs");
  const each = at.add("Reshape", [value, at.integers([-1, ...sizes])]);
  at.masks.follow("", [value], [each]);
  const [made, ...more] = at.applyWrapped([each]);
  if (made === undefined || more.length > 0) return at.invalid("wraps what gives several values");
  const shape = at.shapeOf(made)?.slice(1) ?? [];
  const known = shape.filter((size) => typeof size === "number");
  if (known.length === shape.length && typeof steps === "number")
    return at.add("Reshape", [made, at.integers([-1, steps, ...known])]);
  return at.add("Reshape", [made, runtimeSizes(at, value, made)]);
};

function runtimeSizes(at: LayerTranslation, value: ValueId, made: ValueId): ValueId {
  const outer = at.add("Shape", [value], { start: attribute.int(0), end: attribute.int(2) });
  const inner = at.add("Shape", [made], { start: attribute.int(1) });
  return at.add("Concat", [outer, inner], { axis: attribute.int(0) });
}

export const sequenceLayers: Readonly<Record<string, TranslateLayer>> = {
  Embedding: embedding,
  Masking: masking,
  TimeDistributed: timeDistributed,
};

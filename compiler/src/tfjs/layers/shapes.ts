import { attribute, mostAxes } from "../../ir/index.js";
import type { TranslateLayer } from "./layer-translation.js";

/** In the order of channels last, whatever the order inside is. */
const flatten: TranslateLayer = (at) => {
  const rank = at.rank(at.input);
  const space = Array.from({ length: Math.max(0, rank - 2) }, (_, axis) => axis + 2);
  const isTurned = !at.isChannelsLast && rank > 2;
  const value = isTurned ? at.transpose(at.input, [0, ...space, 1]) : at.input;
  return at.add("Flatten", [value], { axis: attribute.int(1) });
};

/** Of each sample: 0 stands for the size that is there. */
const reshape: TranslateLayer = (at) => {
  const target = at.config.shape("target_shape") ?? at.invalid("has no target_shape");
  if (
    target.length >= mostAxes ||
    target.includes(0) ||
    target.filter((size) => size === -1).length > 1
  )
    return at.invalid("does not say which sizes it makes");
  return at.add("Reshape", [at.input, at.integers([0, ...target])]);
};

const permute: TranslateLayer = (at) => {
  const dims = at.config.integers("dims") ?? [];
  const rank = at.rank(at.input);
  const isOrder = dims.length === rank - 1 && dims.every((_, axis) => dims.includes(axis + 1));
  return isOrder ? at.transpose(at.input, [0, ...dims]) : at.invalid("has no order of all axes");
};

const repeat: TranslateLayer = (at) => {
  const rows = at.add("Unsqueeze", [at.input, at.integers([1])]);
  return at.add("Tile", [rows, at.integers([1, at.config.count("n"), 1])]);
};

export const shapeLayers: Readonly<Record<string, TranslateLayer>> = {
  Flatten: flatten,
  Permute: permute,
  RepeatVector: repeat,
  Reshape: reshape,
};

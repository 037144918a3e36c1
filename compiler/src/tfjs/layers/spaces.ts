import type { LayerTranslation } from "./layer-translation.js";

/** A layer's padding as TensorFlow's operators have it. */
export function paddingWord(at: LayerTranslation): string {
  return (at.config.word("padding") ?? "valid").toUpperCase();
}

export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** The axes of the space of a layer that has so many of them. */
export function spaceAxes(at: LayerTranslation, axes: number): readonly number[] {
  const first = at.isChannelsLast ? 1 : 2;
  return upTo(axes).map((axis) => first + axis);
}

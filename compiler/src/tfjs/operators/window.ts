import type { Translation } from "../translation.js";
import type { Window } from "../windows.js";

/** @param axes of the space that the windows are in */
export function windowOf(at: Translation, axes: number): Window {
  const { attributes } = at;
  const isChannelsLast = !(attributes.text("data_format") ?? "NHWC").startsWith("NC");
  const inSpace = (values: readonly number[]): readonly number[] =>
    isChannelsLast ? values.slice(1, 1 + axes) : values.slice(2, 2 + axes);
  const listed = (name: string): readonly number[] => {
    const values = attributes.numbers(name) ?? [];
    if (values.length === 0) return Array.from({ length: axes }, () => 1);
    // Of depthwise convolutions some list those of the space alone.
    return values.length === axes ? values : inSpace(values);
  };
  const pads = attributes.numbers("explicit_paddings") ?? [];
  const every = (offset: number): readonly number[] =>
    inSpace(pads.filter((_, index) => index % 2 === offset));
  return {
    isChannelsLast,
    strides: listed("strides"),
    dilations: listed("dilations"),
    padding: attributes.text("padding") ?? "VALID",
    explicit: [...every(0), ...every(1)],
  };
}

import type { Translate } from "../translation.js";
import { spaceOf, windowAttributes, withChannelsSecond } from "../windows.js";
import { windowOf } from "./window.js";

/** Averages leave out what is padded, as they do in ONNX where nothing else is said. */
const pool =
  (op: "MaxPool" | "AveragePool", axes: number): Translate =>
  (at) => {
    const window = windowOf(at, axes);
    const { isChannelsLast } = window;
    const listed = at.attributes.numbers("ksize") ?? at.invalid("has no ksize");
    const kernel = listed.slice(isChannelsLast ? 1 : 2).slice(0, axes);
    const sizes = spaceOf(at, at.input(0), isChannelsLast, axes);
    const attributes = windowAttributes(at, window, kernel, sizes);
    return withChannelsSecond(at, at.input(0), isChannelsLast, axes, (value) =>
      at.add(op, [value], attributes),
    );
  };

export const pooling: Readonly<Record<string, Translate>> = {
  AvgPool: pool("AveragePool", 2),
  AvgPool3D: pool("AveragePool", 3),
  MaxPool: pool("MaxPool", 2),
  MaxPool3D: pool("MaxPool", 3),
};

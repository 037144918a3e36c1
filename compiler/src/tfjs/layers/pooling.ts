import { attribute } from "../../ir/index.js";
import { spaceOf, type Window, windowAttributes, withChannelsSecond } from "../windows.js";
import type { TranslateLayer } from "./layer-translation.js";
import { paddingWord, spaceAxes, upTo } from "./spaces.js";

/** Averages leave out what is padded, as they do in ONNX where nothing else is said. */
const pool =
  (op: "MaxPool" | "AveragePool", axes: number): TranslateLayer =>
  (at) => {
    const { config, isChannelsLast } = at;
    const kernel = config.counts("pool_size", axes) ?? upTo(axes).map(() => 2);
    const window: Window = {
      isChannelsLast,
      strides: config.counts("strides", axes) ?? kernel,
      dilations: kernel.map(() => 1),
      padding: paddingWord(at),
      explicit: [],
    };
    const sizes = spaceOf(at, at.input, isChannelsLast, axes);
    const attributes = windowAttributes(at, window, kernel, sizes);
    return withChannelsSecond(at, at.input, isChannelsLast, axes, (value) =>
      at.add(op, [value], attributes),
    );
  };

const overall =
  (op: "ReduceMax" | "ReduceMean", axes: number): TranslateLayer =>
  (at) => {
    // TensorFlow.js takes no notice of masks here, Keras does.
    if (at.masks.isSomewhere(at.input)) return at.refuse("some of what it reads is masked");
    return at.add(op, [at.input, at.integers(spaceAxes(at, axes))], {
      keepdims: attribute.int(at.config.flag("keepdims", false) ? 1 : 0),
    });
  };

export const poolingLayers: Readonly<Record<string, TranslateLayer>> = {
  AveragePooling1D: pool("AveragePool", 1),
  AveragePooling2D: pool("AveragePool", 2),
  AveragePooling3D: pool("AveragePool", 3),
  GlobalAveragePooling1D: overall("ReduceMean", 1),
  GlobalAveragePooling2D: overall("ReduceMean", 2),
  GlobalAveragePooling3D: overall("ReduceMean", 3),
  GlobalMaxPooling1D: overall("ReduceMax", 1),
  GlobalMaxPooling2D: overall("ReduceMax", 2),
  GlobalMaxPooling3D: overall("ReduceMax", 3),
  MaxPooling1D: pool("MaxPool", 1),
  MaxPooling2D: pool("MaxPool", 2),
  MaxPooling3D: pool("MaxPool", 3),
};

import type { Dim, Graph } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { windowAxes } from "../../ops/families/window.js";
import type { FittedLayer } from "./fitted-layer.js";

/** So many places of one sample tell as much as more of them. */
const mostPlaces = 2048;

/** How a convolution looks at its input, and which of its places are looked at. */
export interface Window {
  readonly kernel: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly strides: readonly number[];
  /** Of each axis every so-many-th. */
  readonly every: number;
}

/** @param sized the model with the sizes of a sample */
export function windowOf(
  cut: Graph,
  sized: Graph,
  { weighted }: FittedLayer,
): Window | { readonly why: string } {
  const kernel = weighted.weightTensor.dims.slice(2);
  const attributes = attributeReader(weighted.node.attributes);
  const sizesIn = (graph: Graph): readonly Dim[] => {
    const { type } = graph.value(weighted.activation);
    return (type.kind === "tensor" ? type.shape : undefined)?.slice(2) ?? [];
  };
  const axes = windowAxes(sizesIn(cut), kernel, attributes);
  const pads = [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)];
  if (axes.length !== kernel.length || !pads.every((pad) => typeof pad === "number"))
    return { why: "its pads depend on the sample" };
  const places = windowAxes(sizesIn(sized), kernel, attributes).reduce(
    (product, { output }) => product * (typeof output === "number" ? output : 1),
    1,
  );
  return {
    kernel,
    pads,
    dilations: axes.map(({ dilation }) => dilation),
    strides: axes.map(({ stride }) => stride),
    every: Math.ceil((places / mostPlaces) ** (1 / kernel.length)),
  };
}

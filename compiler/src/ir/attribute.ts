import type { Attribute, Body } from "./model.js";
import type { Tensor } from "./tensor.js";

/** Makes attributes of plain values. */
export const attribute = {
  int: (value: number | bigint): Attribute => ({ type: "int", value: BigInt(value) }),
  float: (value: number): Attribute => ({ type: "float", value }),
  string: (value: string): Attribute => ({ type: "string", value }),
  ints: (value: readonly (number | bigint)[]): Attribute => ({
    type: "ints",
    value: value.map(BigInt),
  }),
  floats: (value: readonly number[]): Attribute => ({ type: "floats", value }),
  tensor: (value: Tensor): Attribute => ({ type: "tensor", value }),
  graph: (value: Body): Attribute => ({ type: "graph", value }),
};

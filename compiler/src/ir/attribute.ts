import type { Body } from "./graph.js";
import type { Tensor } from "./tensor.js";
import type { ValueType } from "./type.js";

/** An attribute's value. Integers are bigint because ONNX means 64 bits; text is bytes where it is not UTF-8. */
export type Attribute =
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string | Uint8Array }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Body }
  | { readonly type: "ints"; readonly value: readonly bigint[] }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly (string | Uint8Array)[] }
  | { readonly type: "tensors"; readonly value: readonly Tensor[] }
  | { readonly type: "graphs"; readonly value: readonly Body[] }
  | { readonly type: "type"; readonly value: ValueType }
  /** In a local function: the caller's attribute of this name. */
  | { readonly type: "reference"; readonly value: string; readonly of: string }
  /** Sparse tensors and what this version does not know: carried through, never looked at. */
  | { readonly type: "opaque"; readonly value: unknown };

export type Attributes = Readonly<Record<string, Attribute>>;

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

import type { Dtype } from "@pare/runtime/format";
import type { Dim, Graph, Inferred, Node, Tensor, TensorType, ValueType } from "../../ir/index.js";
import type { AttributeReader } from "../schema/attributes.js";

/** A node as its operator's rule sees it. Positions beyond the inputs, and inputs left out, give undefined. */
export interface InferContext {
  readonly graph: Graph;
  readonly node: Node;
  type(input: number): ValueType | undefined;
  tensor(input: number): TensorType | undefined;
  dtype(input: number): Dtype | undefined;
  shape(input: number): readonly Dim[] | undefined;
  /** The integers in an input where they are known or follow from shapes. */
  elements(input: number): readonly Dim[] | undefined;
  constant(input: number): Tensor | undefined;
  readonly attributes: AttributeReader;
}

/**
 * How types, shapes and shape-like integers follow, one entry per output; undefined, or no entry, where nothing is
 * known. What it throws at a malformed node, inference takes for nothing known.
 */
export type ShapeRule = (context: InferContext) => readonly (Inferred | undefined)[];

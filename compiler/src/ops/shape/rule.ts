import type { Dtype, Tensor as Dense } from "@pare/runtime/format";
import type {
  Attribute,
  Dim,
  Graph,
  Inferred,
  Node,
  Tensor,
  TensorType,
  ValueType,
} from "../../ir/index.js";

/** A node as its row's inference sees it. Positions beyond the inputs, and inputs left out, give undefined. */
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

/** Reads attributes with defaults; an attribute of another type than asked for reads as absent. */
export interface AttributeReader {
  int(name: string): number | undefined;
  int(name: string, fallback: number): number;
  float(name: string): number | undefined;
  float(name: string, fallback: number): number;
  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  ints(name: string): readonly number[] | undefined;
  floats(name: string): readonly number[] | undefined;
  get(name: string): Attribute | undefined;
  has(name: string): boolean;
}

/** What an evaluation is given: dense inputs (null where left out) and the number of outputs asked for. */
export interface EvaluateContext {
  readonly inputs: readonly (Dense | null)[];
  readonly attributes: AttributeReader;
  readonly outputs: number;
  /** An input that must be there. @throws PareError MODEL_SHAPE */
  readonly input: (index: number) => Dense;
}

export interface Parameter {
  readonly name: string;
  /** "one" must be there, "optional" may be left out, "variadic" is the rest. */
  readonly arity: "one" | "optional" | "variadic";
}

/**
 * What is known of one operator at opset 21 (or at version 1 of another domain). A missing cell is an
 * `unsupported-op` diagnostic for whoever needs it, never an exception.
 */
export interface OperatorRow {
  readonly name: string;
  /** "" is ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  /** The attributes it may carry. */
  readonly attributes: readonly string[];
  /** How types, shapes and shape-like integers follow; never throws. */
  readonly infer: (context: InferContext) => readonly (Inferred | undefined)[];
  /** Slowly and exactly, after the ONNX specification. Not for operators with bodies. */
  readonly evaluate?: (context: EvaluateContext) => readonly (Dense | null)[];
  /** False where two equal nodes may give different results (RandomNormal). True when absent. */
  readonly deterministic?: boolean;
}

import type { Tensor as Dense } from "@pare/runtime/format";
import { integers } from "../elements/arrays.js";
import type { AttributeReader } from "../schema/attributes.js";

/** What an evaluation is given: dense inputs (null where left out) and the number of outputs asked for. */
export interface EvaluateContext {
  readonly inputs: readonly (Dense | null)[];
  readonly attributes: AttributeReader;
  readonly outputs: number;
  /** An input that must be there. @throws PareError MODEL_SHAPE */
  readonly input: (index: number) => Dense;
}

/**
 * Computes a node's outputs slowly and exactly, after the ONNX specification.
 * @throws PareError MODEL_SHAPE when the inputs do not fit, UNSUPPORTED_OP for a dtype that it cannot compute in
 */
export type Evaluation = (context: EvaluateContext) => readonly (Dense | null)[];

/** The numbers in an input, or those of an attribute of that name where an older opset had it there. */
export function givenNumbers(
  { inputs, attributes }: EvaluateContext,
  input: number,
  attribute: string,
): readonly number[] | undefined {
  const found = inputs[input];
  return found ? integers(found) : attributes.ints(attribute);
}

import type { Graph, Node } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { bytesAt, inSteps } from "./integers.js";

/**
 * What quantizers let compute on bytes as they are, for it keeps their scale: here the bytes are numbers, in steps of one.
 * Interpolated ones are rounded, not cut off as engines do.
 */
const onBytes = (step: Step): void => {
  const dtype = bytesAt(step, 0);
  const one = inSteps(step, [1], [0], dtype);
  const x = step.add("DequantizeLinear", [operand(step, 0), ...one]);
  const inputs = [x, ...step.node.inputs.slice(1)];
  const result = step.add(step.node.op, inputs, Object.fromEntries(step.node.attributes));
  const isPlace = step.node.op.startsWith("Arg");
  step.replaceBy(isPlace ? result : step.add("QuantizeLinear", [result, ...one]));
};

const named = "ArgMax ArgMin GlobalMaxPool ReduceMax ReduceMin Relu Resize".split(" ");

export const byteWords: Readonly<Record<string, (step: Step) => void>> = Object.fromEntries(
  named.map((op) => [op, onBytes]),
);

/** Does a node compute on bytes? Of floats it stays what it is. */
export function readsBytes(graph: Graph, { inputs: [x] }: Node): boolean {
  const type = x === null || x === undefined ? undefined : graph.value(x).type;
  return type?.kind === "tensor" && (type.dtype === "uint8" || type.dtype === "int8");
}

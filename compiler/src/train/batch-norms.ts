import {
  attribute,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { attributeReader } from "../ops/index.js";
import { giveOutput } from "./interface.js";
import type { LearnedConstant } from "./parameters.js";

/** Running statistics of a batch norm, which training counts: r ← momentum · r + (1 − momentum) · of the batch. */
export interface Statistic {
  readonly constant: LearnedConstant;
  readonly momentum: number;
  /** The output that holds the batch's own. */
  readonly output: string;
}

/** Of an operator that does not say. */
const defaultMomentum = 0.9;

/**
 * Lets a BatchNormalization normalize by the batch, and gives the batch's mean and variance (that of a population, as
 * ONNX defines it) away. onnxruntime writes running statistics through to the inputs they came from, and takes equal
 * constants for one: so each gets constants of its own that no other has, and a momentum of 0, with which the result
 * does not depend on them.
 * @param count how many statistics there are already: part of the outputs' names
 */
export function normByBatch(
  editor: Editor,
  graph: Graph,
  node: Node,
  learned: ReadonlyMap<ValueId, LearnedConstant>,
  count: number,
): readonly Statistic[] {
  const momentum = attributeReader(node.attributes).float("momentum", defaultMomentum);
  const [mean, variance] = [3, 4].map((index) =>
    learned.get(node.inputs[index] ?? (-1 as ValueId)),
  );
  if (mean === undefined || variance === undefined) return [];
  const own = (value: number): ValueId =>
    editor.constant(
      "own_statistic",
      Tensor.float32(mean.tensor.dims, new Float32Array(mean.tensor.count).fill(value)),
    );
  editor.setInput(node.id, 3, own(-1 - count));
  editor.setInput(node.id, 4, own(2 + count));
  editor.setAttribute(node.id, "training_mode", attribute.int(1));
  editor.setAttribute(node.id, "momentum", attribute.float(0));
  return [mean, variance].map((constant, index) => {
    const output = `statistic_${count + index}`;
    giveOutput(editor, graph, editor.output(node.id, index + 1), output);
    return { constant, momentum, output };
  });
}

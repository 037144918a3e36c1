import type { Dtype } from "@pare/runtime/format";
import {
  type Attributes,
  type Dim,
  type Editor,
  type Graph,
  isStatic,
  type Node,
  type ValueId,
} from "../../ir/index.js";
import { type AttributeReader, unknownSizes } from "../../ops/index.js";

/** One operator at one version: how a node written for the version before is said from this one on. */
export interface Adapter {
  readonly op: string;
  /** The version that changed it. */
  readonly to: number;
  /** Edits the node in place, or puts others, in opset 21's words, in its place. */
  convert(step: Step): void;
}

/** What an adapter works with. */
export interface Step {
  readonly graph: Graph;
  readonly editor: Editor;
  /** As it is at this moment. */
  readonly node: Node;
  readonly attributes: AttributeReader;
  input(index: number): ValueId | undefined;
  rank(index: number): number | undefined;
  /** Adds an int64 initializer in the node's body. */
  int64(name: string, values: readonly number[], dims?: readonly number[]): ValueId;
  /** Adds a float initializer of the dtype of input 0, so that float16 and double models stay what they are. */
  float(name: string, values: readonly number[], dims?: readonly number[]): ValueId;
  /** As `float`, of float32 whatever input 0 is of. */
  float32(name: string, values: ArrayLike<number>, dims?: readonly number[]): ValueId;
  shape(index: number): readonly Dim[] | undefined;
  dtype(index: number): Dtype | undefined;
  /** Adds a node with one output in the node's body. */
  add(op: string, inputs: readonly (ValueId | null)[], attributes?: Attributes): ValueId;
  /** Cuts an axis into parts of these sizes, in the node's body. */
  split(x: ValueId, sizes: readonly number[], axis: number): readonly ValueId[];
  /** Lets the readers of the node's outputs, in order, read other values; of one that is left out, they stay. */
  replaceBy(...values: readonly (ValueId | null | undefined)[]): void;
  drop(...attributes: readonly string[]): void;
  /** @throws PareError UNSUPPORTED_OP naming the node, its operator and version */
  refuse(why: string): never;
}

export function adapter(
  op: string | readonly string[],
  to: number,
  convert: (step: Step) => void,
): readonly Adapter[] {
  return (typeof op === "string" ? [op] : op).map((name) => ({ op: name, to, convert }));
}

/** Takes away what a node gives besides its first output. @throws PareError as the step refuses, where that is read */
export function dropOthers(step: Step, why: string): void {
  const { node, graph, editor } = step;
  for (const [index, id] of node.outputs.entries()) {
    if (index === 0 || id === null) continue;
    if (graph.value(id).uses.length > 0) step.refuse(why);
    editor.dropOutput(node.id, index);
  }
}

/** An input that must be there. @throws PareError UNSUPPORTED_OP or MODEL_VERSION, as the step refuses */
export function operand(step: Step, index: number): ValueId {
  return step.input(index) ?? step.refuse("an input is missing");
}

/** Of an input's axes, all known. @throws PareError as the step refuses */
export function sizesOf(step: Step, input: number): readonly number[] {
  const shape = step.shape(input);
  return shape !== undefined && isStatic(shape) ? shape : step.refuse(unknownSizes);
}

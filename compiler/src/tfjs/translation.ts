import type { Dim, Editor, Graph, ValueId } from "../ir/index.js";
import { NodeAttributes } from "./attributes.js";
import type { TensorflowNode } from "./graph-model.js";
import { OnnxWriter } from "./onnx-writer.js";

/** Far more than any node gives; so many are made of what a file says. */
const mostOutputs = 65_536;

/** How an operator of TensorFlow is said in ONNX: gives the node's outputs. */
export type Translate = (at: Translation) => ValueId | readonly ValueId[];

/** One node on its way into the graph: what it reads is there already. */
export class Translation extends OnnxWriter {
  readonly attributes: NodeAttributes;
  readonly inputs: readonly ValueId[];

  constructor(node: TensorflowNode, inputs: readonly ValueId[], editor: Editor, graph: Graph) {
    super(node.name, node.op, editor, graph);
    this.inputs = inputs;
    this.attributes = new NodeAttributes(node);
  }

  /** @throws PareError MODEL_INVALID where the node has no such input */
  input(index: number): ValueId {
    return this.inputs[index] ?? this.invalid(`has no input ${index}`);
  }

  /** An input of integers as ONNX takes them: int64 along one axis. */
  sizes(index: number): ValueId {
    const known = this.knownNumbers(index);
    if (known !== undefined) return this.integers(known);
    const wide = this.cast(this.input(index), "int64");
    return this.rankOf(wide) === 1 ? wide : this.add("Reshape", [wide, this.integers([-1])]);
  }

  /** The numbers that an input always has, where that is known. */
  knownNumbers(index: number): readonly number[] | undefined {
    const id = this.input(index);
    const constant = this.graph.constant(id);
    if (constant !== undefined) return constant.numbers();
    this.editor.inferTypes();
    const { elements } = this.graph.value(id);
    return elements?.every((one) => typeof one === "number") ? elements : undefined;
  }

  /** As `knownNumbers`, of sizes of which some may be free. */
  knownSizes(index: number): readonly Dim[] | undefined {
    const known = this.knownNumbers(index);
    return known ?? this.graph.value(this.input(index)).elements;
  }

  /** How many outputs a node says that it has. @throws PareError MODEL_INVALID */
  checkedCount(count: number): number {
    if (Number.isInteger(count) && count > 0 && count <= mostOutputs) return count;
    return this.invalid(`gives ${count} values`);
  }

  /** @throws PareError UNSUPPORTED_OP where they are known only when the model runs */
  numbers(index: number, what: string): readonly number[] {
    return this.knownNumbers(index) ?? this.refuse(`its ${what} are known only when it runs`);
  }

  /** The one number that an input always has. */
  number(index: number, what: string): number {
    const [number] = this.numbers(index, what);
    return number ?? this.invalid(`has no ${what}`);
  }
}

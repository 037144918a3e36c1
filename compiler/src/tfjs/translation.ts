import { type Dtype, PareError } from "@pare/runtime/format";
import {
  attribute,
  type Attributes,
  codeOfDtype,
  type Dim,
  type Editor,
  type Graph,
  Tensor,
  type TensorType,
  type ValueId,
} from "../ir/index.js";
import { NodeAttributes } from "./attributes.js";
import type { TensorflowNode } from "./graph-model.js";

/** Far more than any node gives; so many are made of what a file says. */
const mostOutputs = 65_536;

/** How an operator of TensorFlow is said in ONNX: gives the node's outputs. */
export type Translate = (at: Translation) => ValueId | readonly ValueId[];

/** One node on its way into the graph: what it reads is there already. */
export class Translation {
  readonly node: TensorflowNode;
  readonly attributes: NodeAttributes;
  readonly inputs: readonly ValueId[];
  readonly #editor: Editor;
  readonly #graph: Graph;

  constructor(node: TensorflowNode, inputs: readonly ValueId[], editor: Editor, graph: Graph) {
    this.node = node;
    this.inputs = inputs;
    this.attributes = new NodeAttributes(node);
    this.#editor = editor;
    this.#graph = graph;
  }

  /** @throws PareError MODEL_INVALID where the node has no such input */
  input(index: number): ValueId {
    return this.inputs[index] ?? this.invalid(`has no input ${index}`);
  }

  add(op: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    return this.#editor.add1(op, inputs, attributes);
  }

  /** As `add`, of several outputs. */
  addAll(
    op: string,
    inputs: readonly (ValueId | null)[],
    outputs: number,
    attributes: Attributes = {},
  ): readonly ValueId[] {
    return this.#editor.add(op, inputs, attributes, { outputs });
  }

  constant(tensor: Tensor): ValueId {
    return this.#editor.constant(`${this.node.name}/constant`, tensor);
  }

  /** Integers that ONNX wants as a tensor: sizes, axes, places. */
  integers(values: readonly number[]): ValueId {
    return this.constant(Tensor.int64(values));
  }

  /** A number in the type of a value. */
  numberLike(value: ValueId, number: number): ValueId {
    const dtype = this.dtypeOf(value) === "int32" ? "int32" : "float32";
    const data = dtype === "int32" ? Int32Array.of(number) : Float32Array.of(number);
    return this.constant(Tensor.of(dtype, [], data));
  }

  cast(value: ValueId, dtype: Dtype): ValueId {
    const known = this.dtypeOf(value);
    return known === dtype
      ? value
      : this.add("Cast", [value], {
          to: attribute.int(codeOfDtype(dtype)),
        });
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
    const constant = this.#graph.constant(id);
    if (constant !== undefined) return constant.numbers();
    this.#editor.inferTypes();
    const { elements } = this.#graph.value(id);
    return elements?.every((one) => typeof one === "number") ? elements : undefined;
  }

  /** As `knownNumbers`, of sizes of which some may be free. */
  knownSizes(index: number): readonly Dim[] | undefined {
    const known = this.knownNumbers(index);
    return known ?? this.#graph.value(this.input(index)).elements;
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

  shapeOf(value: ValueId): readonly Dim[] | undefined {
    return this.#typeOf(value)?.shape;
  }

  rankOf(value: ValueId): number | undefined {
    return this.shapeOf(value)?.length;
  }

  /** @throws PareError UNSUPPORTED_OP where not even the number of axes is known */
  rank(value: ValueId): number {
    return this.rankOf(value) ?? this.refuse("the number of axes of what it reads is not known");
  }

  dtypeOf(value: ValueId): Dtype | undefined {
    return this.#typeOf(value)?.dtype;
  }

  transpose(value: ValueId, perm: readonly number[]): ValueId {
    return perm.every((axis, at) => axis === at)
      ? value
      : this.add("Transpose", [value], { perm: attribute.ints(perm) });
  }

  refuse(why: string): never {
    const { name, op } = this.node;
    throw new PareError("UNSUPPORTED_OP", `${op} ${JSON.stringify(name)} is not read: ${why}.`, {
      where: name,
    });
  }

  invalid(why: string): never {
    const { name, op } = this.node;
    throw new PareError("MODEL_INVALID", `${op} ${JSON.stringify(name)} ${why}.`, { where: name });
  }

  #typeOf(value: ValueId): TensorType | undefined {
    this.#editor.inferTypes();
    const { type } = this.#graph.value(value);
    return type.kind === "tensor" ? type : undefined;
  }
}

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

/** Writes what one node or layer of TensorFlow is in ONNX, and speaks for it where that cannot be said. */
export class OnnxWriter {
  /** What it is called, and of what kind it is. */
  readonly name: string;
  readonly kind: string;
  protected readonly editor: Editor;
  protected readonly graph: Graph;

  constructor(name: string, kind: string, editor: Editor, graph: Graph) {
    this.name = name;
    this.kind = kind;
    this.editor = editor;
    this.graph = graph;
  }

  add(op: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    return this.editor.add1(op, inputs, attributes);
  }

  /** As `add`, of several outputs. */
  addAll(
    op: string,
    inputs: readonly (ValueId | null)[],
    outputs: number,
    attributes: Attributes = {},
  ): readonly ValueId[] {
    return this.editor.add(op, inputs, attributes, { outputs });
  }

  constant(tensor: Tensor): ValueId {
    return this.editor.constant(`${this.name}/constant`, tensor);
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
    const { name, kind } = this;
    throw new PareError("UNSUPPORTED_OP", `${kind} ${JSON.stringify(name)} is not read: ${why}.`, {
      where: name,
    });
  }

  invalid(why: string): never {
    const { name, kind } = this;
    throw new PareError("MODEL_INVALID", `${kind} ${JSON.stringify(name)} ${why}.`, {
      where: name,
    });
  }

  #typeOf(value: ValueId): TensorType | undefined {
    this.editor.inferTypes();
    const { type } = this.graph.value(value);
    return type.kind === "tensor" ? type : undefined;
  }
}

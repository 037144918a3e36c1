import { type Dtype, elementCount, PareError } from "@pare/runtime/format";
import {
  attribute,
  type Attributes,
  codeOfDtype,
  type Editor,
  type Graph,
  isStatic,
  type Node,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { convert } from "../elements/convert.js";
import { inferNode } from "../shape/infer.js";
import type { TrainingEngine } from "./training-engine.js";

/** Products of a convolution that takes so little time that it does not pay to put its channels in blocks. */
export const fewProducts = 2 ** 20;

/** Up to so many elements a constant is found again by its content. */
const sharedElements = 64;
/**
 * Of up to so many rows of up to so many columns, but for few elements, onnxruntime sums each column by itself: a product
 * with ones takes a third of the time.
 */
const slowlySummed = 256;
const fewElements = 4096;

/**
 * Writes nodes within an edit and types them at once: what is written next may ask for their shapes. What changes
 * nothing (a Reshape to the same shape) is not written.
 */
export class Emitter {
  readonly graph: Graph;
  readonly editor: Editor;
  readonly engine: TrainingEngine;
  /** Channels side by side, where the engine convolves by blocks of channels whatever makes the weights; else null. */
  readonly channelBlock: number | null;
  readonly #constants = new Map<string, ValueId>();

  constructor(
    graph: Graph,
    editor: Editor,
    engine: TrainingEngine,
    channelBlock: number | null = null,
  ) {
    this.graph = graph;
    this.editor = editor;
    this.engine = engine;
    this.channelBlock = channelBlock;
  }

  /** A node of one output. */
  node(op: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    const [output] = this.nodes(op, inputs, attributes, 1);
    if (output === undefined) throw new PareError("INTERNAL", `${op} was added without an output.`);
    return output;
  }

  nodes(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Attributes,
    outputs: number,
  ): readonly ValueId[] {
    const node = this.editor.addNode(op, inputs, attributes, { outputs });
    this.infer(node);
    return node.outputs.filter((id) => id !== null);
  }

  /** Types a node's outputs now instead of at the edit's end. */
  infer(node: Node): void {
    inferNode(this.graph, node).forEach((inferred, index) => {
      const output = node.outputs[index];
      if (inferred !== undefined && output !== undefined && output !== null)
        this.editor.setType(output, inferred.type, inferred.elements);
    });
  }

  /** @throws PareError MODEL_SHAPE where a dim is not a number */
  shape(value: ValueId): readonly number[] {
    const { name, type } = this.graph.value(value);
    const shape = type.kind === "tensor" ? type.shape : undefined;
    if (shape === undefined || !isStatic(shape))
      throw new PareError(
        "MODEL_SHAPE",
        `The shape of ${name} is ${shape === undefined ? "not known" : `[${shape.join(", ")}]`}, and gradients need numbers.`,
        { where: name, hint: "Give every free dim of the model's inputs a size." },
      );
    return shape;
  }

  dtype(value: ValueId): Dtype {
    const { name, type } = this.graph.value(value);
    if (type.kind === "tensor" && type.dtype !== undefined) return type.dtype;
    throw new PareError("MODEL_SHAPE", `The type of ${name} is not known.`, { where: name });
  }

  // Constants

  integers(values: readonly number[]): ValueId {
    return this.#shared(`int64 ${values.join()}`, () => Tensor.int64(values));
  }

  /** A constant in the dtype of another value. */
  floats(values: ArrayLike<number>, dims: readonly number[], like: ValueId): ValueId {
    const dtype = this.dtype(like);
    const make = (): Tensor => {
      const data = Float64Array.from(values);
      const dense = convert({ type: "float64", dims, data }, dtype);
      return Tensor.of(dtype, dims, dense.data);
    };
    if (values.length > sharedElements) return this.editor.constant("constant", make());
    return this.#shared(`${dtype} [${dims.join()}] ${Array.from(values).join()}`, make);
  }

  scalar(value: number, like: ValueId): ValueId {
    return this.floats([value], [], like);
  }

  zeros(dims: readonly number[], like: ValueId): ValueId {
    return this.expand(this.scalar(0, like), dims);
  }

  #shared(key: string, make: () => Tensor): ValueId {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const made = this.editor.constant("constant", make());
    this.#constants.set(key, made);
    return made;
  }

  // Element by element

  add(a: ValueId, b: ValueId): ValueId {
    return this.node("Add", [a, b]);
  }

  subtract(a: ValueId, b: ValueId): ValueId {
    return this.node("Sub", [a, b]);
  }

  multiply(a: ValueId, b: ValueId): ValueId {
    return this.node("Mul", [a, b]);
  }

  divide(a: ValueId, b: ValueId): ValueId {
    return this.node("Div", [a, b]);
  }

  negate(x: ValueId): ValueId {
    return this.node("Neg", [x]);
  }

  /** x · factor */
  scale(x: ValueId, factor: number): ValueId {
    return factor === 1 ? x : this.multiply(x, this.scalar(factor, x));
  }

  /** x + amount */
  shift(x: ValueId, amount: number): ValueId {
    return amount === 0 ? x : this.add(x, this.scalar(amount, x));
  }

  /** −1, 0 or 1; WebGPU has no kernel for Sign. */
  sign(x: ValueId): ValueId {
    if (this.engine !== "webgpu") return this.node("Sign", [x]);
    const dtype = this.dtype(x);
    return this.subtract(
      this.cast(this.compare("Greater", x, 0), dtype),
      this.cast(this.compare("Less", x, 0), dtype),
    );
  }

  /** 1 / √(x + ε) */
  inverseRoot(x: ValueId, epsilon: number): ValueId {
    return this.node("Reciprocal", [this.node("Sqrt", [this.shift(x, epsilon)])]);
  }

  /** Are elements of x greater than a number, less, equal…? */
  compare(op: "Greater" | "Less" | "Equal", x: ValueId, to: number): ValueId {
    return this.node(op, [x, this.scalar(to, x)]);
  }

  where(condition: ValueId, yes: ValueId, no: ValueId): ValueId {
    return this.node("Where", [condition, yes, no]);
  }

  cast(x: ValueId, to: Dtype): ValueId {
    return this.dtype(x) === to
      ? x
      : this.node("Cast", [x], { to: attribute.int(codeOfDtype(to)) });
  }

  /** x where the condition holds, 0 elsewhere. */
  masked(x: ValueId, condition: ValueId): ValueId {
    return this.multiply(x, this.cast(condition, this.dtype(x)));
  }

  // Shapes

  reshape(x: ValueId, dims: readonly number[]): ValueId {
    const from = this.shape(x);
    if (from.length === dims.length && dims.every((size, axis) => size === from[axis])) return x;
    return this.node("Reshape", [x, this.integers(dims)], { allowzero: attribute.int(1) });
  }

  transpose(x: ValueId, permutation: readonly number[]): ValueId {
    if (permutation.every((from, axis) => from === axis)) return x;
    const dims = this.shape(x);
    // Axes of one element may be moved without moving elements.
    const kept = permutation.filter((axis) => dims[axis] !== 1);
    if (kept.every((axis, at) => at === 0 || axis > (kept[at - 1] ?? 0)))
      return this.reshape(
        x,
        permutation.map((axis) => dims[axis] ?? 1),
      );
    return this.node("Transpose", [x], { perm: attribute.ints(permutation) });
  }

  /** The last two axes exchanged. */
  swap(x: ValueId): ValueId {
    const axes = [...this.shape(x).keys()];
    const [row = 0, column = 1] = axes.slice(-2);
    return this.transpose(x, [...axes.slice(0, -2), column, row]);
  }

  expand(x: ValueId, dims: readonly number[]): ValueId {
    const from = this.shape(x);
    if (from.length === dims.length && dims.every((size, axis) => size === from[axis])) return x;
    return this.node("Expand", [x, this.integers(dims)]);
  }

  sum(x: ValueId, axes: readonly number[], keep = false): ValueId {
    const dims = this.shape(x);
    const rest = dims.slice(axes.length);
    const [rows, columns] = [elementCount(dims.slice(0, axes.length)), elementCount(rest)];
    const isSlow =
      axes.every((axis, at) => axis === at) &&
      Math.max(rows, columns) <= slowlySummed &&
      rows * columns >= fewElements;
    if (!isSlow || this.engine === "webgpu" || this.dtype(x) !== "float32")
      return this.#reduced("ReduceSum", x, axes, keep);
    const ones = this.#shared(`${rows} ones`, () =>
      Tensor.float32([1, rows], new Float32Array(rows).fill(1)),
    );
    const summed = this.node("MatMul", [ones, this.reshape(x, [rows, columns])]);
    return this.reshape(summed, keep ? [...axes.map(() => 1), ...rest] : rest);
  }

  mean(x: ValueId, axes: readonly number[], keep = false): ValueId {
    return this.#reduced("ReduceMean", x, axes, keep);
  }

  #reduced(op: string, x: ValueId, axes: readonly number[], keep: boolean): ValueId {
    const from = this.shape(x);
    if (axes.every((axis) => from[axis] === 1))
      return keep
        ? x
        : this.reshape(
            x,
            from.filter((_, axis) => !axes.includes(axis)),
          );
    return this.node(op, [x, this.integers(axes)], { keepdims: attribute.int(keep ? 1 : 0) });
  }

  /** x[starts : ends : steps] along each of the axes. */
  slice(
    x: ValueId,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps: readonly number[],
  ): ValueId {
    const dims = this.shape(x);
    const isWhole = axes.every(
      (axis, at) => starts[at] === 0 && steps[at] === 1 && (ends[at] ?? 0) >= (dims[axis] ?? 0),
    );
    if (isWhole) return x;
    return this.node("Slice", [x, ...[starts, ends, axes, steps].map((all) => this.integers(all))]);
  }

  /** A number, 0 where not given, before and after, an entry per axis. */
  pad(x: ValueId, before: readonly number[], after: readonly number[], by?: number): ValueId {
    const counts = [...before, ...after];
    if (counts.every((count) => count === 0)) return x;
    const value = by === undefined ? [] : [this.scalar(by, x)];
    return this.node("Pad", [x, this.integers(counts), ...value]);
  }

  concat(parts: readonly ValueId[], axis: number): ValueId {
    const [first] = parts;
    return parts.length === 1 && first !== undefined
      ? first
      : this.node("Concat", parts, { axis: attribute.int(axis) });
  }

  split(x: ValueId, axis: number, sizes: readonly number[]): readonly ValueId[] {
    if (sizes.length === 1) return [x];
    const attributes = { axis: attribute.int(axis) };
    return this.nodes("Split", [x, this.integers(sizes)], attributes, sizes.length);
  }
}

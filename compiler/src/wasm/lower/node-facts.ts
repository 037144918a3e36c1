import { type Dtype, PareError, type TypedArray } from "@pare/runtime/format";
import { type Graph, type Node, type ValueId, shapeOf } from "../../ir/index.js";
import { type AttributeReader, attributeReader } from "../../ops/index.js";

/** What lowering asks of a node. Shapes are numbers: what has others is refused before. */
export class NodeFacts {
  readonly graph: Graph;
  readonly node: Node;
  readonly attributes: AttributeReader;

  constructor(graph: Graph, node: Node) {
    this.graph = graph;
    this.node = node;
    this.attributes = attributeReader(node.attributes);
  }

  /** The input at a position; undefined where it is left out. */
  input(index: number): ValueId | undefined {
    return this.node.inputs[index] ?? undefined;
  }

  /** @throws PareError INTERNAL where it is left out: a check should have refused it */
  required(index: number): ValueId {
    const id = this.input(index);
    if (id === undefined) throw this.fault(`has no input ${index}`);
    return id;
  }

  output(index = 0): ValueId {
    const id = this.node.outputs[index];
    if (id === undefined || id === null) throw this.fault(`has no output ${index}`);
    return id;
  }

  /** The inputs that are there. */
  get inputs(): readonly ValueId[] {
    return this.node.inputs.flatMap((id) => id ?? []);
  }

  isConstant(index: number): boolean {
    return this.graph.constant(this.input(index)) !== undefined;
  }

  /** The numbers of a small constant input: axes, pads, bounds. Undefined where it is none. */
  numbers(index: number): readonly number[] | undefined {
    return this.graph.constant(this.input(index))?.numbers();
  }

  dims(index: number): readonly number[] {
    return dimsOf(this.graph, this.required(index));
  }

  outputDims(index = 0): readonly number[] {
    return dimsOf(this.graph, this.output(index));
  }

  /**
   * What a table says of its operator.
   * @throws PareError INTERNAL where it says nothing: a check should have refused it
   */
  entryOf<T>(table: Readonly<Record<string, T>>): T {
    const { op } = this.node;
    const entry = Object.hasOwn(table, op) ? table[op] : undefined;
    if (entry === undefined) throw this.fault("is not among what its row compiles");
    return entry;
  }

  fault(problem: string): PareError {
    const where = this.graph.nodeLabel(this.node);
    return new PareError("INTERNAL", `${this.node.op} "${where}" ${problem}.`, { where });
  }
}

/** A scalar counts as one element of one axis. */
export function dimsOf(graph: Graph, id: ValueId): readonly number[] {
  const shape = shapeOf(graph, id) ?? [];
  return shape.length === 0 ? [1] : shape.map(Number);
}

export function dtypeOf(graph: Graph, id: ValueId): Dtype | undefined {
  const { type, constant } = graph.value(id);
  return constant?.dtype ?? (type.kind === "tensor" ? type.dtype : undefined);
}

/** The elements of constants that a model has. */
export type Arrays = ReadonlyMap<ValueId, TypedArray>;

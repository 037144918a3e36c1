import type { Editor, Graph, Node, Tensor, ValueId } from "../../ir/index.js";
import { isTransposed } from "./dynamic-operators.js";

/** Writes Gemm as MatMul and Add, by the names of onnx_model.py's `replace_gemm_with_matmul`. */
export class GemmWriter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #turned: ReadonlyMap<ValueId, Tensor>;
  readonly #written = new Map<ValueId, ValueId>();

  /** @param turned constants of bodies that a Gemm reads with rows for columns, so */
  constructor(graph: Graph, editor: Editor, turned: ReadonlyMap<ValueId, Tensor>) {
    this.#graph = graph;
    this.#editor = editor;
    this.#turned = turned;
  }

  /** In float, by a MatMul of its own. */
  replace(node: Node): void {
    const [activation = null, matrix = null, addend = null] = node.inputs;
    const [output] = node.outputs;
    if (output === null || output === undefined || matrix === null) return;
    const label = this.#graph.value(output).name;
    const isAdded = addend !== null;
    const product = this.#editor.add1(
      "MatMul",
      [activation, isTransposed(node) ? this.#rowsForColumns(node, matrix) : matrix],
      {},
      { ...this.#named(node, "MatMul"), outputs: [isAdded ? `${label}_MatMul` : label] },
    );
    const result = isAdded ? this.add(node, product, addend, label) : product;
    this.#editor.replace(output, result, "a product and a sum");
    this.#editor.remove(node.id);
  }

  add(node: Node, product: ValueId, addend: ValueId, label: string): ValueId {
    const added = { ...this.#named(node, "Add"), outputs: [label] };
    return this.#editor.add1("Add", [product, addend], {}, added);
  }

  #rowsForColumns(node: Node, matrix: ValueId): ValueId {
    const { name, body } = this.#graph.value(matrix);
    const tensor = this.#turned.get(matrix);
    if (tensor === undefined) {
      const transpose = { ...this.#named(node, "Transpose"), outputs: [`${name}_Transposed`] };
      return this.#editor.add1("Transpose", [matrix], {}, transpose);
    }
    const known = this.#written.get(matrix);
    const made = known ?? this.#editor.constant(name, tensor, this.#graph.body(body));
    this.#written.set(matrix, made);
    return made;
  }

  #named(node: Node, suffix: string) {
    const name = node.name === "" ? "" : `${node.name}_${suffix}`;
    return { name, body: this.#graph.body(node.body) };
  }
}

import type { Graph, Node, ValueId } from "../../ir/index.js";

/** What `quantize_dynamic` does with a node of the main graph, and which of its constants become integers. */
export type DynamicHandling =
  | {
      readonly kind: "matmul" | "conv";
      readonly activation: ValueId;
      readonly weight: ValueId;
      /** Of a Conv; a Gemm's is added by itself. */
      readonly bias: ValueId | null;
    }
  | { readonly kind: "gather"; readonly table: ValueId; readonly indices: ValueId }
  | {
      readonly kind: "lstm";
      readonly weights: readonly [input: ValueId, recurrent: ValueId];
    }
  /** Of integers if what it reads is of integers. */
  | { readonly kind: "transpose"; readonly input: ValueId }
  | { readonly kind: "float" };

const float: DynamicHandling = { kind: "float" };

/** The operators that `quantize_dynamic` takes by default, MatMul with constant weights alone (quantization/registry.py). */
export function dynamicHandling(graph: Graph, node: Node): DynamicHandling {
  if (node.domain !== "") return float;
  const [first = null, second = null, third = null] = node.inputs;
  if (first === null) return float;
  switch (node.op) {
    case "MatMul":
      return isConstantFloat(graph, second)
        ? { kind: "matmul", activation: first, weight: second, bias: null }
        : float;
    case "Gemm":
      return isProduct(node) && isConstantFloat(graph, second)
        ? { kind: "matmul", activation: first, weight: second, bias: null }
        : float;
    case "Conv":
      return isFloat(graph, first) && isConstantFloat(graph, second)
        ? { kind: "conv", activation: first, weight: second, bias: third }
        : float;
    case "Gather":
      return isConstantFloat(graph, first) && second !== null
        ? { kind: "gather", table: first, indices: second }
        : float;
    case "LSTM":
      return isLstmWeight(graph, second) && isLstmWeight(graph, third)
        ? { kind: "lstm", weights: [second, third] }
        : float;
    case "Transpose":
      return { kind: "transpose", input: first };
    default:
      return float;
  }
}

/** A Gemm that is first written as MatMul and Add (onnx_model.py: `replace_gemm_with_matmul`). */
export function isProduct(node: Node): boolean {
  if (node.op !== "Gemm" || node.domain !== "") return false;
  const [alpha, beta, transA] = ["alpha", "beta", "transA"].map((name) =>
    node.attributes.get(name),
  );
  const isOne = (attribute: typeof alpha): boolean =>
    attribute === undefined || (attribute.type === "float" && attribute.value === 1);
  return isOne(alpha) && isOne(beta) && !(transA?.type === "int" && transA.value !== 0n);
}

export function isTransposed(node: Node): boolean {
  const transB = node.attributes.get("transB");
  return node.op === "Gemm" && transB?.type === "int" && transB.value === 1n;
}

function isConstantFloat(graph: Graph, value: ValueId | null): value is ValueId {
  return graph.constant(value)?.dtype === "float32";
}

/** DynamicQuantizeLSTM knows no `layout`. */
function isLstmWeight(graph: Graph, value: ValueId | null): value is ValueId {
  const tensor = graph.constant(value);
  return tensor?.dtype === "float32" && tensor.dims.length === 3;
}

function isFloat(graph: Graph, value: ValueId): boolean {
  const { type } = graph.value(value);
  return type.kind === "tensor" && type.dtype === "float32";
}

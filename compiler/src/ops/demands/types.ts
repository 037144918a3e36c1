import type { Dtype } from "@pare/runtime/format";
import type { InferContext } from "../shape/rule.js";

/**
 * Of which types inputs and outputs are, and which operators have them so: a capital letter is one type wherever it
 * stands, `int` is int32 or int64, `real` any of floats, `-` is any, and dots stand behind what goes on to the end of a list.
 */
const signatures: Readonly<Record<string, string>> = {
  "T -> T":
    "Identity Flatten Transpose DepthToSpace SpaceToDepth Softmax LogSoftmax AveragePool GlobalAveragePool GlobalMaxPool Relu LeakyRelu Elu Selu Celu HardSigmoid HardSwish Gelu Mish Softplus Softsign Sigmoid Tanh Erf Exp Log Sqrt Reciprocal Neg Abs Sign Floor Ceil Round Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh ThresholdedRelu Shrink",
  "T T -> T": "Add Sub Mul Div Mod PRelu MatMul",
  "T U -> T": "Pow GridSample",
  "T... -> T": "Min Max Sum Mean Concat",
  "T T -> bool": "Equal Less LessOrEqual Greater GreaterOrEqual",
  "bool bool -> bool": "And Or Xor",
  "bool -> bool": "Not",
  "T -> bool": "IsNaN IsInf",
  "bool T T -> T": "Where",
  "T T T -> T":
    "Clip Conv ConvTranspose Gemm LayerNormalization InstanceNormalization GroupNormalization",
  "T T T T T -> T": "BatchNormalization",
  "T int64 -> T":
    "Reshape Squeeze Unsqueeze Expand Tile Trilu GatherND ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp",
  "T int64 -> T...": "Split",
  "T int64 T int -> T": "Pad",
  "T int int int int -> T": "Slice",
  "T int -> T": "Gather GatherElements CumSum",
  "T int T -> T": "ScatterElements",
  "T int64 T -> T": "ScatterND",
  "- - T -> T": "OneHot",
  "int64 -> -": "ConstantOfShape",
  "T int64 -> T int64": "TopK",
  "T -> int64": "ArgMax ArgMin",
  "T -> T int64": "MaxPool",
  "T T T T int32 T T T -> T T T": "LSTM",
  "T T T T int32 T -> T T": "GRU RNN",
  "real real Q -> Q": "QuantizeLinear",
  "Q real Q -> real": "DequantizeLinear",
  "float32 -> uint8 float32 uint8": "DynamicQuantizeLinear",
  "T - float32 int64 -> T": "Resize",
  "T int int64 -> T": "DFT",
  "T int T int -> T": "STFT",
  "float32 float32 int64 float32 float32 -> int64": "NonMaxSuppression",
};

const byOperator = new Map(
  Object.entries(signatures).flatMap(([signature, operators]) =>
    operators.split(" ").map((operator) => [operator, signature.split(" -> ")] as const),
  ),
);

/** Do types that must be one differ, as far as they are known? @returns which, in words */
export function refusedTypes(context: InferContext, operator: string): string | undefined {
  const [inputs = "", outputs = ""] = byOperator.get(operator) ?? [];
  const bound = new Map<string, Dtype>();
  const { graph, node } = context;
  const made = node.outputs.map((id): Dtype | undefined => {
    const type = id === null ? undefined : graph.value(id).type;
    return type?.kind === "tensor" ? type.dtype : undefined;
  });
  const given = node.inputs.map((_, input) => context.dtype(input));
  const found: readonly (readonly [string, Dtype | undefined])[] = [
    ...given.map((dtype, at) => [wordAt(inputs, at), dtype] as const),
    ...made.map((dtype, at) => [wordAt(outputs, at), dtype] as const),
  ];
  for (const [word, dtype] of found) {
    if (dtype === undefined || isOf(word, dtype, bound)) continue;
    return `it computes with ${dtype} where it needs ${bound.get(word) ?? words[word] ?? word}`;
  }
  return undefined;
}

const words: Readonly<Record<string, string>> = { int: "int32 or int64", real: "floats" };

function isOf(word: string, dtype: Dtype, bound: Map<string, Dtype>): boolean {
  if (word === "-") return true;
  if (word === "int") return dtype === "int32" || dtype === "int64";
  if (word === "real") return /^b?float/.test(dtype);
  if (!/^[A-Z]$/.test(word)) return dtype === word;
  const known = bound.get(word) ?? dtype;
  bound.set(word, known);
  return known === dtype;
}

function wordAt(list: string, at: number): string {
  const all = list.split(" ");
  const last = all.at(-1) ?? "-";
  if (list === "") return "-";
  return all[at]?.replace("...", "") ?? (last.endsWith("...") ? last.slice(0, -3) : "-");
}

import { operators } from "../../compiler/src/ops/index.js";
import type { LoweringRow } from "../../compiler/src/wasm/lower/lowering-row.js";
import { classicalOperators } from "../../compiler/src/passes/classical/say-classical.js";
import {
  attentionOperators,
  fusedOperators,
} from "../../compiler/src/passes/fused-operators/say-fused.js";
import { newerOperators } from "../../compiler/src/passes/opset/newer-operators.js";
import { normalizations } from "../../compiler/src/passes/normalizations/say-normalizations.js";
import { placeOperators } from "../../compiler/src/passes/places/say-places.js";
import { byteWords } from "../../compiler/src/passes/quantized-operators/bytes-as-numbers.js";
import { quantizedOperators } from "../../compiler/src/passes/quantized-operators/say-quantized.js";
import { spatialOperators } from "../../compiler/src/passes/spatial/say-spatial.js";
import { overThreeAxes } from "../../compiler/src/passes/volumes/say-volumes.js";
import { lowerings } from "../../compiler/src/wasm/lower/lowerings.js";

/** `compiled-operators.md`: which of the operators that are known are compiled to WebAssembly. */
export function compiledOperatorsPage(): string {
  const known = [...operators.keys()].filter((key) => !key.includes("::"));
  const others = known.filter((key) => !isCompiled(key) && !said.has(key)).sort();
  return [
    "# Compiled operators",
    "",
    "What the target `aot` compiles to WebAssembly ([how](ahead-of-time.md)): the rows of",
    "`compiler/src/wasm/lower/lowerings.ts`, of a model that was simplified. Operators on one line are lowered alike. A row may",
    "refuse a type, an attribute, or an input that would have to be constant: `pare inspect` says of a model every reason at",
    "once, with the nodes.",
    "",
    ...[...alike()].map((names) => `- ${names.map(code).join(", ")}`),
    "",
    `${listed([...normalizations, ...spatialOperators, ...placeOperators])} are said in operators above,`,
    "as is a `Conv` or `ConvTranspose` whose weights or bias a run computes.",
    `Over three axes ${listed(overThreeAxes)} are said over two.`,
    "",
    "## Of ai.onnx.ml",
    "",
    "What scikit-learn, XGBoost, LightGBM and CatBoost export is said in the operators above, but for trees, which are walked",
    "([why](../decisions/0032-classical-models-are-said-and-walked.md)); labels and categories that are text lie beside the module's numbers, which say which:",
    "",
    `${classicalOperators.map((key) => code(key.replace("ai.onnx.ml::", ""))).join(", ")}.`,
    "",
    "## Of onnxruntime",
    "",
    "What onnxruntime fuses where it optimizes a model, which may be saved so, and `MeanVarianceNormalization`, which ONNX defines by",
    "others, are said in the operators above",
    "([why](../decisions/0034-fused-operators-are-said-in-onnx.md)):",
    "",
    `${saidOfEngine.map((key) => code(key.replace("com.microsoft::", ""))).join(", ")}.`,
    "",
    "## On integers",
    "",
    "What onnxruntime's quantizer writes as operators on integers (QOperator) is said as it writes the same between",
    "DequantizeLinear and QuantizeLinear (QDQ), and compiled to the same kernels; scales and zero points must be constant.",
    `What computes on bytes as they are, is said on numbers in steps of one: ${Object.keys(byteWords).map(code).join(", ")}.`,
    "",
    `${[...new Set(quantizedOperators.map((key) => code(key.replace("com.microsoft::", ""))))].sort().join(", ")}.`,
    "",
    "## Known, and not compiled",
    "",
    "Many of them are gone once a model is simplified: what computes shapes, what constants decide, what is only written out,",
    "and an `Einsum` without a diagonal, which is said in `MatMul`, `Mul`, `ReduceSum` and `Transpose`.",
    "A `Loop` that makes as many rounds whatever it is given is an `LSTM`, `GRU` or `RNN`, where its body is the cell of",
    "one, or written out, as a `Scan` is ([how](../decisions/0038-loops-over-time-are-cells.md)). Of an `If` that a run decides both",
    "branches are computed where they give the same sizes and neither can fail; one that an input decides which may never change, as a",
    "sample rate, is decided by `--const`. Where one is left, the whole model goes to the other targets.",
    "",
    `${others.length}: ${others.map(code).join(", ")}.`,
    "",
  ].join("\n");
}

const saidOfEngine = [...fusedOperators, ...attentionOperators].sort();
const said = new Set([...saidOfEngine, ...newerOperators.map(({ op }) => op)]);

function isCompiled(key: string): boolean {
  return [
    ...lowerings.keys(),
    ...quantizedOperators,
    ...normalizations,
    ...spatialOperators,
    ...placeOperators,
  ].includes(key);
}

/** Names that share a row, in its order. */
function alike(): Iterable<readonly string[]> {
  const byRow = new Map<LoweringRow, string[]>();
  for (const [name, row] of lowerings) {
    const names = byRow.get(row) ?? [];
    names.push(name);
    byRow.set(row, names);
  }
  return byRow.values();
}

/** `A`, `B` and `C` */
function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).map(code).join(", ")} and ${code(names.at(-1) ?? "")}`;
}

function code(name: string): string {
  return `\`${name}\``;
}

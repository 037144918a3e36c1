import { cumulativeSumRow, extremumPlaceRow, topRow } from "./along-axis.js";
import { batchNormRow, binaryRow, unaryRow } from "./elementwise.js";
import { concatRow, splitRow } from "./concat-split.js";
import { convolutionRow } from "./convolution.js";
import { couplingRow } from "./coupling.js";
import { dftRow, stftRow } from "./fourier.js";
import {
  gatherElementsRow,
  gatherNdRow,
  gatherRow,
  scatterElementsRow,
  scatterNdRow,
} from "./gather.js";
import { gridSampleRow } from "./grid-sample.js";
import { groupNormRow } from "./group-norm.js";
import { gruRow } from "./gru.js";
import { layerNormRow } from "./layer-norm.js";
import { logSumExpRow, logSumRow } from "./log-sum-exp.js";
import type { LoweringRow } from "./lowering-row.js";
import { lstmRow } from "./lstm.js";
import { madeRow } from "./made-constant.js";
import { gemmRow, matMulRow } from "./matrix-product.js";
import { movementRow } from "./movement.js";
import { padRow } from "./pad.js";
import { averagePoolRow, globalAverageRow, globalMaxRow, maxPoolRow } from "./pooling.js";
import { rangeRow } from "./progression.js";
import { byteClipRow, dequantizeRow, quantizeRow } from "./quantized/boundary.js";
import { convolveBytes } from "./quantized/convolution.js";
import { dynamicQuantizeRow } from "./quantized/dynamic-range.js";
import { bitwiseRow } from "./integers.js";
import { integerConvolutionRow } from "./quantized/integer-convolution.js";
import { integerProductRow } from "./quantized/integer-product.js";
import { joinBytes } from "./quantized/join.js";
import { averageBytes, poolBytes } from "./quantized/pooling.js";
import { multiplyBytes } from "./quantized/product.js";
import { ofBytes, onBytes } from "./quantized/rows.js";
import { reductionRow } from "./reduction.js";
import { identityRow, reshapeRow, transposeRow } from "./reshape.js";
import { resizeRow } from "./resize.js";
import { filledRow } from "./filled.js";
import { nonZeroRow } from "./non-zero.js";
import { oneHotRow } from "./one-hot.js";
import { rnnRow } from "./rnn.js";
import { softmaxRow } from "./softmax.js";
import { suppressionRow } from "./suppression.js";
import { shrinkRow, thresholdedRow } from "./thresholds.js";
import {
  castRow,
  comparisonRow,
  isInfinityRow,
  isNanRow,
  logicRow,
  notRow,
  whereRow,
} from "./truth.js";
import { transposedConvolutionRow } from "./transposed-convolution.js";
import { treeEnsembleRow } from "./tree-ensemble.js";
import { triangleRow } from "./triangle.js";

/** Every operator that is compiled, by the key under which it is known. */
export const lowerings: ReadonlyMap<string, LoweringRow> = new Map(
  Object.entries({
    Conv: onBytes(convolutionRow, convolveBytes),
    ConvTranspose: transposedConvolutionRow,
    Resize: resizeRow,
    GridSample: gridSampleRow,
    MatMul: onBytes(matMulRow, multiplyBytes),
    Gemm: onBytes(gemmRow, multiplyBytes),
    MaxPool: ofBytes(maxPoolRow, { ...maxPoolRow, lower: poolBytes }),
    QuantizeLinear: quantizeRow,
    DequantizeLinear: dequantizeRow,
    DynamicQuantizeLinear: dynamicQuantizeRow,
    MatMulInteger: integerProductRow,
    ConvInteger: integerConvolutionRow,
    AveragePool: onBytes(averagePoolRow, averageBytes),
    GlobalAveragePool: onBytes(globalAverageRow, averageBytes),
    GlobalMaxPool: globalMaxRow,
    BatchNormalization: batchNormRow,
    LayerNormalization: layerNormRow,
    ...named(groupNormRow, "InstanceNormalization GroupNormalization"),
    LSTM: lstmRow,
    GRU: gruRow,
    RNN: rnnRow,
    Softmax: softmaxRow,
    LogSoftmax: softmaxRow,
    Concat: concatRow,
    Split: splitRow,
    Reshape: reshapeRow,
    Flatten: reshapeRow,
    Squeeze: reshapeRow,
    Unsqueeze: reshapeRow,
    Transpose: transposeRow,
    Identity: identityRow,
    Pad: padRow,
    Gather: gatherRow,
    GatherElements: gatherElementsRow,
    GatherND: gatherNdRow,
    ScatterElements: scatterElementsRow,
    ScatterND: scatterNdRow,
    ...named(movementRow, "Slice Expand Tile DepthToSpace SpaceToDepth"),
    Cast: castRow,
    Where: whereRow,
    Not: notRow,
    IsNaN: isNanRow,
    IsInf: isInfinityRow,
    ThresholdedRelu: thresholdedRow,
    Shrink: shrinkRow,
    Trilu: triangleRow,
    ConstantOfShape: filledRow,
    Range: rangeRow,
    OneHot: oneHotRow,
    ...named(comparisonRow, "Equal Less LessOrEqual Greater GreaterOrEqual"),
    ...named(logicRow, "And Or Xor"),
    ...named(bitwiseRow, "BitwiseAnd BitwiseOr BitwiseXor BitwiseNot"),
    ...named(onBytes(binaryRow, joinBytes), "Add Sub Mul Div Min Max Sum PRelu Mod Pow"),
    Mean: binaryRow,
    ...named(
      reductionRow,
      "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL1 ReduceL2",
    ),
    ReduceLogSum: logSumRow,
    ReduceLogSumExp: logSumExpRow,
    ...named(extremumPlaceRow, "ArgMax ArgMin"),
    TopK: topRow,
    CumSum: cumulativeSumRow,
    DFT: dftRow,
    STFT: stftRow,
    ...named(madeRow, "HannWindow HammingWindow BlackmanWindow MelWeightMatrix"),
    NonMaxSuppression: suppressionRow,
    NonZero: nonZeroRow,
    "ai.onnx.ml::SVMClassifier": couplingRow,
    "ai.onnx.ml::TreeEnsembleRegressor": treeEnsembleRow,
    ...named(
      unaryRow,
      "Relu LeakyRelu Elu Selu Celu HardSigmoid HardSwish Gelu Mish Softplus Softsign Sigmoid Tanh Erf Exp Log Sqrt Reciprocal Neg Abs Sign Floor Ceil Round Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh",
    ),
    Clip: ofBytes(unaryRow, byteClipRow),
  }),
);

/** Their keys. */
export const compiledOperators: readonly string[] = [...lowerings.keys()];

function named(row: LoweringRow, operators: string): Readonly<Record<string, LoweringRow>> {
  return Object.fromEntries(operators.split(" ").map((op) => [op, row]));
}

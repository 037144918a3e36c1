import { batchNormRow, binaryRow, unaryRow } from "./elementwise.js";
import { convolutionRow } from "./convolution.js";
import { layerNormRow } from "./layer-norm.js";
import type { LoweringRow } from "./lowering-row.js";
import { lstmRow } from "./lstm.js";
import { gemmRow, matMulRow } from "./matrix-product.js";
import {
  concatRow,
  identityRow,
  movementRow,
  padRow,
  reshapeRow,
  splitRow,
  transposeRow,
} from "./movement.js";
import { averagePoolRow, globalAverageRow, globalMaxRow, maxPoolRow } from "./pooling.js";
import { reductionRow } from "./reduction.js";
import { resizeRow } from "./resize.js";
import { softmaxRow } from "./softmax.js";
import { transposedConvolutionRow } from "./transposed-convolution.js";

/** Every operator of ai.onnx that is compiled. */
export const lowerings: ReadonlyMap<string, LoweringRow> = new Map(
  Object.entries({
    Conv: convolutionRow,
    ConvTranspose: transposedConvolutionRow,
    Resize: resizeRow,
    MatMul: matMulRow,
    Gemm: gemmRow,
    MaxPool: maxPoolRow,
    AveragePool: averagePoolRow,
    GlobalAveragePool: globalAverageRow,
    GlobalMaxPool: globalMaxRow,
    BatchNormalization: batchNormRow,
    LayerNormalization: layerNormRow,
    LSTM: lstmRow,
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
    ...named(movementRow, "Slice Gather Expand Tile DepthToSpace SpaceToDepth"),
    ...named(binaryRow, "Add Sub Mul Div Min Max Sum PRelu"),
    ...named(
      reductionRow,
      "ReduceSum ReduceMean ReduceMax ReduceMin ReduceSumSquare ReduceL1 ReduceL2",
    ),
    ...named(
      unaryRow,
      "Relu Clip LeakyRelu Elu HardSigmoid HardSwish Gelu Sigmoid Tanh Erf Exp Log Sqrt Reciprocal Neg Abs Floor Ceil Round Softplus Pow",
    ),
  }),
);

/** Their names. */
export const compiledOperators: readonly string[] = [...lowerings.keys()];

function named(row: LoweringRow, operators: string): Readonly<Record<string, LoweringRow>> {
  return Object.fromEntries(operators.split(" ").map((op) => [op, row]));
}

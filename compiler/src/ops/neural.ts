import { controlRows } from "./shape/control.js";
import { convolutionRows } from "./reference/convolution.js";
import { detectionRows } from "./reference/detection.js";
import { matrixRows } from "./reference/matrix.js";
import { normalizationRows } from "./reference/normalization.js";
import { poolingRows } from "./reference/pooling.js";
import { quantizationRows } from "./reference/quantization.js";
import { recurrentRows } from "./reference/recurrent.js";
import { resizeRows } from "./reference/resize.js";
import type { OperatorRow } from "./shape/rule.js";
import { softmaxRows } from "./reference/softmax.js";

/** The operators that networks are made of, and those that hold bodies. */
export const neuralRows: readonly OperatorRow[] = [
  ...convolutionRows,
  ...poolingRows,
  ...matrixRows,
  ...normalizationRows,
  ...softmaxRows,
  ...recurrentRows,
  ...resizeRows,
  ...detectionRows,
  ...quantizationRows,
  ...controlRows,
];

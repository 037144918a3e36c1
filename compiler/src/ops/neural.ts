import { controlRows } from "./control.js";
import { convolutionRows } from "./convolution.js";
import { detectionRows } from "./detection.js";
import { matrixRows } from "./matrix.js";
import { normalizationRows } from "./normalization.js";
import { poolingRows } from "./pooling.js";
import { quantizationRows } from "./quantization.js";
import { recurrentRows } from "./recurrent.js";
import { resizeRows } from "./resize.js";
import type { OperatorRow } from "./row.js";
import { softmaxRows } from "./softmax.js";

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

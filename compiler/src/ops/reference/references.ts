import { byKey, type Cells } from "../schema/schemas.js";
import { binaryReferences } from "./binary.js";
import { castReferences } from "./cast.js";
import { classicalReferences } from "./classical.js";
import { concatSplitReferences } from "./concat-split.js";
import { convolutionReferences } from "./convolution.js";
import { creationReferences } from "./creation.js";
import { depthSpaceReferences } from "./depth-space.js";
import { detectionReferences } from "./detection.js";
import type { Evaluation } from "./evaluation.js";
import { gatherReferences } from "./gather.js";
import { logicalReferences } from "./logical.js";
import { matrixReferences } from "./matrix.js";
import { movementReferences } from "./movement.js";
import { normalizationReferences } from "./normalization.js";
import { padReferences } from "./pad.js";
import { poolingReferences } from "./pooling.js";
import { quantizationReferences } from "./quantization.js";
import { randomReferences } from "./random.js";
import { recurrentReferences } from "./recurrent.js";
import { reductionReferences } from "./reduction.js";
import { reshapeReferences } from "./reshape.js";
import { resizeReferences } from "./resize.js";
import { scatterReferences } from "./scatter.js";
import { selectionReferences } from "./selection.js";
import { signalReferences } from "./signal.js";
import { sliceReferences } from "./slice.js";
import { softmaxReferences } from "./softmax.js";
import { spatialReferences } from "./spatial.js";
import { unaryReferences } from "./unary.js";
import { variadicReferences } from "./variadic.js";

const families: Cells<Evaluation> = {
  ...unaryReferences,
  ...binaryReferences,
  ...variadicReferences,
  ...logicalReferences,
  ...reductionReferences,
  ...selectionReferences,
  ...randomReferences,
  ...creationReferences,
  ...castReferences,
  ...reshapeReferences,
  ...movementReferences,
  ...concatSplitReferences,
  ...depthSpaceReferences,
  ...sliceReferences,
  ...padReferences,
  ...gatherReferences,
  ...scatterReferences,
  ...convolutionReferences,
  ...poolingReferences,
  ...matrixReferences,
  ...normalizationReferences,
  ...softmaxReferences,
  ...recurrentReferences,
  ...resizeReferences,
  ...detectionReferences,
  ...spatialReferences,
  ...signalReferences,
  ...quantizationReferences,
  ...classicalReferences,
};

/** The exact evaluation of operators without bodies. */
export const references = byKey(families);

import { byKey, type OperatorKey } from "../schema/schemas.js";
import { attentionShapes } from "./attention.js";
import { binaryShapes } from "./binary.js";
import { castShapes } from "./cast.js";
import { classicalShapes } from "./classical.js";
import { concatSplitShapes } from "./concat-split.js";
import { controlShapes } from "./control.js";
import { convolutionShapes } from "./convolution.js";
import { creationShapes } from "./creation.js";
import { depthSpaceShapes } from "./depth-space.js";
import { detectionShapes } from "./detection.js";
import { fusedShapes } from "./fused.js";
import { gatherShapes } from "./gather.js";
import { logicalShapes } from "./logical.js";
import { matrixShapes } from "./matrix.js";
import { movementShapes } from "./movement.js";
import { normalizationShapes } from "./normalization.js";
import { padShapes } from "./pad.js";
import { poolingShapes } from "./pooling.js";
import { quantizationShapes } from "./quantization.js";
import { quantizedOperatorShapes } from "./quantized-operators.js";
import { randomShapes } from "./random.js";
import { recurrentShapes } from "./recurrent.js";
import { reductionShapes } from "./reduction.js";
import { reshapeShapes } from "./reshape.js";
import { resizeShapes } from "./resize.js";
import type { ShapeRule } from "./rule.js";
import { scatterShapes } from "./scatter.js";
import { selectionShapes } from "./selection.js";
import { signalShapes } from "./signal.js";
import { sliceShapes } from "./slice.js";
import { softmaxShapes } from "./softmax.js";
import { spatialShapes } from "./spatial.js";
import { unaryShapes } from "./unary.js";
import { variadicShapes } from "./variadic.js";

const families: Readonly<Record<OperatorKey, ShapeRule>> = {
  ...unaryShapes,
  ...binaryShapes,
  ...variadicShapes,
  ...logicalShapes,
  ...reductionShapes,
  ...selectionShapes,
  ...randomShapes,
  ...creationShapes,
  ...castShapes,
  ...reshapeShapes,
  ...movementShapes,
  ...concatSplitShapes,
  ...depthSpaceShapes,
  ...sliceShapes,
  ...padShapes,
  ...gatherShapes,
  ...scatterShapes,
  ...convolutionShapes,
  ...poolingShapes,
  ...matrixShapes,
  ...attentionShapes,
  ...fusedShapes,
  ...normalizationShapes,
  ...softmaxShapes,
  ...recurrentShapes,
  ...resizeShapes,
  ...detectionShapes,
  ...spatialShapes,
  ...signalShapes,
  ...quantizationShapes,
  ...quantizedOperatorShapes,
  ...classicalShapes,
  ...controlShapes,
};

/** How types and shapes follow, of every operator that is known. */
export const shapeRules = byKey(families);

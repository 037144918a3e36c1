import { byKey } from "../schema/schemas.js";
import { binaryGradients } from "./binary.js";
import { castGradients } from "./cast.js";
import { concatSplitGradients } from "./concat-split.js";
import { convolutionGradients } from "./convolution.js";
import { creationGradients } from "./creation.js";
import { depthSpaceGradients } from "./depth-space.js";
import { detectionGradients } from "./detection.js";
import { gatherGradients } from "./gather.js";
import type { Gradient } from "./gradient.js";
import { logicalGradients } from "./logical.js";
import { matrixGradients } from "./matrix.js";
import { movementGradients } from "./movement.js";
import { normalizationGradients } from "./normalization.js";
import { padGradients } from "./pad.js";
import { poolingGradients } from "./pooling.js";
import { quantizationGradients } from "./quantization.js";
import { randomGradients } from "./random.js";
import { recurrentGradients } from "./recurrent.js";
import { reductionGradients } from "./reduction.js";
import { reshapeGradients } from "./reshape.js";
import { resizeGradients } from "./resize.js";
import { scatterGradients } from "./scatter.js";
import { selectionGradients } from "./selection.js";
import { sliceGradients } from "./slice.js";
import { softmaxGradients } from "./softmax.js";
import { unaryGradients } from "./unary.js";
import { variadicGradients } from "./variadic.js";

/** How gradients go back through operators. Of an operator without a cell nobody wrote it. */
export const gradients: ReadonlyMap<string, Gradient> = byKey<Gradient>({
  ...unaryGradients,
  ...binaryGradients,
  ...variadicGradients,
  ...logicalGradients,
  ...reductionGradients,
  ...selectionGradients,
  ...randomGradients,
  ...creationGradients,
  ...castGradients,
  ...reshapeGradients,
  ...movementGradients,
  ...concatSplitGradients,
  ...depthSpaceGradients,
  ...sliceGradients,
  ...padGradients,
  ...gatherGradients,
  ...scatterGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...matrixGradients,
  ...normalizationGradients,
  ...softmaxGradients,
  ...recurrentGradients,
  ...resizeGradients,
  ...detectionGradients,
  ...quantizationGradients,
});

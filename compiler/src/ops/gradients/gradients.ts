import { byKey } from "../schema/schemas.js";
import { binaryGradients } from "./binary.js";
import { convolutionGradients } from "./convolution.js";
import type { Gradient } from "./gradient.js";
import { matrixGradients } from "./matrix.js";
import { movementGradients } from "./movement.js";
import { normalizationGradients } from "./normalization.js";
import { poolingGradients } from "./pooling.js";
import { reductionGradients } from "./reduction.js";
import { reshapeGradients } from "./reshape.js";
import { softmaxGradients } from "./softmax.js";
import { unaryGradients } from "./unary.js";

/** How gradients go back through operators. Of an operator without a cell nobody wrote it. */
export const gradients: ReadonlyMap<string, Gradient> = byKey<Gradient>({
  ...unaryGradients,
  ...binaryGradients,
  ...reductionGradients,
  ...reshapeGradients,
  ...movementGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...matrixGradients,
  ...normalizationGradients,
  ...softmaxGradients,
});

import { byKey } from "../schema/schemas.js";
import { convolutionChannels } from "./convolution.js";
import type { Channels } from "./coupling.js";
import {
  binaryChannels,
  castChannels,
  logicalChannels,
  quantizationChannels,
  unaryChannels,
  variadicChannels,
} from "./elementwise.js";
import { matrixChannels } from "./matrix.js";
import {
  concatSplitChannels,
  gatherChannels,
  movementChannels,
  randomChannels,
  scatterChannels,
  sliceChannels,
} from "./movement.js";
import { normalizationChannels, softmaxChannels } from "./normalization.js";
import { recurrentChannels } from "./recurrent.js";
import { reshapeChannels } from "./reshape.js";
import {
  depthSpaceChannels,
  padChannels,
  poolingChannels,
  reductionChannels,
  resizeChannels,
} from "./spatial.js";

/** How channels pass through operators; of those that are not here nothing is known. */
export const channels: ReadonlyMap<string, Channels> = byKey<Channels>({
  ...unaryChannels,
  ...binaryChannels,
  ...variadicChannels,
  ...logicalChannels,
  ...castChannels,
  ...quantizationChannels,
  ...convolutionChannels,
  ...matrixChannels,
  ...normalizationChannels,
  ...softmaxChannels,
  ...poolingChannels,
  ...reductionChannels,
  ...padChannels,
  ...resizeChannels,
  ...depthSpaceChannels,
  ...reshapeChannels,
  ...movementChannels,
  ...concatSplitChannels,
  ...sliceChannels,
  ...gatherChannels,
  ...scatterChannels,
  ...randomChannels,
  ...recurrentChannels,
});

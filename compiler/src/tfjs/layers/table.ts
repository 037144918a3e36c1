import { activationLayers } from "./activations.js";
import { convolutionLayers } from "./convolutions.js";
import { dense } from "./dense.js";
import { imageLayers } from "./images.js";
import type { TranslateLayer } from "./layer-translation.js";
import { mergeLayers } from "./merges.js";
import { normalizationLayers } from "./normalizations.js";
import { poolingLayers } from "./pooling.js";
import { recurrentLayers } from "./recurrent.js";
import { sequenceLayers } from "./sequences.js";
import { shapeLayers } from "./shapes.js";

/** What it reads is what it gives: it does something in training alone. */
const itself: TranslateLayer = (at) => at.input;

/** Layers by their classes, each as tfjs-layers/src/layers has it. */
export const layers: ReadonlyMap<string, TranslateLayer> = new Map(
  Object.entries({
    ...activationLayers,
    ...convolutionLayers,
    ...mergeLayers,
    ...imageLayers,
    ...normalizationLayers,
    ...poolingLayers,
    ...recurrentLayers,
    ...sequenceLayers,
    ...shapeLayers,
    ActivityRegularization: itself,
    AlphaDropout: itself,
    Dense: dense,
    Dropout: itself,
    GaussianDropout: itself,
    GaussianNoise: itself,
    InputLayer: (at) => at.invalid("is read, but is no input of its model"),
    SpatialDropout1D: itself,
    SpatialDropout2D: itself,
    SpatialDropout3D: itself,
  }),
);

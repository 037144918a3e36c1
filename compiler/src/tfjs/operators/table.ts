import type { Translate } from "../translation.js";
import { convolutions } from "./convolutions.js";
import { elementwise } from "./elementwise.js";
import { matrices } from "./matrices.js";
import { normalizations } from "./normalizations.js";
import { pooling } from "./pooling.js";
import { reductions } from "./reductions.js";
import { selection } from "./selection.js";
import { sizes } from "./sizes.js";
import { slices } from "./slices.js";
import { spatial } from "./spatial.js";

/** What it reads is what it gives. */
const itself: Translate = (at) => at.input(0);

/** Operators of TensorFlow by name, each as TensorFlow.js computes it: tfjs-converter/src/operations. */
export const operators: ReadonlyMap<string, Translate> = new Map(
  Object.entries({
    ...convolutions,
    ...elementwise,
    ...matrices,
    ...normalizations,
    ...pooling,
    ...reductions,
    ...selection,
    ...sizes,
    ...slices,
    ...spatial,
    FakeQuantWithMinMaxVars: itself,
    Identity: itself,
    IdentityN: (at) => at.inputs,
    PlaceholderWithDefault: itself,
    Print: itself,
    Snapshot: itself,
    StopGradient: itself,
  }),
);

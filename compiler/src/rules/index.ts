import { activations } from "./activations.js";
import { arithmetic } from "./arithmetic.js";
import { sayCastLike } from "./casts.js";
import { clips } from "./clips.js";
import { inlineIf } from "./control-flow.js";
import { ownCopies } from "./copies.js";
import { dropEmptyOperands, dropEmptyScatter, foldEmpty } from "./empties.js";
import { sayEinsum } from "./einsum.js";
import { foldAffine } from "./fold-affine.js";
import { foldConstants } from "./fold-constants.js";
import { foldInputAffine } from "./fold-input-affine.js";
import { reshapeIndices } from "./gathers.js";
import { gemms } from "./gemm.js";
import { identities } from "./identities.js";
import { loopToScan } from "./loops.js";
import { recoverLayerNorm } from "./layer-norm.js";
import { sumVectors } from "./linear-vectors.js";
import { concatZerosToPad, padIntoWindow, spellOutPads } from "./pads.js";
import { keepZerosOfPads } from "./pads-of-maxima.js";
import { scanToCell } from "./recurrent-cells.js";
import { dropLengths, dropZeroStates, reverseWhole } from "./recurrent.js";
import { reshapes } from "./reshapes.js";
import { pointwiseAfterPool, pointwiseBeforeResize } from "./resampling.js";
import { resizeFewerAxes } from "./resize-axes.js";
import type { Rule } from "./rule.js";
import { sigmoids } from "./sigmoids.js";
import { scanAtOnce } from "./scans.js";
import { constantReshapeTarget, foldShapeValues } from "./shape-values.js";
import { mergeSlices } from "./slices.js";
import { takeFeatures } from "./tree-features.js";
import { recoverShiftedNorm } from "./shifted-norm.js";
import { foldIntoLeaves } from "./tree-leaves.js";
import { joinTrees } from "./tree-sums.js";

/** What `simplify` applies; at one node in this order. */
export const simplifyRules: readonly Rule[] = [
  foldShapeValues,
  foldConstants,
  foldEmpty,
  dropEmptyOperands,
  dropEmptyScatter,
  inlineIf,
  loopToScan,
  scanAtOnce,
  scanToCell,
  sayEinsum,
  sayCastLike,
  ...identities,
  constantReshapeTarget,
  reshapeIndices,
  dropLengths,
  dropZeroStates,
  reverseWhole,
  ...reshapes,
  mergeSlices,
  ...activations,
  ...sigmoids,
  recoverLayerNorm,
  recoverShiftedNorm,
  ...clips,
  foldAffine,
  foldInputAffine,
  ...gemms,
  resizeFewerAxes,
  pointwiseBeforeResize,
  pointwiseAfterPool,
  spellOutPads,
  padIntoWindow,
  keepZerosOfPads,
  concatZerosToPad,
  ...arithmetic,
  takeFeatures,
  foldIntoLeaves,
  joinTrees,
  sumVectors,
];

/** Of these, those that leave batch normalizations what they are. */
export const normKeepingRules: readonly Rule[] = simplifyRules.filter(
  (rule) => rule !== foldAffine,
);

/** By these what is computed of constants alone is one, and all else stays as it is called. */
export const parameterRules: readonly Rule[] = [foldShapeValues, foldConstants, ownCopies];

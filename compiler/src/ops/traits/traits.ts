import { byKey } from "../schema/schemas.js";
import { bodies } from "./bodies.js";
import { clamp } from "./clamp.js";
import { dataMovement } from "./data-movement.js";
import { elementwise } from "./elementwise.js";
import { float16 } from "./float16.js";
import { learned } from "./learned.js";
import { linear } from "./linear.js";
import { listing } from "./listing.js";
import { macs } from "./macs.js";
import { onIntegers } from "./on-integers.js";
import { outputDtype } from "./output-dtype.js";
import { quantization } from "./quantization.js";
import { range } from "./range.js";
import { readsRows } from "./reads-rows.js";
import { rectifier } from "./rectifier.js";
import { reduces } from "./reduces.js";
import { saidInDoubles } from "./said-in-doubles.js";
import { scales } from "./scales.js";
import { scaling } from "./scaling.js";
import { sizedByContent } from "./sized-by-content.js";
import { sizedByInputs } from "./sized-by-inputs.js";
import { weights } from "./weights.js";
import { window } from "./window.js";

/** What passes need to know of operators, one file per trait. */
export const traitCells = {
  /** How it runs the bodies that it holds. */
  bodies: byKey(bodies),
  /** It does what rounding to a range does. */
  clamp: byKey(clamp),
  /** Its result's elements are elements of its inputs. */
  dataMovement: byKey(dataMovement),
  /** Its result's elements are computed each in its own place. */
  elementwise,
  /** What it does in a model of float16. */
  float16: byKey(float16),
  /** Which of its constants were learned. */
  learned: byKey(learned),
  /** It is x ∗ w + b. */
  linear: byKey(linear),
  /** What its reference evaluation lists. */
  listing: byKey(listing),
  /** It multiplies: how often, by sizes. */
  macs: byKey(macs),
  /** It is computed on integers as well. */
  onIntegers: byKey(onIntegers),
  /** The attribute that says its result's dtype. */
  outputDtype: byKey(outputDtype),
  /** It goes between floats and integers. */
  quantization: byKey(quantization),
  /** Between which numbers its result lies. */
  range: byKey(range),
  /** It reads rows of a table as what was learned. */
  readsRows: byKey(readsRows),
  /** It cuts or bends away what is negative. */
  rectifier: byKey(rectifier),
  /** Axes of its input come to one element each. */
  reduces: byKey(reduces),
  /** In float64 an engine runs others for it. */
  saidInDoubles: byKey(saidInDoubles),
  /** Which of its inputs and outputs are scales and zero points. */
  scales: byKey(scales),
  /** It commutes with factors per channel: with which. */
  scaling: byKey(scaling),
  /** How large its result is, a run tells. */
  sizedByContent: byKey(sizedByContent),
  /** Its result's sizes follow from its inputs'. */
  sizedByInputs: byKey(sizedByInputs),
  /** In which inputs it carries weights. */
  weights: byKey(weights),
  /** It looks at a window of elements: of how many. */
  window: byKey(window),
};

/** The traits of one operator; undefined where nothing is known. */
export type Traits = {
  readonly [Name in keyof typeof traitCells]: ReturnType<(typeof traitCells)[Name]["get"]>;
};

export function traitsOf(key: string): Traits {
  return {
    bodies: traitCells.bodies.get(key),
    clamp: traitCells.clamp.get(key),
    dataMovement: traitCells.dataMovement.get(key),
    elementwise: traitCells.elementwise.get(key),
    float16: traitCells.float16.get(key),
    learned: traitCells.learned.get(key),
    linear: traitCells.linear.get(key),
    listing: traitCells.listing.get(key),
    macs: traitCells.macs.get(key),
    onIntegers: traitCells.onIntegers.get(key),
    outputDtype: traitCells.outputDtype.get(key),
    quantization: traitCells.quantization.get(key),
    range: traitCells.range.get(key),
    readsRows: traitCells.readsRows.get(key),
    rectifier: traitCells.rectifier.get(key),
    reduces: traitCells.reduces.get(key),
    saidInDoubles: traitCells.saidInDoubles.get(key),
    scales: traitCells.scales.get(key),
    scaling: traitCells.scaling.get(key),
    sizedByContent: traitCells.sizedByContent.get(key),
    sizedByInputs: traitCells.sizedByInputs.get(key),
    weights: traitCells.weights.get(key),
    window: traitCells.window.get(key),
  };
}

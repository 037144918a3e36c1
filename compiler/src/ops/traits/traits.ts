import { byKey } from "../schema/schemas.js";
import { type Bodies, bodies } from "./bodies.js";
import { type Channels, channels } from "./channels.js";
import { type Clamp, clamp } from "./clamp.js";
import { type DataMovement, dataMovement } from "./data-movement.js";
import { type Float16, float16 } from "./float16.js";
import { type Linear, linear } from "./linear.js";
import { type Macs, macs } from "./macs.js";
import { outputDtype } from "./output-dtype.js";
import { type Quantization, quantization } from "./quantization.js";
import { type Range, range } from "./range.js";
import { type WeightInput, weights } from "./weights.js";

/** What passes need to know of operators, one file per trait. Undefined: nothing is known. */
export interface Traits {
  /** How it runs the bodies that it holds. */
  readonly bodies: Bodies | undefined;
  /** Channels pass through it, and with what algebra. */
  readonly channels: Channels | undefined;
  /** It does what rounding to a range does. */
  readonly clamp: Clamp | undefined;
  /** Its result's elements are elements of its inputs. */
  readonly dataMovement: DataMovement | undefined;
  /** What it does in a model of float16. */
  readonly float16: Float16 | undefined;
  /** It is x ∗ w + b. */
  readonly linear: Linear | undefined;
  /** It multiplies: how often, by sizes. */
  readonly macs: Macs | undefined;
  /** The attribute that says its result's dtype. */
  readonly outputDtype: string | undefined;
  /** It goes between floats and integers. */
  readonly quantization: Quantization | undefined;
  /** Between which numbers its result lies. */
  readonly range: Range | undefined;
  /** In which inputs it carries weights. */
  readonly weights: readonly WeightInput[] | undefined;
}

/** Every trait's cells by operator. */
export const traitCells = {
  bodies: byKey(bodies),
  channels: byKey(channels),
  clamp: byKey(clamp),
  dataMovement: byKey(dataMovement),
  float16: byKey(float16),
  linear: byKey(linear),
  macs: byKey(macs),
  outputDtype: byKey(outputDtype),
  quantization: byKey(quantization),
  range: byKey(range),
  weights: byKey(weights),
} as const satisfies { readonly [Trait in keyof Traits]: ReadonlyMap<string, unknown> };

export function traitsOf(key: string): Traits {
  return {
    bodies: traitCells.bodies.get(key),
    channels: traitCells.channels.get(key),
    clamp: traitCells.clamp.get(key),
    dataMovement: traitCells.dataMovement.get(key),
    float16: traitCells.float16.get(key),
    linear: traitCells.linear.get(key),
    macs: traitCells.macs.get(key),
    outputDtype: traitCells.outputDtype.get(key),
    quantization: traitCells.quantization.get(key),
    range: traitCells.range.get(key),
    weights: traitCells.weights.get(key),
  };
}

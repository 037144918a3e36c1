import { type Dim, dim, dtypeOfCode } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { Every } from "../schema/cells.js";
import type { signalSchemas } from "../schema/signal.js";
import { tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** As many numbers as its input says. */
const window: ShapeRule = (context) =>
  tensorOf(madeDtype(context), [context.elements(0)?.[0] ?? dim.unknown()]);

export const signalShapes: Every<typeof signalSchemas, ShapeRule> = {
  HannWindow: window,
  HammingWindow: window,
  BlackmanWindow: window,
  MelWeightMatrix(context) {
    const [mels, length] = [0, 1].map((input) => context.elements(input)?.[0]);
    const bins = length === undefined ? dim.unknown() : halfOf(length);
    return tensorOf(madeDtype(context), [bins, mels ?? dim.unknown()]);
  },
  DFT(context) {
    const [dtype, shape] = [context.dtype(0), context.shape(0)];
    if (shape === undefined || shape.length < 2) return tensorOf(dtype, undefined);
    const axis = axisOf(context);
    const given = context.elements(1)?.[0];
    const [onesided, inverse] = ["onesided", "inverse"].map(
      (name) => context.attributes.int(name, 0) !== 0,
    );
    // A real signal has one side of a spectrum; the inverse of one side is a real signal.
    const isReal = onesided === true && inverse === true;
    const sizes = shape.map((size, at): Dim => {
      if (at === shape.length - 1) return isReal ? 1 : 2;
      if (axis === undefined) return dim.unknown();
      if (at !== normalAxis(axis, shape.length)) return size;
      if (isThere(context, 1) && given === undefined) return dim.unknown();
      if (isReal) return given ?? dim.multiply(2, dim.subtract(size, 1));
      return onesided === true ? halfOf(given ?? size) : (given ?? size);
    });
    return tensorOf(dtype, sizes);
  },
  STFT(context) {
    const [batch, size] = context.shape(0) ?? [];
    const step = context.elements(1)?.[0];
    const length = context.shape(2)?.[0] ?? context.elements(3)?.[0];
    const isKnown = size !== undefined && length !== undefined;
    const frames =
      isKnown && typeof step === "number" && step > 0
        ? dim.add(dim.floorDiv(dim.subtract(size, length), step), 1)
        : dim.unknown();
    const isWhole = context.attributes.int("onesided", 1) === 0;
    const bins = length === undefined ? dim.unknown() : isWhole ? length : halfOf(length);
    return tensorOf(context.dtype(0), [batch ?? dim.unknown(), frames, bins, 2]);
  },
};

/** How many of a real signal's frequencies are its own: the others mirror them. */
function halfOf(length: Dim): Dim {
  return dim.add(dim.floorDiv(length, 2), 1);
}

/** float32 where the attribute is left out. */
function madeDtype({ attributes }: InferContext) {
  return dtypeOfCode(attributes.int("output_datatype", 1));
}

function isThere({ node }: InferContext, input: number): boolean {
  return (node.inputs[input] ?? null) !== null;
}

/** Before opset 20 it was an attribute; undefined where it is computed. */
function axisOf(context: InferContext): number | undefined {
  if (isThere(context, 2)) {
    const [axis] = context.elements(2) ?? [];
    return typeof axis === "number" ? axis : undefined;
  }
  const version = context.graph.header.opsets.get("") ?? 0;
  return version < 20 ? context.attributes.int("axis", 1) : -2;
}

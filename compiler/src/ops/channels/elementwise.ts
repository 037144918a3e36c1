import type { binarySchemas } from "../schema/binary.js";
import type { castSchemas } from "../schema/cast.js";
import type { Some } from "../schema/cells.js";
import type { logicalSchemas } from "../schema/logical.js";
import type { quantizationSchemas } from "../schema/quantization.js";
import type { unarySchemas } from "../schema/unary.js";
import type { variadicSchemas } from "../schema/variadic.js";
import { normalAxis } from "../families/indexing.js";
import {
  type ChannelNode,
  type Channels,
  type Coupling,
  coupled,
  each,
  input,
  output,
  type Tie,
} from "./coupling.js";

/**
 * Every axis of the result with what is broadcast to it: an input that has the axis is cut along with it, one that has
 * a single place there serves all. Where a size is not known it may be either, and nothing is said.
 * @param passes the axes of the result through which channels pass; all where not given
 */
export function broadcastCouplings(
  node: ChannelNode,
  inputs: readonly number[],
  passes: (axis: number) => boolean = () => true,
): readonly Coupling[] {
  const result = node.shape(output(0));
  if (result === undefined) return [];
  const shapes = inputs.map((index) => ({ index, shape: node.shape(input(index)) }));
  if (shapes.some(({ shape }) => shape === undefined)) return [];
  return result.flatMap((size, axis) => {
    if (!passes(axis)) return [];
    const ties: Tie[] = [each(output(0), axis)];
    for (const { index, shape = [] } of shapes) {
      const at = axis - (result.length - shape.length);
      if (at < 0 || (shape[at] === 1 && size !== 1)) continue;
      if (shape[at] !== size) return [];
      ties.push(each(input(index), at));
    }
    return [coupled(...ties)];
  });
}

/** Of all inputs that are there. */
const elementwise: Channels = {
  couplings: (node) => broadcastCouplings(node, present(node)),
};

function present(node: ChannelNode): readonly number[] {
  return Array.from({ length: node.inputs }, (_, index) => index).filter(
    (index) => node.shape(input(index)) !== undefined,
  );
}

/** Of the first input; the others are not of its elements. */
const ofTheFirst: Channels = { couplings: (node) => broadcastCouplings(node, [0]) };

/** A scale and a zero point for all, or for each place on one axis. */
const inSteps: Channels = {
  couplings(node) {
    const shape = node.shape(input(0));
    const scales = node.shape(input(1));
    if (shape === undefined || scales === undefined || scales.length > 1) return [];
    if (scales.length === 0 || scales[0] === 1) return broadcastCouplings(node, [0]);
    const axis = normalAxis(node.attributes.int("axis", 1), shape.length);
    const theirs = [1, 2]
      .filter((index) => node.shape(input(index))?.length === 1)
      .map((index) => each(input(index), 0));
    return broadcastCouplings(node, [0]).map((coupling) =>
      coupling.ties.some(({ port, axis: at }) => port.side === "output" && at === axis)
        ? coupled(...coupling.ties, ...theirs)
        : coupling,
    );
  },
};

export const unaryChannels: { readonly [Name in keyof typeof unarySchemas]: Channels } = {
  Abs: elementwise,
  Neg: elementwise,
  Sign: elementwise,
  Floor: elementwise,
  Ceil: elementwise,
  Round: elementwise,
  Sqrt: elementwise,
  Exp: elementwise,
  Log: elementwise,
  Reciprocal: elementwise,
  Erf: elementwise,
  Sin: elementwise,
  Cos: elementwise,
  Tan: elementwise,
  Asin: elementwise,
  Acos: elementwise,
  Atan: elementwise,
  Sinh: elementwise,
  Cosh: elementwise,
  Tanh: elementwise,
  Asinh: elementwise,
  Acosh: elementwise,
  Atanh: elementwise,
  Relu: elementwise,
  LeakyRelu: elementwise,
  ThresholdedRelu: elementwise,
  Elu: elementwise,
  Selu: elementwise,
  Celu: elementwise,
  Softplus: elementwise,
  Softsign: elementwise,
  Sigmoid: elementwise,
  HardSigmoid: elementwise,
  HardSwish: elementwise,
  Mish: elementwise,
  Gelu: elementwise,
  Shrink: elementwise,
  BitwiseNot: elementwise,
  Not: elementwise,
  IsNaN: elementwise,
  IsInf: elementwise,
};

export const binaryChannels: { readonly [Name in keyof typeof binarySchemas]: Channels } = {
  Add: elementwise,
  Sub: elementwise,
  Mul: elementwise,
  Div: elementwise,
  Mod: elementwise,
  Pow: elementwise,
  PRelu: elementwise,
  BitwiseAnd: elementwise,
  BitwiseOr: elementwise,
  BitwiseXor: elementwise,
  BitShift: elementwise,
};

export const variadicChannels: { readonly [Name in keyof typeof variadicSchemas]: Channels } = {
  Max: elementwise,
  Min: elementwise,
  Sum: elementwise,
  Mean: elementwise,
  Clip: elementwise,
};

export const logicalChannels: { readonly [Name in keyof typeof logicalSchemas]: Channels } = {
  Equal: elementwise,
  Less: elementwise,
  Greater: elementwise,
  LessOrEqual: elementwise,
  GreaterOrEqual: elementwise,
  And: elementwise,
  Or: elementwise,
  Xor: elementwise,
  Where: elementwise,
};

export const castChannels: { readonly [Name in keyof typeof castSchemas]: Channels } = {
  Cast: ofTheFirst,
  CastLike: ofTheFirst,
};

export const quantizationChannels: Some<typeof quantizationSchemas, Channels> = {
  QuantizeLinear: inSteps,
  DequantizeLinear: inSteps,
};
